//! The rules for Prometheus in deploy/prometheus: they are valid and do what their tests say, use metrics that there
//! are, and each alert has its paragraph in docs/operations.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::metrics::{metric, promtool};
use crate::sdk::ROOT;

const RULES: &str = "deploy/prometheus/alerts.yaml";
const TESTS: &str = "deploy/prometheus/alerts_test.yaml";
const PAGE: &str = "docs/operations.md";

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// What stands after a key on the lines of a file.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let of_line = |line: &'t str| line.trim_start().trim_start_matches("- ").strip_prefix(key);
    text.lines().filter_map(of_line).map(str::trim).collect()
}

#[tokio::test]
async fn the_rules_are_valid() {
    promtool(&["check", "rules", RULES], "").await;
}

#[tokio::test]
async fn the_rules_do_what_their_tests_say() {
    promtool(&["test", "rules", TESTS], "").await;
}

#[test]
fn each_alert_is_tested_and_has_severity_summary_and_a_paragraph() {
    let (rules, tests, page) = (text(RULES), text(TESTS), text(PAGE));
    let alerts = values(&rules, "alert:");
    assert!(alerts.len() > 5, "{alerts:?}");
    for key in ["severity:", "summary:", "runbook_url:"] {
        assert_eq!(values(&rules, key).len(), alerts.len(), "{key}");
    }
    let headings = values(&page, "### ");
    let tested: BTreeSet<&str> = values(&tests, "alertname:").into_iter().collect();
    for (alert, url) in alerts.iter().zip(values(&rules, "runbook_url:")) {
        assert!(tested.contains(alert), "{alert} is in no test");
        assert!(headings.contains(alert), "{alert} has no heading in {PAGE}");
        let anchor = format!("/{PAGE}#{}", alert.to_lowercase());
        assert!(url.ends_with(&anchor), "{alert}: {url}");
    }
    let of_page = headings.iter().filter(|heading| heading.starts_with("Keylend"));
    assert_eq!(of_page.count(), alerts.len(), "a heading without an alert");
}

#[test]
fn rules_name_metrics_of_the_table() {
    let rules = text(RULES);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: BTreeSet<&str> = rules
        .split(|c| !is_part(c))
        .filter(|word| word.starts_with("keylend_") || word.starts_with("http_"))
        .collect();
    assert!(words.len() > 5, "{words:?}");
    for word in words {
        assert!(metric(word).is_some(), "{word} is not in the table of metrics");
    }
}

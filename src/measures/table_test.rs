//! The table of `docs/metrics.md`, and what the names follow.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

const PAGE: &str = include_str!("../../docs/metrics.md");
const BEGIN: &str = "<!-- written by src/measures/table_test.rs -->\n";

fn table() -> String {
    let mut table = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for Metric { name, form, labels, help } in ALL {
        let form = match form {
            Form::Counter => "counter",
            Form::Gauge => "gauge",
            Form::Histogram(_) => "histogram",
        };
        let labels: Vec<String> =
            labels.iter().map(|(label, values)| format!("`{label}`: {values}")).collect();
        writeln!(table, "| `{name}` | {form} | {} | {help} |", labels.join("<br>")).unwrap();
    }
    table
}

#[test]
fn the_page_shows_every_metric() {
    let (_, written) = PAGE.split_once(BEGIN).unwrap();
    assert_eq!(written, table(), "docs/metrics.md should end with:\n{}", table());
}

#[test]
fn names_follow_prometheus() {
    let mut names = BTreeSet::new();
    for Metric { name, form, labels, help } in ALL {
        assert!(names.insert(name), "{name} is there twice");
        let own = name.starts_with("keylend_") || name.starts_with("http_server_");
        assert!(own, "{name} says not whose it is");
        assert_eq!(name.ends_with("_total"), *form == Form::Counter, "{name}");
        let of_time =
            name.contains("duration") || name.contains("wait_") || name.contains("overdue");
        assert!(!of_time || name.ends_with("_seconds"), "{name} is a time");
        assert!(help.ends_with('.'), "{name}: {help}");
        for (label, _) in *labels {
            assert!(!label.ends_with("_id") && *label != "le", "{name} has the label {label}");
        }
        if let Form::Histogram(bounds) = form {
            assert!(bounds.is_sorted(), "{name}");
        }
    }
}

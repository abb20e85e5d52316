//! What a running service tells of itself is what the table of metrics says, no more and no less, and Prometheus'
//! own tool has nothing to say against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use keylend::measures::{self, Form, Metric};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::sdk::{ROOT, installed, tools};
use crate::support::Actor;
use crate::support::household::Household;

/// Longer than it takes until everything was looked at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// What nothing happens to in the story.
const UNSEEN: &[&str] = &[
    measures::HTTP_CONNECTIONS_REFUSED,
    measures::VEHICLE_CLOUD_BUDGET_REFUSED,
    measures::TRANSACTION_REPEATS,
    measures::TASK_FAILURES,
    measures::WEBHOOK_DELIVERIES,
    measures::WITNESS_LAG_SECONDS,
    measures::WITNESS_LAG_ENTRIES,
    measures::WITNESS_REQUESTS,
];

/// The type of each family on a page.
fn families(page: &str) -> BTreeMap<&str, &str> {
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
}

/// The name of a sample, and those of its labels.
fn sample(line: &str) -> (&str, BTreeSet<&str>) {
    let Some((name, labels)) = line.split_once('{') else {
        return (line.split(' ').next().unwrap_or_default(), BTreeSet::new());
    };
    let mut before: Vec<&str> = labels.split("=\"").collect();
    before.pop();
    (name, before.into_iter().map(|text| text.rsplit(',').next().unwrap_or(text)).collect())
}

/// The metric that a sample belongs to.
pub(crate) fn metric(sample: &str) -> Option<&'static Metric> {
    measures::ALL.iter().find(|metric| {
        let rest = sample.strip_prefix(metric.name);
        let of_histogram = matches!(metric.form, Form::Histogram(_));
        rest.is_some_and(|rest| match rest {
            "" => true,
            "_bucket" | "_sum" | "_count" => of_histogram,
            _ => false,
        })
    })
}

/// Runs Prometheus' tool, which must have nothing to say against its input.
pub(crate) async fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new(installed(tools().join("promtool")));
    command.args(arguments).current_dir(ROOT).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut to = running.stdin.take().unwrap();
    to.write_all(input.as_bytes()).await.unwrap();
    drop(to);
    let ended = running.wait_with_output().await.unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ended.status.success(), "promtool {arguments:?}: {said}");
}

fn assert_as_the_table_says(page: &str) {
    for (name, form) in families(page) {
        let told = measures::ALL.iter().find(|metric| metric.name == name);
        let expected = told.map(|metric| match metric.form {
            Form::Counter => "counter",
            Form::Gauge => "gauge",
            Form::Histogram(_) => "histogram",
        });
        assert_eq!(expected, Some(form), "{name}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, mut labels) = sample(line);
        let metric = metric(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        if matches!(metric.form, Form::Histogram(_)) {
            labels.remove("le");
        }
        let named: BTreeSet<&str> = metric.labels.iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, named, "{line}");
    }
}

/// What the story makes the service tell, and the page does not.
fn missing_on(page: &str) -> Vec<&'static str> {
    let seen = families(page);
    let names = measures::ALL.iter().map(|metric| metric.name);
    names.filter(|name| !UNSEEN.contains(name) && !seen.contains_key(name)).collect()
}

/// A sign-in that works and one that does not, a person who is invited, and a car that is opened.
async fn story(house: &Household) -> Actor {
    let visitor = Actor::visiting(&format!("http://{}", house.address));
    let wrong = json!({ "email": "a@example.com", "password": "not this one at all" });
    visitor.post("/v1/sessions", wrong).await.expect_problem(401, "credentials_invalid");
    house.admin.invite("guest@example.com").await;
    house.admin.command(&house.car, "unlock").await;
    visitor.get("/readyz").await.expect(200);
    visitor
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_tells_what_the_table_says() {
    let house = Household::start(None).await;
    let visitor = story(&house).await;
    let mut missing = Vec::new();
    let told = tokio::time::timeout(PATIENCE, async {
        loop {
            let reply = visitor.get("/metrics").await.expect(200);
            let page = reply.body.as_str().unwrap().to_owned();
            missing = missing_on(&page);
            if missing.is_empty() {
                return page;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    let page = told.unwrap_or_else(|_| panic!("never told: {missing:?}"));
    assert_as_the_table_says(&page);
    assert!(
        page.contains(r#"keylend_commands_total{action="unlock",status="sending"} 1"#),
        "{page}"
    );
    assert!(page.contains(r#"operation="send",outcome="ok""#), "{page}");
    promtool(&["check", "metrics"], &page).await;
    house.finish().await;
}

#[test]
fn every_metric_of_the_table_is_recorded_somewhere() {
    let table = fs::read_to_string(Path::new(ROOT).join("src/measures.rs")).unwrap();
    let names = table.lines().filter_map(|line| line.trim_start().split_once(" = \""));
    let is_constant = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let names: Vec<&str> = names.map(|(name, _)| name).filter(is_constant).collect();
    assert_eq!(names.len(), measures::ALL.len(), "{names:?}");
    let mut sources = String::new();
    read_all(&Path::new(ROOT).join("src"), &mut sources);
    for name in names {
        let use_of_it = format!("measures::{name}");
        let is_whole = |(at, _): (usize, &str)| {
            let next = sources[at + use_of_it.len()..].chars().next();
            next.is_some_and(|next| !next.is_ascii_uppercase() && next != '_')
        };
        assert!(sources.match_indices(&use_of_it).any(is_whole), "{name} is never recorded");
    }
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

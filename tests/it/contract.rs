//! The description of the API is true: it is what the code says, it is well-formed, and no request
//! that a machine can think of brings an answer that it does not describe.

mod explored;
mod reached;

use std::path::{Path, PathBuf};
use std::process::Output;

use tokio::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A tool that scripts/install-test-tools has put in its place.
fn tool(path: &str) -> PathBuf {
    let tool = root().join("target/test-tools").join(path);
    assert!(tool.exists(), "{} is missing: run scripts/install-test-tools", tool.display());
    tool
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_checked_in_description_is_what_the_code_says() {
    let without_version = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("  version:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let written = std::fs::read_to_string(root().join("openapi.yaml")).unwrap();
    let told = keylend::http::openapi::yaml(&keylend::http::api()).unwrap();
    assert!(without_version(&written) == without_version(&told), "run `make openapi`");
}

#[tokio::test]
async fn the_description_is_well_formed() {
    tool("node/node_modules/.bin/redocly");
    let linted = Command::new(root().join("scripts/lint-openapi")).output().await.unwrap();
    assert!(linted.status.success(), "{}", said(&linted));
}

#[test]
fn every_refusal_is_a_problem_but_where_another_protocol_rules() {
    let described = serde_json::to_value(keylend::http::api()).unwrap();
    for (path, item) in described["paths"].as_object().unwrap() {
        if path == "/oauth/token" || path.starts_with("/v2.0") || path.starts_with("/v3/") {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_problem = response["$ref"] == "#/components/responses/ProblemAnswer";
                let is_refusal = status.starts_with(['4', '5']);
                assert_eq!(is_problem, is_refusal, "{method} {path} {status}");
            }
        }
    }
}

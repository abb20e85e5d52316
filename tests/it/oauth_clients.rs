//! Clients of OAuth that know nothing of Keylend take tokens from `/oauth/token` (RFC 6749 section 4.4).

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::sdk::{ROOT, installed, tools};
use crate::support::{TestApp, on_both};

fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(Path::new(ROOT).join("tests/oauth/client.mjs"));
    command.env("OAUTH4WEBAPI", installed(tools().join("node/node_modules/oauth4webapi")));
    command
}

fn python() -> Command {
    let mut command = Command::new(installed(tools().join("venv/bin/python")));
    command.arg(Path::new(ROOT).join("tests/oauth/client.py"));
    // The service of the test speaks http.
    command.env("AUTHLIB_INSECURE_TRANSPORT", "1");
    command
}

/// What the program printed.
async fn run(app: &TestApp, mut command: Command) -> Vec<Value> {
    let body = json!({ "name": "an app", "scopes": ["users:read"] });
    let made = app.admin().await.post("/v1/api-clients", body).await.expect(201);
    command.env("KEYLEND_URL", app.url());
    command
        .env("CLIENT_ID", made.text("client_id"))
        .env("CLIENT_SECRET", made.text("client_secret"));
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("the program starts: scripts/install-test-tools");
    let (out, err) = (String::from_utf8(output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out:?}\n{err}");
    out.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn takes_tokens(app: &TestApp, command: Command) {
    let [basic, post, wrong] = run(app, command).await.try_into().unwrap();
    for token in [basic, post] {
        assert_eq!(token["token_type"].as_str().unwrap().to_lowercase(), "bearer", "{token}");
        assert_eq!((&token["expires_in"], &token["scope"]), (&json!(600), &json!("users:read")));
        assert_eq!(token["users"], 200, "{token}");
    }
    assert_eq!(wrong["status"], 401, "{wrong}");
    assert!(["invalid_client", "basic"].contains(&wrong["error"].as_str().unwrap()), "{wrong}");
}

on_both! {
    async fn node_takes_tokens(app) {
        takes_tokens(app, node()).await;
    }

    async fn python_takes_tokens(app) {
        takes_tokens(app, python()).await;
    }
}

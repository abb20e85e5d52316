//! A program that knows nothing of Keylend makes the proofs of a bound key: npm's `dpop`, as `examples/device-key` uses it.

use std::path::Path;
use std::process::Stdio;

use keylend::config::Config;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::sdk::{ROOT, installed, tools};
use crate::support::on_both;
use crate::support::postgres::free_port;

/// Clients reach the service where it listens.
fn at_a_free_port(config: &mut Config) {
    config.listen.set_port(free_port());
    config.public_url = format!("http://{}", config.listen).parse().unwrap();
}

on_both! {
    as at_a_free_port;

    async fn an_unmodified_library_uses_a_bound_key(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let library = installed(tools().join("node/node_modules/dpop/build/index.js"));
        let output = Command::new("node")
            .arg(Path::new(ROOT).join("examples/device-key/phone.mjs"))
            .env("DPOP", library)
            .env("KEYLEND_URL", app.url())
            .env("SESSION", guest.token.as_ref().unwrap())
            .env("GRANT_ID", grant_id)
            .env("VEHICLE_ID", &owner.vehicles[0])
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = output.await.expect("the program starts: scripts/install-test-tools");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
        let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [key, named, opened, state, copied] = lines.as_slice() else { panic!("{printed}") };
        assert_eq!(key, &json!({ "token_type": "DPoP", "device_key": named["thumbprint"] }));
        assert_eq!(opened, &json!({ "action": "unlock", "status": "acknowledged" }));
        assert_eq!(state, &json!({ "locked": false }));
        assert_eq!(copied, &json!({ "copied": 401, "code": "dpop_proof_invalid" }));
        assert_eq!(app.cloud.journal().await.len(), 1);
    }
}

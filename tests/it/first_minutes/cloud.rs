//! A vehicle cloud that does not answer, or does not accept the application. The service starts all the same,
//! and says it: the cloud may come back.

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;

use super::installed;
use crate::support::Terminal;

/// Whether the service starts with a warning that says all of this, and `doctor` says it too.
async fn is_told(terminal: &Terminal, expected: &[&str]) {
    let mut service = terminal.start(&["serve"]);
    let warning = service.logged_after("the vehicle cloud at").await;
    assert!(service.terminate().await.success());
    let examined = terminal.run(&["doctor"]).await.ended(1);
    let found = examined.lines().find(|line| line.starts_with("✗ vehicle cloud: ")).unwrap();
    assert!(examined.lines().filter(|line| line.starts_with('✗')).count() == 1, "{examined}");
    for text in expected {
        assert!(warning.contains(text), "serve does not say {text:?}: {warning}");
        assert!(found.contains(text), "doctor does not say {text:?}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulator_that_is_down_is_named_and_started() {
    let terminal = installed().await;
    let expected = [
        "http://127.0.0.1:9 cannot be reached",
        "start the simulator, or correct KEYLEND_SIMULATOR_URL",
    ];
    is_told(&terminal, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_of_the_cloud_is_examined() {
    let mut terminal = installed().await;
    let mut simulator = terminal.start(&["simulate", "--listen", "127.0.0.1:0"]);
    let url = simulator.after("simulated vehicle cloud at ").await;
    terminal.export("KEYLEND_SIMULATOR_URL", &url);
    terminal.run(&["doctor"]).await.well();
    for (part, versions) in
        [("AUTH", "v3-first"), ("IAM", "v3-first"), ("API_V3", "v3"), ("API", "v2.0")]
    {
        let setting = format!("KEYLEND_SMARTCAR_{part}_ORIGIN");
        let mut command = terminal.command(&["doctor"]);
        command.env(setting, "http://127.0.0.1:9").env("KEYLEND_SMARTCAR_API_VERSIONS", versions);
        let printed = command.output().await.unwrap();
        let said = String::from_utf8(printed.stdout).unwrap();
        assert_eq!(printed.status.code(), Some(1), "{part}: {said}");
        assert!(
            said.contains("✗ vehicle cloud: ") && said.contains("cannot be reached"),
            "{part}: {said}"
        );
    }
    assert!(simulator.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_told_from_a_cloud_that_is_away() {
    let refuse = || async { (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cloud = axum::serve(listener, Router::new().fallback(refuse));
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(cloud.into_future());
    let mut terminal = installed().await;
    terminal.export("KEYLEND_SIMULATOR_URL", &url);
    terminal.export("KEYLEND_SMARTCAR_CLIENT_ID", "ours");
    terminal.export("KEYLEND_SMARTCAR_CLIENT_SECRET", "hunter2");
    let expected = ["refuses the application", "correct KEYLEND_SMARTCAR_CLIENT_ID and …_SECRET"];
    is_told(&terminal, &expected).await;
    let examined = terminal.run(&["doctor"]).await.ended(1);
    assert!(!examined.contains("hunter2"), "{examined}");
}

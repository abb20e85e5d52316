//! Strangers who look at the measurements of a service, to learn how many there are and what they do.

use crate::support::{Actor, Terminal};

/// What follows `address=` in a line of the log.
fn url(rest_of_line: &str) -> String {
    format!("http://{}", rest_of_line.split(' ').next().unwrap())
}

#[tokio::test]
async fn what_operators_see_is_not_shown_where_clients_are() {
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:9");
    terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
    terminal.export("KEYLEND_PUBLIC_URL", "http://127.0.0.1:8080");
    terminal.export("KEYLEND_OPERATIONS_LISTEN", "127.0.0.1:0");
    let mut service = terminal.start(&["serve", "--create"]);
    let operators = url(&service.logged_after("listening for operators address=").await);
    let clients = url(&service.logged_after("listening address=").await);
    let [operator, stranger] = [operators, clients].map(|url| Actor::visiting(&url));

    for path in ["/metrics", "/readyz"] {
        stranger.get(path).await.expect_problem(404, "not_found");
        assert!([200, 503].contains(&operator.get(path).await.status), "{path}");
    }
    let metrics = operator.get("/metrics").await.expect(200).body;
    assert!(metrics.as_str().is_some_and(|text| text.contains("# TYPE")), "{metrics}");
    for somebody in [&stranger, &operator] {
        somebody.get("/healthz").await.expect(200);
    }
    // Nobody signs in where only operators are.
    operator.get("/v1/users/me").await.expect_problem(404, "not_found");
    operator.get("/docs/").await.expect_problem(404, "not_found");
    let described = stranger.get("/openapi.json").await.expect(200).body;
    assert!(described["paths"]["/healthz"].is_object());
    assert!(described["paths"]["/metrics"].is_null(), "what is not there is described");
    assert!(service.terminate().await.success());
}

//! A page of a stranger in the browser of a developer, who runs a simulator beside it.

use reqwest::{Method, RequestBuilder};

use crate::support::Terminal;
use crate::support::app::http_client;

/// What the page wants: to be told what cars do.
const WEBHOOK: &str = r#"{"url": "http://127.0.0.1:9/"}"#;

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_use_the_controls_of_a_simulator() {
    let terminal = Terminal::open();
    let mut cloud = terminal.start(&["simulate", "--listen", "127.0.0.1:0"]);
    let url = cloud.after("simulated vehicle cloud at").await;
    let ask = |method, path: &str| http_client().request(method, format!("{url}{path}"));
    // A name that was made to mean this machine.
    for name in ["cars.attacker.example", "localhost.attacker.example", "10.0.0.5:8090", ""] {
        let by_name = ask(Method::GET, "/_sim/vehicles").header("host", name);
        assert!([400, 404].contains(&status(by_name).await), "{name}");
    }
    for name in ["localhost", "LOCALHOST:8090", "127.0.0.1", "[::1]:8090"] {
        let own = ask(Method::GET, "/_sim/vehicles").header("host", name);
        assert_eq!(status(own).await, 200, "{name}");
    }
    // What a form or a script can send without being asked first.
    let forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];
    for media_type in forms.into_iter().map(Some).chain([None]) {
        let mut form = ask(Method::POST, "/_sim/webhooks").body(WEBHOOK);
        if let Some(media_type) = media_type {
            form = form.header("content-type", media_type);
        }
        assert_eq!(status(form).await, 400, "{media_type:?}");
    }
    assert!(cloud.terminate().await.success());
}

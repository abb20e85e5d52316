//! A page with a completion code that is loaded again: by the browser that consented, and by somebody who knows its
//! address, such as the one who started the connection.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::json;

use crate::support::{Actor, Reply, TestApp, on_both};

const HTML: &str = "text/html";
const JSON: &str = "application/json";

/// The address to which the vehicle cloud sends the browser of somebody who consents.
async fn consents(app: &TestApp, started: &Reply) -> String {
    let consent = app.http.get(started.text("authorize_url")).send().await.unwrap();
    let back = consent.headers()["location"].to_str().unwrap();
    back.replace("http://keylend.test", app.url())
}

async fn started(owner: &Actor, more: serde_json::Value) -> Reply {
    owner.post("/v1/connections", more).await.expect(201)
}

/// A browser that comes to this address, with this cookie if it has one.
async fn load(app: &TestApp, address: &str, accept: &str, cookie: Option<&str>) -> Reply {
    let mut request = Actor::nobody(app).request(Method::GET, address).header("accept", accept);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Reply::read(request.send().await.unwrap()).await
}

/// The cookie that a browser was given, as it sends it.
fn cookie(reply: &Reply) -> String {
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    cookie.split_once(';').unwrap().0.to_owned()
}

on_both! {
    async fn the_browser_that_consented_is_told_the_same_again_and_no_other(app) {
        let owner = app.member("owner").await;
        let address = consents(app, &started(&owner, json!({})).await).await;
        let first = load(app, &address, JSON, None).await.expect(200);
        let set = first.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(set.starts_with("__Host-keylend-consent=kl_browser_"), "{set}");
        for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=300"] {
            assert!(set.split("; ").any(|found| found == part), "{set}: {part}");
        }
        let own = cookie(&first);
        let again = load(app, &address, JSON, Some(&format!("theme=dark; {own}"))).await.expect(200);
        assert_eq!(again.body, first.body);
        assert!(!again.headers.contains_key("set-cookie"));
        let page = load(app, &address, HTML, Some(&own)).await.expect(200);
        let code = first.text("completion_code");
        assert!(page.body.as_str().unwrap().contains(&format!("{} {}", &code[..4], &code[4..])));

        // Who knows the address, because they started the connection, and another browser with a code of its own.
        let other = consents(app, &started(&app.member("other").await, json!({})).await).await;
        let other = load(app, &other, JSON, None).await.expect(200);
        let made_up = format!("__Host-keylend-consent=kl_browser_{}", "A".repeat(43));
        let renamed = own.replace("__Host-", "");
        for wrong in [None, Some(cookie(&other)), Some(made_up), Some(renamed), Some("__Host-keylend-consent=".into())] {
            let refused = load(app, &address, JSON, wrong.as_deref()).await;
            refused.expect_problem(409, "consent_not_pending");
            let page = load(app, &address, HTML, wrong.as_deref()).await.expect(409);
            assert!(page.body.as_str().unwrap().contains("start again in the app"), "{}", page.body);
        }
        let dump = app.dump().await;
        let secret = own.split_once('=').unwrap().1.to_owned();
        for text in [&code, &secret] {
            assert!(!dump.windows(text.len()).any(|bytes| bytes == text.as_bytes()), "{text}");
        }
    }

    async fn a_page_is_told_again_as_long_as_the_code_lives(app) {
        let owner = app.member("owner").await;
        let address = consents(app, &started(&owner, json!({})).await).await;
        let first = load(app, &address, JSON, None).await.expect(200);
        // Completed or not.
        owner.complete(&first).await.expect(200);
        let again = load(app, &address, JSON, Some(&cookie(&first))).await.expect(200);
        assert_eq!(again.body, first.body);
        owner.complete(&again).await.expect(200);
        app.advance(Duration::from_secs(5 * 60));
        let late = load(app, &address, JSON, Some(&cookie(&first))).await;
        late.expect_problem(409, "consent_not_pending");
    }

    async fn a_consent_that_ended_is_told_no_more(app) {
        let owner = app.member("owner").await;
        let address = consents(app, &started(&owner, json!({})).await).await;
        let first = load(app, &address, JSON, None).await.expect(200);
        let path = format!("/v1/connections/{}", first.text("connection_id"));
        owner.delete(&path).await.expect(200);
        let late = load(app, &address, JSON, Some(&cookie(&first))).await;
        late.expect_problem(409, "consent_not_pending");
    }

    async fn a_browser_is_sent_to_the_app_again_if_the_app_is_still_listed(app) {
        let (admin, owner) = (app.admin().await, app.member("owner").await);
        let back = "https://app.example/back";
        let list = async |urls: &[&str]| {
            admin.put("/v1/organization/return-urls", json!({ "return_urls": urls })).await.expect(200)
        };
        list(&[back]).await;
        let address = consents(app, &started(&owner, json!({ "return_url": back })).await).await;
        let first = load(app, &address, HTML, None).await.expect(303);
        let again = load(app, &address, HTML, Some(&cookie(&first))).await.expect(303);
        assert_eq!(again.headers["location"], first.headers["location"]);
        list(&[]).await;
        let page = load(app, &address, JSON, Some(&cookie(&first))).await.expect(200);
        let sent = Url::parse(first.headers["location"].to_str().unwrap()).unwrap();
        let (_, code) = sent.query_pairs().find(|(name, _)| name == "completion_code").unwrap();
        assert_eq!(page.text("completion_code"), code);
    }
}

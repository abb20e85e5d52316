//! Apps that have the browser back after a consent: the code goes to an address that an administrator listed, and to
//! no other.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

const PATH: &str = "/v1/organization/return-urls";
const BACK: &str = "https://app.example/cars/connected";

async fn list(admin: &Actor, urls: Value) -> Reply {
    admin.put(PATH, json!({ "return_urls": urls })).await
}

async fn start(owner: &Actor, return_url: &str) -> Reply {
    owner.post("/v1/connections", json!({ "return_url": return_url })).await
}

/// What the vehicle cloud is to bring back with the browser.
fn state(started: &Reply) -> String {
    let url = Url::parse(&started.text("authorize_url")).unwrap();
    url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

/// A browser that comes back with this and asks for a page.
async fn comes_back(app: &TestApp, query: &[(&str, &str)]) -> Reply {
    let request = Actor::nobody(app).request(Method::GET, "/v1/connections/callback");
    let request = request.query(query).header("accept", "text/html,application/xhtml+xml");
    Reply::read(request.send().await.unwrap()).await
}

/// Where the browser is sent: the address without what was added, and that.
fn sent_to(reply: &Reply) -> (String, Vec<(String, String)>) {
    let mut url = Url::parse(reply.headers["location"].to_str().unwrap()).unwrap();
    let added = url.query_pairs().into_owned().collect();
    url.set_query(None);
    (url.into(), added)
}

on_both! {
    async fn the_app_has_the_code_at_an_address_that_is_listed(app) {
        let (admin, owner) = (app.admin().await, app.member("owner").await);
        list(&admin, json!([BACK, "http://localhost:3000/back"])).await.expect(200);
        let started = start(&owner, BACK).await.expect(201);
        let connection_id = started.text("connection_id");
        let shown = owner.get(&format!("/v1/connections/{connection_id}")).await.expect(200);
        assert_eq!(shown.text("return_url"), BACK);
        // Whatever the browser accepts.
        let sent = app.pass_consent(&started.text("authorize_url")).await.expect(303);
        assert_eq!(sent.headers["cache-control"], "no-store");
        assert_eq!(sent.headers["referrer-policy"], "no-referrer");
        let (address, added) = sent_to(&sent);
        assert_eq!(address, BACK);
        assert_eq!(added[0], ("connection_id".to_owned(), connection_id));
        assert_eq!((added[1].0.as_str(), added[1].1.len(), added.len()), ("completion_code", 8, 2));
        let path = format!("/v1/connections/{}/complete", added[0].1);
        let code = json!({ "completion_code": added[1].1 });
        app.member("mallory").await.post(&path, code.clone()).await.expect_problem(404, "not_found");
        let completed = owner.post(&path, code).await.expect(200);
        assert_eq!(completed.body["vehicles"].as_array().unwrap().len(), 3);
    }

    async fn the_app_is_told_in_a_word_why_there_is_no_consent(app) {
        let (admin, owner) = (app.admin().await, app.member("owner").await);
        list(&admin, json!([BACK])).await.expect(200);
        for (query, word) in [
            (("error", "access_denied"), "access_denied"),
            (("error", "<script>&x=1"), "unreadable"),
            (("code", "made-up"), "consent_lost"),
        ] {
            let started = start(&owner, BACK).await.expect(201);
            let connection_id = started.text("connection_id");
            let sent = comes_back(app, &[("state", &state(&started)), query]).await.expect(303);
            let told = vec![("connection_id".to_owned(), connection_id), ("error".to_owned(), word.to_owned())];
            assert_eq!(sent_to(&sent), (BACK.to_owned(), told), "{query:?}");
        }
    }

    async fn a_code_goes_to_no_address_that_is_not_listed(app) {
        let (admin, owner) = (app.admin().await, app.member("owner").await);
        let elsewhere = app.foreigner().await;
        list(&elsewhere, json!([BACK])).await.expect(200);
        let refused = start(&owner, BACK).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], "not_listed");
        assert!(refused.text("code") == "validation_failed"
            && refused.body["errors"][0]["detail"].as_str().unwrap().contains(PATH), "{}", refused.body);
        list(&admin, json!([BACK])).await.expect(200);
        for near in [
            "https://app.example/cars/connected/more",
            "https://app.example/cars",
            "https://app.example:8443/cars/connected",
            "https://sub.app.example/cars/connected",
            "https://app.example/cars/connected?next=https://evil.example/",
            "https://app.example/cars/connected#x",
            "https://app.example@evil.example/cars/connected",
            "http://app.example/cars/connected",
            "HTTPS://app.example/cars/connected",
            "javascript:alert(1)",
        ] {
            start(&owner, near).await.expect_problem(422, "validation_failed");
        }
        // One that was taken from the list while the owner was away.
        let started = start(&owner, BACK).await.expect(201);
        list(&admin, json!([])).await.expect(200);
        let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
        owner.complete(&received).await.expect(200);
    }

    async fn administrators_say_which_addresses_these_are(app) {
        let (admin, owner) = (app.admin().await, app.member("owner").await);
        list(&owner, json!([BACK])).await.expect_problem(403, "admin_only");
        owner.get(PATH).await.expect_problem(403, "admin_only");
        let other = "https://app.example/a";
        let listed = list(&admin, json!([BACK, other, BACK])).await.expect(200);
        assert_eq!(listed.body, json!({ "return_urls": [other, BACK] }));
        assert_eq!(admin.get(PATH).await.expect(200).body, listed.body);
        // All that is wrong is said at once, and nothing is changed.
        let wrong = json!(["https://ok.example/", "http://app.example/", "https://APP.example/"]);
        let refused = list(&admin, wrong).await.expect_problem(422, "validation_failed");
        let pointers = ["/return_urls/1", "/return_urls/2"];
        for (error, pointer) in refused.body["errors"].as_array().unwrap().iter().zip(pointers) {
            assert_eq!(error["pointer"], pointer);
        }
        let many: Vec<String> = (0..21).map(|n| format!("https://app.example/{n}")).collect();
        list(&admin, json!(many)).await.expect_problem(422, "validation_failed");
        assert_eq!(admin.get(PATH).await.expect(200).body, listed.body);
        list(&admin, json!(many[..20])).await.expect(200);
        assert_eq!(admin.get(PATH).await.expect(200).body["return_urls"].as_array().unwrap().len(), 20);
        let entries = admin.get("/v1/audit-entries?event=return_urls.replaced").await.expect(200);
        assert_eq!(entries.body["data"][0]["details"], json!({ "count": 20 }));
        assert_eq!(entries.list("event").len(), 2);
    }
}

//! Owners' consents at the vehicle cloud: coming back from it, coming back wrongly, and losing it.

use std::time::Duration;

use keylend::config::{ApiVersions, Config};
use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, TestApp, on_both};

/// The cloud's access tokens live for two hours.
const BEYOND_TOKENS: Duration = Duration::from_secs(3 * 60 * 60);

async fn start(owner: &Actor) -> (String, String) {
    let started = owner.post("/v1/connections", json!({})).await.expect(201);
    assert_eq!(started.text("status"), "pending");
    (started.text("connection_id"), started.text("authorize_url"))
}

/// The value of a parameter of an address.
fn parameter(address: &str, name: &str) -> String {
    let url = reqwest::Url::parse(address).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// The browser comes back with these parameters.
async fn come_back(app: &TestApp, parameters: &[(&str, &str)]) -> Reply {
    let url = format!("{}/v1/connections/callback", app.url());
    let request = app.http.get(url).query(parameters).header("accept", "application/json");
    Reply::read(request.send().await.unwrap()).await
}

/// The owner says no on the cloud's own page.
async fn deny(app: &TestApp, authorize_url: &str) -> Reply {
    let url = reqwest::Url::parse(authorize_url).unwrap();
    let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    form.push(("decision".to_owned(), "deny".to_owned()));
    let page = format!("{}/oauth/authorize", app.cloud.url);
    let answer = app.http.post(page).form(&form).send().await.unwrap();
    let back = answer.headers()["location"].to_str().unwrap().to_owned();
    let back = back.replace("http://keylend.test", app.url());
    Reply::read(app.http.get(back).send().await.unwrap()).await
}

async fn status(actor: &Actor, connection_id: &str) -> (String, Value) {
    let connection = actor.get(&format!("/v1/connections/{connection_id}")).await.expect(200);
    (connection.text("status"), connection.body["status_reason"].clone())
}

on_both! {
    async fn an_owner_comes_back_and_the_cars_are_there(app) {
        let (owner, stranger) = (app.member("owner").await, app.stranger().await);
        let (connection_id, authorize_url) = start(&owner).await;
        assert!(owner.get("/v1/vehicles").await.expect(200).list("make").is_empty());
        let back = app.pass_consent(&authorize_url).await.expect(200);
        assert_eq!(back.text("connection_id"), connection_id);
        assert_eq!(status(&owner, &connection_id).await.0, "consented");
        assert!(owner.get("/v1/vehicles").await.expect(200).list("make").is_empty());
        let complete = owner.complete(&back).await.expect(200);
        assert_eq!(complete.body["vehicles"].as_array().unwrap().len(), 3, "{}", complete.body);
        assert_eq!(complete.body["not_connected"], json!([]));
        assert_eq!(status(&owner, &connection_id).await, ("active".to_owned(), Value::Null));

        let cars = owner.get("/v1/vehicles").await.expect(200);
        let mut makes = cars.list("make");
        makes.sort();
        assert_eq!(makes, ["BMW", "TESLA", "VOLKSWAGEN"]);
        for car in cars.body["data"].as_array().unwrap() {
            assert_eq!(car["owner_id"], owner.id);
            assert_eq!(car["connection_id"], connection_id);
            let permissions = json!(["control_security", "read_security", "read_vehicle_info"]);
            assert_eq!(car["permissions"], permissions);
            assert!(car["year"].as_i64().unwrap() > 2000);
            let path = format!("/v1/vehicles/{}", car["vehicle_id"].as_str().unwrap());
            assert_eq!(owner.get(&path).await.expect(200).body, *car);
            stranger.get(&path).await.expect_problem(404, "not_found");
        }
        let text = owner.get(&format!("/v1/connections/{connection_id}")).await.body.to_string();
        assert!(!text.contains("token") && !text.contains("authorize_url"), "{text}");
    }

    async fn a_person_who_was_sent_to_consent_reads_to_whom_the_car_went(app) {
        let owner = app.member("owner").await;
        let (_, authorize_url) = start(&owner).await;
        let consent = app.http.get(authorize_url).send().await.unwrap();
        let back = consent.headers()["location"].to_str().unwrap().to_owned();
        let back = app.http.get(back.replace("http://keylend.test", app.url()));
        let page = back.header("accept", "text/html").send().await.unwrap().text().await.unwrap();
        let email = owner.get("/v1/users/me").await.expect(200).text("email");
        assert!(page.contains(&email) && page.contains("tell nobody"), "{page}");
    }

    async fn a_browser_without_a_consent_under_way_is_refused(app) {
        let owner = app.member("owner").await;
        let foreign = come_back(app, &[("state", "never given out"), ("code", "c")]).await;
        foreign.expect_problem(409, "consent_not_pending");
        let none = come_back(app, &[("code", "c")]).await;
        none.expect_problem(422, "validation_failed");

        let (_, authorize_url) = start(&owner).await;
        let state = parameter(&authorize_url, "state");
        let no_code = come_back(app, &[("state", &state)]).await;
        no_code.expect_problem(422, "validation_failed");
        let received = app.pass_consent(&authorize_url).await.expect(200);
        owner.complete(&received).await.expect(200);
        let used = app.pass_consent(&authorize_url).await;
        used.expect_problem(409, "consent_not_pending");
        let used = come_back(app, &[("state", &state), ("error", "access_denied")]).await;
        used.expect_problem(409, "consent_not_pending");
        assert_eq!(owner.get("/v1/vehicles").await.expect(200).list("make").len(), 3);
    }

    async fn a_consent_is_under_way_for_half_an_hour(app) {
        let owner = app.member("owner").await;
        let (connection_id, authorize_url) = start(&owner).await;
        app.advance(Duration::from_secs(31 * 60));
        app.pass_consent(&authorize_url).await.expect_problem(409, "consent_not_pending");
        let owner = again(app, &owner, "owner").await;
        assert!(owner.get("/v1/vehicles").await.expect(200).list("make").is_empty());
        assert_ne!(status(&owner, &connection_id).await.0, "active");
    }

    async fn an_owner_who_says_no_has_said_no(app) {
        let owner = app.member("owner").await;
        let (connection_id, authorize_url) = start(&owner).await;
        deny(app, &authorize_url).await.expect_problem(409, "consent_lost");
        let denied = ("failed".to_owned(), json!("access_denied"));
        assert_eq!(status(&owner, &connection_id).await, denied);
        app.pass_consent(&authorize_url).await.expect_problem(409, "consent_not_pending");

        let (connection_id, authorize_url) = start(&owner).await;
        let state = parameter(&authorize_url, "state");
        let odd = come_back(app, &[("state", &state), ("error", "<b>\r\n\0")]).await;
        odd.expect_problem(409, "consent_lost");
        let odd = ("failed".to_owned(), json!("unreadable"));
        assert_eq!(status(&owner, &connection_id).await, odd);
        assert!(owner.get("/v1/vehicles").await.expect(200).list("make").is_empty());

        let path = "/v1/audit-entries?event=connection.failed";
        let failed = app.admin().await.get(path).await.expect(200);
        assert_eq!(failed.body["data"][1]["details"]["reason"], "access_denied");
    }

    async fn a_code_that_the_cloud_does_not_know_connects_nothing(app) {
        let owner = app.member("owner").await;
        let (connection_id, authorize_url) = start(&owner).await;
        let state = parameter(&authorize_url, "state");
        let refused = come_back(app, &[("state", &state), ("code", "made up")]).await;
        assert!((400..=503).contains(&refused.status), "{}", refused.body);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(status(&owner, &connection_id).await.0, "failed");
        assert!(owner.get("/v1/vehicles").await.expect(200).list("make").is_empty());
    }

    async fn connecting_again_keeps_the_cars_and_their_grants(app) {
        let (mut owner, guest) = (app.owner().await, app.guest().await);
        let before = owner.vehicles.clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        app.connect(&mut owner).await;
        assert_eq!(owner.vehicles, before);
        holder.command(&before[0], "unlock").await.expect(200);
    }

    async fn other_people_do_not_see_a_consent(app) {
        let owner = app.member("owner").await;
        let (connection_id, _) = start(&owner).await;
        let path = format!("/v1/connections/{connection_id}");
        app.stranger().await.get(&path).await.expect_problem(404, "not_found");
        app.foreigner().await.get(&path).await.expect_problem(404, "not_found");
    }
}

/// API v2.0, where a consent is a pair of tokens.
fn by_tokens(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V2Only;
}

on_both! { as by_tokens;
    async fn a_consent_that_was_taken_back_ends_what_rests_on_it(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let changes = json!({ "not_after": "2026-07-01T17:00:00Z" });
        let grant_id = owner.lend_with(app, &guest, changes).await.expect(201).text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        let path = format!("/v1/vehicles/{car}");
        let connection_id = owner.get(&path).await.expect(200).text("connection_id");
        app.cloud.forget_consents().await;
        app.advance(BEYOND_TOKENS);

        let failed = holder.command(&car, "unlock").await.expect(409).command();
        assert_eq!(failed.text("status"), "failed");
        assert_eq!(failed.body["reasons"][0], "consent_lost", "{}", failed.body);
        let owner = again(app, &owner, "owner").await;
        assert_eq!(status(&owner, &connection_id).await.0, "lost");
        let refused = holder.command(&car, "unlock").await.expect_problem(403, "consent_lost");
        assert_eq!(refused.body["reasons"], json!(["consent_lost"]));
        owner.command(&car, "lock").await.expect_problem(403, "consent_lost");
        assert!(app.cloud.journal().await.is_empty());
        let path = "/v1/audit-entries?event=connection.lost";
        let lost = app.admin().await.get(path).await.expect(200);
        assert_eq!(lost.list("event").len(), 1);
        assert_eq!(lost.body["data"][0]["details"]["connection_id"], connection_id);

        // The owner connects again, and what was lent works again when they say so.
        let mut owner = owner;
        app.connect(&mut owner).await;
        holder.command(&car, "unlock").await.expect_problem(403, "consent_returned");
        owner.post(&format!("/v1/grants/{grant_id}/confirm"), json!({})).await.expect(200);
        holder.command(&car, "unlock").await.expect(200);
    }

    async fn the_clouds_tokens_are_renewed_once_for_everybody(app) {
        let owner = app.owner().await;
        app.advance(BEYOND_TOKENS);
        let owner = again(app, &owner, "owner").await;
        let cars = owner.vehicles.iter().cycle().take(9);
        let commands = cars.map(|car| owner.command(car, "unlock"));
        for reply in futures_util::future::join_all(commands).await {
            assert_eq!(reply.expect(200).text("status"), "acknowledged");
        }
        assert_eq!(app.cloud.journal().await.len(), 9);
        let path = "/v1/audit-entries?event=connection.refreshed";
        assert_eq!(app.admin().await.get(path).await.expect(200).list("event").len(), 1);
    }
}

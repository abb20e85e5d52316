//! Somebody who starts a connection and sends another person's browser to the consent page: the cars stay with
//! whoever consented, because the code that completes it is in that browser alone.

use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

async fn start(actor: &Actor) -> Reply {
    actor.post("/v1/connections", json!({})).await.expect(201)
}

async fn complete(actor: &Actor, connection_id: &str, code: &str) -> Reply {
    let path = format!("/v1/connections/{connection_id}/complete");
    actor.post(&path, json!({ "completion_code": code })).await
}

async fn cars(actor: &Actor) -> Vec<String> {
    actor.get("/v1/vehicles").await.expect(200).list("vehicle_id")
}

async fn status(app: &TestApp, connection_id: &str) -> (String, Value) {
    let connection = app.admin().await.get(&format!("/v1/connections/{connection_id}")).await;
    let connection = connection.expect(200);
    (connection.text("status"), connection.body["status_reason"].clone())
}

/// Another code than the right one.
fn wrong(received: &Reply, number: usize) -> String {
    let right: usize = received.text("completion_code").parse().unwrap();
    format!("{:08}", (right + 1 + number) % 100_000_000)
}

on_both! {
    async fn the_consent_of_somebody_elses_browser_brings_no_car(app) {
        let mallory = app.member("mallory").await;
        let started = start(&mallory).await;
        let connection_id = started.text("connection_id");
        // The victim follows the address that mallory sent, and consents.
        let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
        assert!(cars(&mallory).await.is_empty());
        for number in 0..5 {
            let guess = complete(&mallory, &connection_id, &wrong(&received, number)).await;
            guess.expect_problem(409, "completion_code_wrong");
        }
        let late = complete(&mallory, &connection_id, &received.text("completion_code")).await;
        late.expect_problem(409, "consent_not_pending");
        assert!(cars(&mallory).await.is_empty());
        assert_eq!(status(app, &connection_id).await, ("failed".to_owned(), json!("not_completed")));
        let path = "/v1/audit-entries?event=connection.code_refused";
        assert_eq!(app.admin().await.get(path).await.expect(200).list("event").len(), 5);
    }

    async fn a_code_completes_the_connection_of_who_started_it_alone(app) {
        let (owner, mallory) = (app.member("owner").await, app.member("mallory").await);
        let started = start(&owner).await;
        let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
        let (connection_id, code) = (received.text("connection_id"), received.text("completion_code"));
        for other in [&mallory, &app.admin().await, &app.foreigner().await] {
            complete(other, &connection_id, &code).await.expect_problem(404, "not_found");
        }
        let spaced = format!(" {} {} ", &code[..4], &code[4..]);
        complete(&owner, &connection_id, &spaced).await.expect(200);
        assert_eq!(cars(&owner).await.len(), 3);
        // Neither the record nor the database has it.
        let dump = app.dump().await;
        assert!(!dump.windows(code.len()).any(|bytes| bytes == code.as_bytes()));
    }

    async fn a_code_is_worth_something_for_five_minutes(app) {
        let owner = app.member("owner").await;
        let received = app.pass_consent(&start(&owner).await.text("authorize_url")).await.expect(200);
        app.advance(std::time::Duration::from_secs(5 * 60));
        owner.complete(&received).await.expect_problem(409, "consent_not_pending");
        assert_eq!(app.cloud.consented_cars().await, 3);
        let forgotten = keylend::service::connections::unfinished::forget_unfinished(app.service()).await;
        assert_eq!(forgotten.unwrap(), 1);
        let failed = ("failed".to_owned(), json!("not_completed"));
        assert_eq!(status(app, &received.text("connection_id")).await, failed);
        // Nothing stays shared that nobody uses.
        assert_eq!(app.cloud.consented_cars().await, 0);
    }

    async fn what_another_connection_has_is_not_ended_with_a_consent_that_nobody_completed(app) {
        let (owner, mallory) = (app.owner().await, app.member("mallory").await);
        app.pass_consent(&start(&mallory).await.text("authorize_url")).await.expect(200);
        app.advance(std::time::Duration::from_secs(5 * 60));
        let forgotten = keylend::service::connections::unfinished::forget_unfinished(app.service()).await;
        assert_eq!(forgotten.unwrap(), 1);
        owner.command(&owner.vehicles[0], "unlock").await.expect(200);
    }

    async fn a_connection_that_was_ended_never_completes(app) {
        let owner = app.member("owner").await;
        let started = start(&owner).await;
        let path = format!("/v1/connections/{}", started.text("connection_id"));
        let ended = owner.delete(&path).await.expect(200);
        assert_eq!((ended.text("status"), ended.text("status_reason")), ("failed".into(), "disconnected".into()));
        let late = app.pass_consent(&started.text("authorize_url")).await;
        late.expect_problem(409, "consent_not_pending");

        let started = start(&owner).await;
        let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
        let path = format!("/v1/connections/{}", started.text("connection_id"));
        assert_eq!(owner.delete(&path).await.expect(200).body["ended_upstream"], true);
        assert_eq!(app.cloud.consented_cars().await, 0);
        owner.complete(&received).await.expect_problem(409, "consent_not_pending");

        let started = start(&owner).await;
        let close = format!("/v1/users/{}/disable", owner.id);
        app.admin().await.post(&close, json!({})).await.expect(200);
        let late = app.pass_consent(&started.text("authorize_url")).await;
        late.expect_problem(409, "consent_not_pending");
        assert!(cars(&app.admin().await).await.is_empty());
    }

    async fn a_car_has_one_owner_in_an_organization(app) {
        let (owner, second) = (app.owner().await, app.member("second").await);
        let guest = app.guest().await;
        let grant_id = owner.lend(app, &guest).await;
        let started = start(&second).await;
        let taken = app.consent(&second, &started).await;
        assert_eq!(taken.body["vehicle_ids"], json!([]));
        assert_eq!(taken.body["not_connected"].as_array().unwrap().len(), 3, "{}", taken.body);
        guest.command(&owner.vehicles[0], "unlock").await.expect(200);

        // The first owner takes the consent back at the cloud; asked now, it is dead, and the cars move.
        app.cloud.withdraw_consents().await;
        let started = start(&second).await;
        let moved = app.consent(&second, &started).await;
        assert_eq!(moved.body["vehicles"].as_array().unwrap().len(), 3, "{}", moved.body);
        assert_eq!(moved.body["not_connected"], json!([]));
        let gone = owner.command(&owner.vehicles[0], "unlock").await;
        gone.expect_problem(403, "vehicle_removed");
        let grant = owner.get(&format!("/v1/grants/{grant_id}")).await;
        assert_eq!(grant.expect(200).text("status"), "ended");
        second.command(&cars(&second).await[0], "unlock").await.expect(200);
    }
}

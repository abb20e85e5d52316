//! A completion code that is shown more than once: by whom its answer did not reach, by two at the same time, and by
//! others.

use std::time::Duration;

use keylend::service::connections::unfinished::forget_unfinished;
use serde_json::json;

use crate::support::{Actor, Reply, TestApp, on_both};

async fn received(app: &TestApp, actor: &Actor) -> Reply {
    let started = actor.post("/v1/connections", json!({})).await.expect(201);
    app.pass_consent(&started.text("authorize_url")).await.expect(200)
}

/// The same reply with a code that is not the right one.
fn with_another_code(reply: &Reply) -> Reply {
    let right: usize = reply.text("completion_code").parse().unwrap();
    let mut wrong = reply.clone();
    wrong.body["completion_code"] = json!(format!("{:08}", (right + 1) % 100_000_000));
    wrong
}

const CODES: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM connections WHERE completion_hash IS NOT NULL";
const KEPT: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM connections WHERE sealed_consent IS NOT NULL";

on_both! {
    async fn a_code_whose_answer_was_lost_has_the_same_answer_again(app) {
        let owner = app.member("owner").await;
        let given = received(app, &owner).await;
        let first = owner.complete(&given).await.expect(200);
        assert_eq!(first.body["vehicle_ids"].as_array().unwrap().len(), 3);
        let again = owner.complete(&given).await.expect(200);
        assert_eq!(again.body, first.body);
        for other in [app.member("mallory").await, app.admin().await, app.foreigner().await] {
            other.complete(&given).await.expect_problem(404, "not_found");
        }
        // It happened once.
        let path = "/v1/audit-entries?event=connection.completed";
        assert_eq!(app.admin().await.get(path).await.expect(200).list("event").len(), 1);
        assert_eq!(owner.get("/v1/vehicles").await.expect(200).body["data"].as_array().unwrap().len(), 3);
        // Nothing by which the cars could be used is kept for that.
        assert_eq!((app.count(CODES).await, app.count(KEPT).await), (1, 0));
    }

    async fn cars_that_stay_with_others_are_named_again(app) {
        let (owner, second) = (app.owner().await, app.member("second").await);
        let given = received(app, &second).await;
        let first = second.complete(&given).await.expect(200);
        assert_eq!(first.body["not_connected"].as_array().unwrap().len(), 3);
        assert_eq!(second.complete(&given).await.expect(200).body, first.body);
        // It goes with the code.
        assert_eq!(app.count(KEPT).await, 1);
        app.advance(Duration::from_secs(5 * 60));
        second.complete(&given).await.expect_problem(409, "consent_not_pending");
        assert_eq!(forget_unfinished(app.service()).await.unwrap(), 0);
        assert_eq!((app.count(CODES).await, app.count(KEPT).await), (0, 0));
        owner.command(&owner.vehicles[0], "unlock").await.expect(200);
    }

    async fn wrong_codes_after_the_right_one_end_nothing_and_are_counted(app) {
        let owner = app.member("owner").await;
        let given = received(app, &owner).await;
        owner.complete(&given).await.expect(200);
        for _ in 0..4 {
            let wrong = owner.complete(&with_another_code(&given)).await;
            wrong.expect_problem(409, "completion_code_wrong");
        }
        owner.complete(&given).await.expect_problem(409, "consent_not_pending");
        let path = format!("/v1/connections/{}", given.text("connection_id"));
        assert_eq!(owner.get(&path).await.expect(200).text("status"), "active");
        let failed = "/v1/audit-entries?event=connection.failed";
        assert!(app.admin().await.get(failed).await.expect(200).list("event").is_empty());
        // A connection that ended has no answer any more.
        let given = received(app, &owner).await;
        owner.complete(&given).await.expect(200);
        owner.delete(&format!("/v1/connections/{}", given.text("connection_id"))).await.expect(200);
        owner.complete(&given).await.expect_problem(409, "consent_not_pending");
    }

    async fn two_who_show_a_code_at_once_have_one_answer(app) {
        let owner = app.member("owner").await;
        let given = received(app, &owner).await;
        let (one, other) = tokio::join!(owner.complete(&given), owner.complete(&given));
        assert_eq!(one.expect(200).body, other.expect(200).body);
        let path = "/v1/audit-entries?event=connection.completed";
        assert_eq!(app.admin().await.get(path).await.expect(200).list("event").len(), 1);
    }
}

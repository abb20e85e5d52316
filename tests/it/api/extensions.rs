//! A guest asks to keep a car for longer, and its owner decides.

use std::time::Duration;

use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, TestApp, on_both};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn path(grant_id: &str) -> String {
    format!("/v1/grants/{grant_id}/extension-requests")
}

async fn ask(guest: &Actor, grant_id: &str, not_after: &str) -> Reply {
    let body = json!({ "not_after": not_after, "reason": "A traffic jam." });
    guest.post(&path(grant_id), body).await
}

async fn decide(actor: &Actor, request: &Reply, how: &str) -> Reply {
    let of = path(&request.text("grant_id"));
    actor.post(&format!("{of}/{}/{how}", request.text("extension_request_id")), json!({})).await
}

async fn lent(app: &TestApp) -> (Actor, Actor, String) {
    let (owner, guest) = (app.owner().await, app.guest().await);
    // Until 14:00.
    let grant_id = owner.lend(app, &guest).await;
    (owner, guest, grant_id)
}

on_both! {
    async fn what_the_owner_approves_is_so_and_what_they_decline_is_not(app) {
        let (owner, guest, grant_id) = lent(app).await;
        let holder = guest.holder_of(&grant_id).await;
        let first = ask(&guest, &grant_id, "2026-07-01T15:00:00Z").await.expect(201);
        assert_eq!((first.text("status"), first.text("expires_at")), ("open".into(), "2026-07-01T14:00:00Z".into()));
        let declined = decide(&owner, &first, "decline").await.expect(200);
        assert_eq!((declined.text("status"), &declined.body["decided_at"]), ("declined".into(), &json!("2026-07-01T12:00:00Z")));
        decide(&owner, &first, "decline").await.expect(200);
        decide(&owner, &first, "approve").await.expect_problem(409, "request_ended");
        let second = ask(&guest, &grant_id, "2026-07-01T16:00:00Z").await.expect(201);
        for _ in 0..2 {
            let approved = decide(&owner, &second, "approve").await.expect(200);
            assert_eq!(approved.text("status"), "approved");
        }
        let grant = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!((grant.text("not_after"), &grant.body["version"]), ("2026-07-01T16:00:00Z".into(), &json!(2)));
        let listed = guest.get(&path(&grant_id)).await.expect(200);
        assert_eq!(listed.list("status"), ["approved", "declined"]);
        assert_eq!(listed.list("reason"), ["A traffic jam.", "A traffic jam."]);
        // The key on the phone goes on.
        app.advance(HOUR * 3);
        holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        let events = app.admin().await.events_of(&owner.vehicles[0]).await;
        for (event, count) in [("extension.requested", 2), ("extension.decided", 2), ("grant.amended", 1)] {
            assert_eq!(events.iter().filter(|found| *found == event).count(), count, "{event}");
        }
        app.admin().await.delete(&format!("/v1/users/{}/personal-data", guest.id)).await.expect(200);
        assert_eq!(app.count("SELECT COUNT(*) FROM extension_requests WHERE reason IS NOT NULL").await, 0);
    }

    async fn nobody_approves_what_they_have_not_seen(app) {
        let (owner, guest, grant_id) = lent(app).await;
        let seen = ask(&guest, &grant_id, "2026-07-01T15:00:00Z").await.expect(201);
        let other = ask(&guest, &grant_id, "2026-07-03T15:00:00Z").await.expect(201);
        decide(&owner, &seen, "approve").await.expect_problem(404, "not_found");
        assert_eq!(owner.get(&path(&grant_id)).await.expect(200).list("status"), ["open"]);
        // It is for longer than the grant has by now, or it is for nothing.
        let grant = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        let longer = json!({ "not_after": "2026-07-03T16:00:00Z" });
        owner.patch(&format!("/v1/grants/{grant_id}"), &grant, longer).await.expect(200);
        decide(&owner, &other, "approve").await.expect_problem(409, "request_ended");
        let still = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!(still.text("not_after"), "2026-07-03T16:00:00Z");
    }

    async fn nobody_decides_what_has_expired_or_is_taken(app) {
        let (owner, guest, grant_id) = lent(app).await;
        let vehicle = format!("/v1/vehicles/{}", owner.vehicles[0]);
        let seen = owner.get(&vehicle).await.expect(200);
        owner.patch(&vehicle, &seen, json!({ "sharing": "exclusive" })).await.expect(200);
        let times = json!({ "not_before": "2026-07-01T15:00:00Z", "not_after": "2026-07-01T17:00:00Z" });
        owner.lend_with(app, &app.member("other").await, times).await.expect(201);
        let taken = ask(&guest, &grant_id, "2026-07-01T16:00:00Z").await.expect(201);
        decide(&owner, &taken, "approve").await.expect_problem(409, "window_taken");
        assert_eq!(owner.get(&path(&grant_id)).await.expect(200).list("status"), ["open"]);
        let request = ask(&guest, &grant_id, "2026-07-01T15:00:00Z").await.expect(201);
        app.advance(HOUR * 2);
        let (owner, guest) = (again(app, &owner, "owner").await, again(app, &guest, "guest").await);
        for how in ["approve", "decline"] {
            decide(&owner, &request, how).await.expect_problem(409, "request_ended");
        }
        assert_eq!(owner.get(&path(&grant_id)).await.expect(200).list("status"), ["expired"]);
        ask(&guest, &grant_id, "2026-07-01T18:00:00Z").await.expect_problem(409, "grant_ended");
        // A grant that somebody ends takes its request along.
        let other = owner.lend_with(app, &guest, json!({ "vehicle_id": owner.vehicles[1] })).await.expect(201).text("grant_id");
        ask(&guest, &other, "2026-07-01T18:00:00Z").await.expect(201);
        owner.post(&format!("/v1/grants/{other}/revoke"), json!({})).await.expect(200);
        assert_eq!(owner.get(&path(&other)).await.expect(200).list("status"), ["expired"]);
    }

    async fn what_is_no_request_is_refused(app) {
        let (owner, guest, grant_id) = lent(app).await;
        let (stranger, admin) = (app.stranger().await, app.admin().await);
        for (not_after, code) in [("2026-07-01T14:00:00Z", "not_later"), ("2027-09-01T14:00:00Z", "invalid_validity"), ("soon", "invalid")] {
            let refused = ask(&guest, &grant_id, not_after).await.expect_problem(422, "validation_failed");
            assert_eq!((&refused.body["errors"][0]["pointer"], &refused.body["errors"][0]["code"]), (&json!("/not_after"), &json!(code)));
        }
        for reason in ["", &"x".repeat(501)] {
            let body = json!({ "not_after": "2026-07-01T15:00:00Z", "reason": reason });
            guest.post(&path(&grant_id), body).await.expect_problem(422, "validation_failed");
        }
        for actor in [&owner, &admin] {
            ask(actor, &grant_id, "2026-07-01T15:00:00Z").await.expect_problem(403, "not_the_grantee");
        }
        ask(&stranger, &grant_id, "2026-07-01T15:00:00Z").await.expect_problem(404, "not_found");
        let request = ask(&guest, &grant_id, "2026-07-01T15:00:00Z").await.expect(201);
        for how in ["approve", "decline"] {
            for actor in [&guest, &admin] {
                decide(actor, &request, how).await.expect_problem(403, "not_the_owner");
            }
            decide(&stranger, &request, how).await.expect_problem(404, "not_found");
        }
        stranger.get(&path(&grant_id)).await.expect_problem(404, "not_found");
        // The same request is the same, whatever became of it, and the key of another one is not its key.
        let body = json!({ "not_after": "2026-07-01T15:00:00Z" });
        let once = guest.post_as(&path(&grant_id), "once", body.clone()).await.expect(201);
        decide(&owner, &once, "decline").await.expect(200);
        let again = guest.post_as(&path(&grant_id), "once", body).await.expect(201);
        assert_eq!((&again.body["extension_request_id"], again.text("status")), (&once.body["extension_request_id"], "declined".into()));
        let other = json!({ "not_after": "2026-07-01T16:00:00Z" });
        guest.post_as(&path(&grant_id), "once", other).await.expect_problem(422, "idempotency_key_reused");
        // What is asked again and again is one request.
        for _ in 0..20 {
            ask(&guest, &grant_id, "2026-07-01T15:00:00Z").await.expect(201);
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM extension_requests WHERE decision IS NULL").await, 1);
        let unanswered: Value = guest.get(&path(&grant_id)).await.expect(200).body["data"][0]["decided_at"].clone();
        assert_eq!(unanswered, Value::Null);
    }
}

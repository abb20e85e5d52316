//! Grants: lending a key, what limits it, and every way in which it ends.

use std::time::Duration;

use keylend::clock::Clock;
use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, TestApp, on_both};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn status(actor: &Actor, grant_id: &str) -> (String, Value) {
    let grant = actor.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
    (grant.text("status"), grant.body["end_reason"].clone())
}

/// What is wrong with a grant that cannot be issued: `(pointer, code)` of each violation.
async fn violations(
    app: &TestApp,
    owner: &Actor,
    to: &Actor,
    changes: Value,
) -> Vec<(String, String)> {
    let refused = owner.lend_with(app, to, changes).await;
    let refused = refused.expect_problem(422, "validation_failed");
    let errors = refused.body["errors"].as_array().unwrap();
    let text = |error: &Value, member: &str| error[member].as_str().unwrap().to_owned();
    errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
}

fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

on_both! {
    async fn a_grant_says_what_was_lent(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let metadata = json!({ "booking": 17, "note": "zero \u{0} and \u{1F697}", "deep": [[{}]] });
        let changes = json!({ "label": " Weekend ", "metadata": metadata, "max_uses": 3,
            "entitlements": ["lock", "unlock", "lock"] });
        let issued = owner.lend_with(app, &guest, changes).await.expect(201);
        assert_eq!(issued.text("issuer_id"), owner.id);
        assert_eq!(issued.text("grantee_id"), guest.id);
        assert_eq!(issued.text("vehicle_id"), owner.vehicles[0]);
        assert_eq!(issued.body["entitlements"], json!(["unlock", "lock"]));
        assert_eq!(issued.text("not_before"), "2026-07-01T12:00:00Z");
        assert_eq!(issued.text("not_after"), "2026-07-01T14:00:00Z");
        assert_eq!(issued.text("status"), "active");
        assert_eq!(issued.text("label"), "Weekend");
        assert_eq!(issued.body["metadata"], metadata);
        assert_eq!((&issued.body["max_uses"], &issued.body["uses"]), (&json!(3), &json!(0)));
        let path = format!("/v1/grants/{}", issued.text("grant_id"));
        for reader in [&owner, &guest, &app.admin().await] {
            let mut shown = reader.get(&path).await.expect(200).body;
            assert_eq!(shown.as_object_mut().unwrap().remove("held_by"), Some(json!([])));
            assert_eq!(shown, issued.body);
        }
    }

    async fn a_grant_is_upcoming_then_active_then_ended(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let times = json!({ "not_before": "2026-07-01T13:00:00Z", "not_after": "2026-07-01T14:00:00Z" });
        let grant_id = owner.lend_with(app, &guest, times).await.expect(201).text("grant_id");
        assert_eq!(status(&guest, &grant_id).await, ("upcoming".to_owned(), Value::Null));
        let early = guest.command(&car, "unlock").await.expect_problem(403, "grant_not_yet_valid");
        assert_eq!(early.body["retryable"], true);
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&car, "unlock").await.expect_problem(403, "grant_not_yet_valid");

        app.advance(HOUR);
        let guest = again(app, &guest, "guest").await;
        assert_eq!(status(&guest, &grant_id).await, ("active".to_owned(), Value::Null));
        guest.command(&car, "unlock").await.expect(200);
        app.advance(HOUR - Duration::from_micros(1));
        holder.command(&car, "lock").await.expect(200);

        app.advance(Duration::from_micros(1));
        let guest = again(app, &guest, "guest").await;
        assert_eq!(status(&guest, &grant_id).await, ("ended".to_owned(), json!("expired")));
        guest.command(&car, "unlock").await.expect_problem(403, "grant_expired");
        holder.command(&car, "unlock").await.expect_problem(403, "grant_expired");
        let token = guest.post(&format!("/v1/grants/{grant_id}/token"), json!({})).await;
        token.expect_problem(409, "grant_ended");
        assert_eq!(app.cloud.journal().await.len(), 2);
    }

    async fn a_grant_that_is_revoked_when_its_time_is_over_stays_so_when_the_clock_goes_back(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (car, then) = (owner.vehicles[0].clone(), app.clock.now());
        let times = json!({ "not_after": then.plus(Duration::from_secs(1)) });
        let grant_id = owner.lend_with(app, &guest, times).await.expect(201).text("grant_id");
        app.advance(Duration::from_secs(1));
        // Another instance's clock may still be where this one's was: there the grant is alive.
        let revoked = owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await;
        assert_eq!(revoked.expect(200).body["end_reason"], "revoked");
        app.clock.set_wall(then);
        guest.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
    }

    async fn uses_are_spent_by_opening_and_never_by_closing(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant = owner.lend_with(app, &guest, json!({ "max_uses": 2 })).await.expect(201);
        let grant_id = grant.text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        for _ in 0..2 {
            holder.command(&car, "lock").await.expect(200);
            holder.command(&car, "unlock").await.expect(200);
        }
        let refused = holder.command(&car, "unlock").await.expect_problem(403, "grant_exhausted");
        assert_eq!(refused.body["reasons"], json!(["grant_exhausted"]));
        holder.command(&car, "lock").await.expect(200);
        let grant = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!(grant.body["uses"], 2);
        assert_eq!(grant.text("status"), "active");
        assert_eq!(app.cloud.journal().await.len(), 5);
    }

    async fn a_grant_lasts_at_most_four_hundred_days(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let longest = json!({ "not_after": "2027-08-05T12:00:00Z" });
        owner.lend_with(app, &guest, longest).await.expect(201);
        for not_after in ["2027-08-05T12:00:00.000001Z", "9999-12-30T00:00:00Z",
            "2026-07-01T12:00:00Z", "2026-07-01T11:59:59Z", "0001-01-01T00:00:00Z"] {
            let found = violations(app, &owner, &guest, json!({ "not_after": not_after })).await;
            assert_eq!(found, one("/not_after", "invalid_validity"), "{not_after}");
        }
    }

    async fn a_grant_that_makes_no_sense_is_not_issued(app) {
        let (owner, guest, foreigner) = (app.owner().await, app.guest().await, app.foreigner().await);
        let stranger = app.stranger().await;
        let path = format!("/v1/users/{}/disable", stranger.id);
        app.admin().await.post(&path, json!({})).await.expect(200);
        let unknown = one("/grantee_id", "unknown_user");
        for nobody in [&stranger, &foreigner] {
            assert_eq!(violations(app, &owner, nobody, json!({})).await, unknown);
        }
        let made_up = json!({ "grantee_id": "usr_00000000000000000000000001" });
        assert_eq!(violations(app, &owner, &guest, made_up).await, unknown);
        let to_oneself = violations(app, &owner, &owner, json!({})).await;
        assert_eq!(to_oneself, one("/grantee_id", "is_the_owner"));

        let cases = [
            (json!({ "entitlements": [] }), one("/entitlements", "empty")),
            (json!({ "entitlements": ["fly"] }), one("/entitlements/0", "invalid")),
            (json!({ "max_uses": 0 }), one("/max_uses", "out_of_range")),
            (json!({ "max_uses": 1_000_001 }), one("/max_uses", "out_of_range")),
            (json!({ "label": "" }), one("/label", "invalid")),
            (json!({ "label": "x".repeat(121) }), one("/label", "invalid")),
            (json!({ "metadata": { "k": "x".repeat(4096) } }), one("/metadata", "too_long")),
            (json!({ "metadata": [] }), one("/metadata", "invalid")),
            // The owner did not permit it at the vehicle cloud.
            (json!({ "entitlements": ["read_location", "unlock", "lock"] }),
                one("/entitlements", "permission_missing")),
        ];
        for (changes, expected) in cases {
            let text = changes.to_string();
            assert_eq!(violations(app, &owner, &guest, changes).await, expected, "{text}");
        }
        assert_eq!(app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM grants").await, 0);
    }

    async fn only_the_owner_lends_a_car(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        owner.lend(app, &guest).await;
        for (who, status, code) in [
            (&guest, 403, "not_the_owner"),
            (&app.admin().await, 403, "not_the_owner"),
            (&stranger, 404, "not_found"),
            (&app.foreigner().await, 404, "not_found"),
        ] {
            let mut lender = who.clone();
            lender.vehicles = owner.vehicles.clone();
            let refused = lender.lend_with(app, &stranger, json!({})).await;
            refused.expect_problem(status, code);
        }
        assert_eq!(app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM grants").await, 1);
    }

    async fn the_signed_form_is_for_the_grantee_alone(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let path = format!("/v1/grants/{grant_id}/token");
        let minted = guest.post(&path, json!({})).await.expect(200);
        // The longest validity, and the longest grace.
        assert_eq!(minted.text("expires_at"), "2027-08-06T12:00:00Z");
        owner.post(&path, json!({})).await.expect_problem(403, "not_the_grantee");
        app.stranger().await.post(&path, json!({})).await.expect_problem(404, "not_found");
        app.foreigner().await.post(&path, json!({})).await.expect_problem(404, "not_found");
        // It is a key for a car, and for nothing else.
        let holder = guest.holder_of(&grant_id).await;
        for path in ["/v1/users/me", "/v1/grants", "/v1/vehicles"] {
            holder.get(path).await.expect_problem(401, "token_invalid");
        }
        holder.delete("/v1/sessions/current").await.expect_problem(401, "token_invalid");
    }

    async fn a_key_is_taken_back_once(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        let path = format!("/v1/grants/{grant_id}/revoke");
        guest.post(&path, json!({})).await.expect_problem(403, "not_the_owner");
        app.stranger().await.post(&path, json!({})).await.expect_problem(404, "not_found");
        app.foreigner().await.post(&path, json!({})).await.expect_problem(404, "not_found");
        let long = json!({ "reason": "x".repeat(501) });
        owner.post(&path, long).await.expect_problem(422, "validation_failed");
        let odd = owner.post(&format!("{path}?wait=soon"), json!({})).await;
        let odd = odd.expect_problem(422, "validation_failed");
        assert_eq!(odd.body["errors"][0]["pointer"], "?wait");
        holder.command(&car, "unlock").await.expect(200);

        let drained = format!("{path}?wait=drain");
        let first = owner.post(&drained, json!({ "reason": "plans changed" })).await.expect(200);
        assert_eq!(first.text("ended_at"), "2026-07-01T12:00:00Z");
        app.advance(Duration::from_secs(60));
        let second = owner.post(&path, json!({ "reason": "again" })).await.expect(200);
        assert_eq!(first.body, second.body);
        holder.command(&car, "lock").await.expect_problem(403, "grant_revoked");
        guest.command(&car, "lock").await.expect_problem(403, "grant_revoked");
        let events = owner.events_of(&car).await;
        assert_eq!(events.iter().filter(|event| *event == "grant.revoked").count(), 1);
        let relinquish = format!("/v1/grants/{grant_id}/relinquish");
        let late = guest.post(&relinquish, json!({})).await.expect(200);
        assert_eq!(late.text("end_reason"), "revoked");
    }

    async fn a_guest_gives_a_key_back(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let path = format!("/v1/grants/{grant_id}/relinquish");
        owner.post(&path, json!({})).await.expect_problem(403, "not_the_grantee");
        app.admin().await.post(&path, json!({})).await.expect_problem(403, "not_the_grantee");
        let ended = guest.post(&path, json!({})).await.expect(200);
        assert_eq!(ended.text("end_reason"), "relinquished");
        let refused = guest.command(&owner.vehicles[0], "unlock").await;
        refused.expect_problem(403, "grant_relinquished");
        assert!(app.cloud.journal().await.is_empty());
    }

    async fn people_see_the_grants_that_concern_them(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let first = owner.lend(app, &guest).await;
        let other_car = json!({ "vehicle_id": owner.vehicles[1] });
        let second = owner.lend_with(app, &guest, other_car).await.expect(201).text("grant_id");
        let third = owner.lend(app, &stranger).await;
        let list = async |who: &Actor, query: &str| {
            who.get(&format!("/v1/grants{query}")).await.expect(200).list("grant_id")
        };
        let all = [third.clone(), second.clone(), first.clone()];
        assert_eq!(list(&owner, "").await, all);
        assert_eq!(list(&app.admin().await, "").await, all);
        assert_eq!(list(&guest, "").await, [second.clone(), first.clone()]);
        assert_eq!(list(&stranger, "").await, std::slice::from_ref(&third));
        let foreigner = app.foreigner().await;
        assert!(list(&foreigner, "").await.is_empty());
        let of_car = format!("?vehicle_id={}", owner.vehicles[1]);
        assert_eq!(list(&owner, &of_car).await, std::slice::from_ref(&second));
        let page = owner.get(&format!("/v1/grants{of_car}&limit=1")).await.expect(200);
        assert_eq!(page.body["next_cursor"], Value::Null);
        let page = owner.get("/v1/grants?limit=2").await.expect(200);
        let cursor = page.text("next_cursor");
        assert_eq!(list(&owner, &format!("?limit=2&cursor={cursor}")).await, std::slice::from_ref(&first));

        let path = format!("/v1/grants/{third}");
        guest.get(&path).await.expect_problem(404, "not_found");
        foreigner.get(&path).await.expect_problem(404, "not_found");
    }
}

//! Somebody changes a grant that is not theirs to change: into more for themselves, or behind the owner's back.

use std::time::Duration;

use keylend::clock::Clock;
use keylend::config::Allowance;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, on_both};

async fn change(actor: &Actor, grant_id: &str, changes: Value) -> Reply {
    let request = actor.request(Method::PATCH, &format!("/v1/grants/{grant_id}"));
    let request = request.header("if-match", "*").json(&changes);
    Reply::read(request.send().await.unwrap()).await
}

/// Changes of each kind, with what they do.
fn widenings() -> [Value; 6] {
    [
        json!({ "not_after": "2026-07-02T12:00:00Z" }),
        json!({ "entitlements": ["unlock", "lock", "read_location"] }),
        json!({ "max_uses": null }),
        json!({ "max_uses": 4 }),
        json!({ "entitlements": ["lock"], "not_after": "2026-07-02T12:00:00Z" }),
        json!({ "external_ref": "another booking" }),
    ]
}

on_both! {
    async fn only_the_owner_lets_a_grant_allow_more(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let (support, mallory) = (app.officer("support").await, app.member("mallory").await);
        let grant = owner.lend_with(app, &guest, json!({ "max_uses": 3 })).await.expect(201);
        let grant_id = grant.text("grant_id");
        for widening in widenings() {
            change(&guest, &grant_id, widening.clone()).await.expect_problem(403, "not_the_owner");
            for office in [&admin, &support] {
                change(office, &grant_id, widening.clone()).await.expect_problem(403, "not_the_owner");
            }
            change(&mallory, &grant_id, widening.clone()).await.expect_problem(404, "not_found");
        }
        let holder = guest.holder_of(&grant_id).await;
        change(&holder, &grant_id, json!({ "max_uses": 4 })).await.expect_problem(401, "token_invalid");
        let same = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!((&same.body["version"], &same.body["external_ref"]), (&grant.body["version"], &grant.body["external_ref"]));
        assert_eq!(same.body["entitlements"], grant.body["entitlements"]);
        // Whoever may end a grant may also let it allow less, and cannot take that back.
        let narrowed = change(&support, &grant_id, json!({ "max_uses": 1 })).await.expect(200);
        assert_eq!(narrowed.text("effect"), "narrowing");
        change(&support, &grant_id, json!({ "max_uses": 3 })).await.expect_problem(403, "not_the_owner");
        change(&guest, &grant_id, json!({ "max_uses": 1 })).await.expect_problem(403, "not_the_owner");
    }

    async fn a_program_changes_grants_for_those_alone_who_allowed_it(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let client = app.api_client(&["grants:write", "grants:read"]).await;
        let later = || json!({ "not_after": "2026-07-02T12:00:00Z" });
        change(&client, &grant_id, later()).await.expect_problem(403, "acting_for_missing");
        change(&client.acting_for(&owner), &grant_id, later()).await.expect_problem(403, "acting_for_not_allowed");
        guest.allow(&client).await;
        change(&client.acting_for(&guest), &grant_id, later()).await.expect_problem(403, "not_the_owner");
        owner.allow(&client).await;
        change(&client.acting_for(&owner), &grant_id, later()).await.expect(200);
    }
}

on_both! { as |config| config.limits.caller_requests = Allowance { burst: 30, per_minute: 1 };
    async fn whoever_changes_grants_without_end_can_still_end_them(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend_with(app, &guest, json!({ "max_uses": 9 })).await.expect(201).text("grant_id");
        let mut changed = 0;
        while change(&owner, &grant_id, json!({ "label": format!("{changed}") })).await.status == 200 {
            changed += 1;
            assert!(changed < 30, "changes have no limit");
        }
        let refused = change(&owner, &grant_id, json!({ "max_uses": null })).await;
        refused.expect_problem(429, "rate_limited");
        change(&owner, &grant_id, json!({ "max_uses": 3 })).await.expect(200);
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
    }
}

on_both! {
    async fn a_clock_that_is_ahead_does_not_turn_the_future_into_the_past(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let support = app.officer("support").await;
        let later = json!({ "not_before": "2026-07-01T12:04:00Z", "max_uses": 3 });
        let grant_id = owner.lend_with(app, &guest, later).await.expect(201).text("grant_id");
        app.clock.set_wall(app.clock.now().plus(Duration::from_secs(5 * 60)));
        guest.command(&owner.vehicles[0], "unlock").await.expect_problem(503, "clock_disagrees");
        let earlier = json!({ "not_before": "2026-07-01T12:01:00Z" });
        change(&support, &grant_id, earlier).await.expect_problem(403, "not_the_owner");
        change(&support, &grant_id, json!({ "max_uses": 1 })).await.expect(200);
    }
}

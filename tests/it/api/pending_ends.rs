//! Ends by scope whose line is drawn and whose grants do not all say so yet, as a process leaves them that ends right after
//! the commit of the line: nothing takes a grant out of them.

use std::time::Duration;

use keylend::clock::Clock;
use keylend::domain::actor::Actor;
use keylend::domain::event::{Event, Subjects};
use keylend::domain::grant::EndReason;
use keylend::domain::id::OrganizationId;
use keylend::domain::key_scope::KeyScope;
use keylend::domain::principal::PrincipalId;
use keylend::domain::scope_end::{PendingEnd, ScopeEnd, Selection};
use keylend::service::Caller;
use keylend::storage::{Priority, key_scopes, organizations, scope_ends};
use serde_json::{Value, json};

use crate::support::{self, Reply, TestApp, on_both};

async fn organization(app: &TestApp) -> OrganizationId {
    let mut reader = app.service().base.store.read().await.unwrap();
    organizations::all(&mut reader).await.unwrap()[0]
}

/// Draws the line of an end over a scope, and does nothing else.
async fn draw_line(app: &TestApp, scope: KeyScope, external_ref: Option<&str>) {
    let (base, now) = (&app.service().base, app.clock.now());
    let issued_before = now.plus(Duration::from_secs(1));
    let organization_id = organization(app).await;
    let pending = PendingEnd {
        end_id: base.entropy.id(now).unwrap(),
        selection: Selection { issued_before, external_ref: external_ref.map(str::to_owned) },
        ended_at: now,
        end_reason: EndReason::Revoked,
    };
    let end = ScopeEnd {
        pending: pending.clone(),
        organization_id,
        scope,
        reason: None,
        ended_by: PrincipalId::System,
        grants: 0,
        completed_at: None,
    };
    let (end, pending) = (&end, &pending);
    let drawn = base.transact("ends.end", Priority::Urgent, |work| {
        Box::pin(async move {
            assert!(key_scopes::lock(&mut work.tx, organization_id, scope).await?);
            scope_ends::insert(&mut work.tx, end).await?;
            key_scopes::keep_ends(&mut work.tx, scope, std::slice::from_ref(pending)).await?;
            let caller = Caller { actor: Actor::system(organization_id), request_id: None };
            let PendingEnd { end_id, end_reason, .. } = *pending;
            let about = Subjects::NONE;
            work.record(&caller, Event::EndBegun { end_id, scope, about, end_reason })
        })
    });
    drawn.await.unwrap();
}

/// How many grants say themselves that they have ended.
async fn ended_rows(app: &TestApp) -> i64 {
    app.count("SELECT COUNT(*) FROM grants WHERE ended_at IS NOT NULL").await
}

struct Lent {
    owner: support::Actor,
    guest: support::Actor,
    holder: support::Actor,
    car: String,
    path: String,
    /// The grant, as its owner sees it.
    seen: Reply,
}

/// A grant of a booking, with which its guest has just closed the car.
async fn lent(app: &TestApp) -> Lent {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let booking = json!({ "external_ref": "booking-1" });
    let seen = owner.lend_with(app, &guest, booking).await.expect(201);
    let holder = guest.holder_of(&seen.text("grant_id")).await;
    let car = owner.vehicles[0].clone();
    holder.command(&car, "unlock").await.expect(200);
    let path = format!("/v1/grants/{}", seen.text("grant_id"));
    Lent { owner, guest, holder, car, path, seen }
}

fn over_car(car: &str) -> KeyScope {
    KeyScope::Vehicle(car.parse().unwrap())
}

on_both! {
    async fn nothing_takes_a_grant_out_of_an_end_under_way(app) {
        let Lent { owner, guest, holder, car, path, seen } = lent(app).await;
        let scopes = [
            over_car(&car),
            KeyScope::User(guest.id.parse().unwrap()),
            KeyScope::Organization(organization(app).await),
        ];
        for scope in scopes {
            draw_line(app, scope, Some("booking-1")).await;
        }
        let another = json!({ "external_ref": "another" });
        owner.patch(&path, &seen, another).await.expect_problem(409, "grant_ended");
        let longer = json!({ "not_after": "2026-07-02T12:00:00Z" });
        owner.patch(&path, &seen, longer).await.expect_problem(409, "grant_ended");
        owner.post(&format!("{path}/confirm"), json!({})).await.expect_problem(409, "grant_ended");
        guest.post(&format!("{path}/token"), json!({})).await.expect_problem(409, "grant_ended");
        // The first end counts, and it left no lock.
        let revoked = owner.post(&format!("{path}/revoke"), json!({ "leave_lock": true })).await.expect(200);
        assert_eq!((revoked.text("end_reason"), &revoked.body["lock_until"]), ("revoked".into(), &Value::Null));
        let given_back = guest.post(&format!("{path}/relinquish"), json!({})).await.expect(200);
        assert_eq!(given_back.text("end_reason"), "revoked");
        for action in ["lock", "unlock"] {
            holder.command(&car, action).await.expect_problem(403, "grant_revoked");
        }
        assert_eq!(ended_rows(app).await, 0, "the end is still under way");
        app.advance(Duration::from_secs(10));
        app.run_workers().await;
        assert_eq!(ended_rows(app).await, 1);
        for action in ["lock", "unlock"] {
            holder.command(&car, action).await.expect_problem(403, "grant_revoked");
        }
    }

    async fn what_the_end_is_not_about_lives_on(app) {
        let Lent { owner, guest, holder, car, path, seen } = lent(app).await;
        draw_line(app, over_car(&car), Some("booking-2")).await;
        owner.patch(&path, &seen, json!({ "label": "Late" })).await.expect(200);
        guest.post(&format!("{path}/token"), json!({})).await.expect(200);
        owner.post(&format!("{path}/confirm"), json!({})).await.expect(200);
        // It does not become a part of it either: whether it would end would be chance.
        let seen = owner.get(&path).await.expect(200);
        let into = json!({ "external_ref": "booking-2" });
        owner.patch(&path, &seen, into).await.expect_problem(409, "grant_ended");
        holder.command(&car, "unlock").await.expect(200);
        app.advance(Duration::from_secs(10));
        app.run_workers().await;
        holder.command(&car, "unlock").await.expect(200);
    }

    async fn a_grant_that_is_issued_meanwhile_is_no_part_of_it(app) {
        let Lent { owner, guest, holder, car, .. } = lent(app).await;
        draw_line(app, over_car(&car), None).await;
        draw_line(app, KeyScope::User(guest.id.parse().unwrap()), None).await;
        // Both are about what was issued until one second from now.
        let new = owner.lend_with(app, &guest, json!({})).await.expect(201);
        assert_eq!(new.text("issued_at"), "2026-07-01T12:00:01Z");
        holder.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
        let new = guest.holder_of(&new.text("grant_id")).await;
        new.command(&car, "unlock").await.expect(200);
        app.advance(Duration::from_secs(10));
        app.run_workers().await;
        new.command(&car, "unlock").await.expect(200);
    }

    async fn an_end_whose_process_is_gone_is_gone_on_with(app) {
        let Lent { owner, guest, car, path, .. } = lent(app).await;
        let elsewhere = json!({ "vehicle_id": owner.vehicles[1] });
        owner.lend_with(app, &guest, elsewhere).await.expect(201);
        draw_line(app, over_car(&car), None).await;
        guest.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
        let shown = guest.get(&path).await.expect(200);
        assert_eq!((shown.text("status"), shown.text("end_reason")), ("ended".into(), "revoked".into()));
        app.run_workers().await;
        assert_eq!(ended_rows(app).await, 0, "somebody may be at it");
        app.advance(Duration::from_secs(10));
        app.run_workers().await;
        assert_eq!(ended_rows(app).await, 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM vehicles WHERE ends IS NOT NULL").await, 0);
        assert_eq!(app.count("SELECT COUNT(*) FROM scope_ends WHERE completed_at IS NULL").await, 0);
        guest.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
        guest.command(&owner.vehicles[1], "unlock").await.expect(200);
    }
}

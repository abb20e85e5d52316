//! Holds: what they bind, whom they spare, and how they end.

use std::time::Duration;

use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, TestApp, on_both};

async fn place(actor: &Actor, scope: Value, more: Value) -> Reply {
    let mut body = json!({ "scope": scope, "reason": "The phone is lost." });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    actor.post("/v1/holds", body).await
}

async fn placed(actor: &Actor, scope: Value) -> String {
    place(actor, scope, json!({})).await.expect(201).text("hold_id")
}

async fn lift(actor: &Actor, hold_id: &str) -> Reply {
    actor.delete(&format!("/v1/holds/{hold_id}")).await
}

/// An owner with a car, and a guest with a grant for it that opens it.
struct Lent {
    owner: Actor,
    guest: Actor,
    holder: Actor,
    car: String,
    grant_id: String,
}

async fn lent(app: &TestApp) -> Lent {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let grant_id = owner.lend(app, &guest).await;
    let holder = guest.holder_of(&grant_id).await;
    holder.command(&car, "unlock").await.expect(200);
    Lent { owner, guest, holder, car, grant_id }
}

on_both! {
    async fn a_hold_over_anything_pauses_the_key_and_lets_the_car_be_closed(app) {
        let Lent { owner, guest, holder, car, grant_id } = lent(app).await;
        let admin = app.admin().await;
        let path = format!("/v1/grants/{grant_id}");
        for (scope, over) in [
            (json!({ "grant_id": grant_id }), "grant"),
            (json!({ "user_id": guest.id }), "user"),
            (json!({ "vehicle_id": car }), "vehicle"),
            (json!({ "organization": true }), "organization"),
        ] {
            let before = owner.get(&path).await.expect(200);
            assert_eq!(before.body["held_by"], json!([]));
            let hold = place(&admin, scope.clone(), json!({})).await.expect(201);
            assert_eq!((&hold.body["allow_lock"], &hold.body["stands"]), (&json!(true), &json!(true)));
            assert_eq!((hold.text("rank"), hold.body["until"].clone()), ("admin".into(), Value::Null));
            let named = hold.body["scope"].as_object().unwrap().iter().filter(|(_, id)| !id.is_null());
            assert_eq!(named.map(|(key, id)| (key.clone(), id.clone())).collect::<serde_json::Map<_, _>>(), *scope.as_object().unwrap());
            let held = holder.command(&car, "unlock").await.expect_problem(403, "grant_held");
            assert_eq!(held.body["reasons"], json!(["grant_held"]));
            guest.command(&car, "unlock").await.expect_problem(403, "grant_held");
            let reading = format!("/v1/vehicles/{car}/lock-status");
            holder.get(&reading).await.expect_problem(403, "grant_held");
            holder.command(&car, "lock").await.expect(200);
            let shown = guest.get(&path).await.expect(200);
            let [by] = &shown.body["held_by"].as_array().unwrap()[..] else { panic!("{}", shown.body) };
            assert_eq!((by["over"].as_str(), by["rank"].as_str()), (Some(over), Some("admin")));
            assert_eq!(by["hold_id"], hold.body["hold_id"]);
            // Whatever the If-Match of the grant was, it still is; what was decided on is another revision.
            assert_eq!(shown.body["version"], before.body["version"]);
            assert_eq!(shown.body["status"], "active");
            lift(&admin, &hold.text("hold_id")).await.expect(204);
            lift(&admin, &hold.text("hold_id")).await.expect(204);
            holder.command(&car, "unlock").await.expect(200);
        }
    }

    async fn a_hold_can_keep_the_car_as_it_is(app) {
        let Lent { owner, holder, car, grant_id, .. } = lent(app).await;
        let hold = place(&owner, json!({ "vehicle_id": car }), json!({ "allow_lock": false })).await.expect(201);
        holder.command(&car, "lock").await.expect_problem(403, "grant_held");
        // It also takes back a lock that a revocation left.
        let body = json!({ "leave_lock": true });
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), body).await.expect(200);
        holder.command(&car, "lock").await.expect_problem(403, "grant_held");
        let refused = holder.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
        assert_eq!(refused.body["reasons"], json!(["grant_revoked", "grant_held"]));
        lift(&owner, &hold.text("hold_id")).await.expect(204);
        holder.command(&car, "lock").await.expect(200);
    }

    async fn time_goes_on_under_a_hold(app) {
        let Lent { owner, guest, holder, car, grant_id } = lent(app).await;
        let until = json!({ "until": "2026-07-01T13:00:00Z" });
        place(&owner, json!({ "grant_id": grant_id }), until).await.expect(201);
        let listed = |reply: &Reply| reply.body["data"].as_array().unwrap().len();
        assert_eq!(listed(&owner.get("/v1/holds?standing=true").await.expect(200)), 1);
        app.advance(Duration::from_secs(3600) - Duration::from_micros(1));
        holder.command(&car, "unlock").await.expect_problem(403, "grant_held");
        app.advance(Duration::from_micros(1));
        holder.command(&car, "unlock").await.expect(200);
        let (owner, guest) = (again(app, &owner, "owner").await, again(app, &guest, "guest").await);
        let path = format!("/v1/grants/{grant_id}");
        assert_eq!(guest.get(&path).await.expect(200).body["held_by"], json!([]));
        assert_eq!(listed(&owner.get("/v1/holds?standing=true").await.expect(200)), 0);
        let all = owner.get("/v1/holds").await.expect(200);
        assert_eq!((listed(&all), &all.body["data"][0]["stands"]), (1, &json!(false)));
        placed(&owner, json!({ "vehicle_id": car })).await;
        app.advance(Duration::from_secs(3600));
        // The end wins.
        holder.command(&car, "unlock").await.expect_problem(403, "grant_expired");
        holder.command(&car, "lock").await.expect(200);
    }

    async fn the_owner_is_bound_by_support_and_administrators_alone(app) {
        let Lent { owner, guest, holder, car, .. } = lent(app).await;
        let (support, admin) = (app.officer("support").await, app.admin().await);
        let own = placed(&owner, json!({ "vehicle_id": car })).await;
        owner.command(&car, "unlock").await.expect(200);
        // A hold over oneself is for what one was lent.
        let oneself = placed(&owner, json!({ "user_id": owner.id })).await;
        owner.command(&car, "unlock").await.expect(200);
        for by in [&support, &admin] {
            for scope in [json!({ "vehicle_id": car }), json!({ "user_id": owner.id }), json!({ "organization": true })] {
                let hold = placed(by, scope).await;
                owner.command(&car, "unlock").await.expect_problem(403, "grant_held");
                owner.command(&car, "lock").await.expect(200);
                lift(by, &hold).await.expect(204);
                owner.command(&car, "unlock").await.expect(200);
            }
        }
        for hold in [own, oneself] {
            lift(&owner, &hold).await.expect(204);
        }
        // What holds the owner as a person does not hold those to whom they lent.
        placed(&support, json!({ "user_id": owner.id })).await;
        holder.command(&car, "unlock").await.expect(200);
        guest.command(&car, "unlock").await.expect(200);
    }

    async fn lifting_one_hold_lifts_no_other(app) {
        let Lent { owner, guest, holder, car, grant_id } = lent(app).await;
        let (support, admin) = (app.officer("support").await, app.admin().await);
        let over_grant = || json!({ "grant_id": grant_id });
        let mut holds = Vec::new();
        for by in [&guest, &owner, &support, &admin] {
            holds.push(placed(by, over_grant()).await);
        }
        let ranks = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        let ranks: Vec<&str> = ranks.body["held_by"].as_array().unwrap().iter().map(|by| by["rank"].as_str().unwrap()).collect();
        assert_eq!(ranks, ["guest", "owner", "support", "admin"]);
        // Each rank lifts its own, and administrators also what support placed.
        for (rank, by) in [&guest, &owner, &support, &admin].into_iter().enumerate() {
            for (placed, hold) in holds.iter().enumerate() {
                if placed != rank && (rank, placed) != (3, 2) {
                    lift(by, hold).await.expect_problem(403, "hold_of_another");
                }
            }
        }
        for (by, hold) in [(&admin, 3), (&admin, 2), (&owner, 1), (&guest, 0)] {
            holder.command(&car, "unlock").await.expect_problem(403, "grant_held");
            lift(by, &holds[hold]).await.expect(204);
        }
        holder.command(&car, "unlock").await.expect(200);
    }

    async fn a_hold_waits_for_what_was_in_flight(app) {
        let Lent { owner, holder, car, .. } = lent(app).await;
        app.cloud.script_all(&json!([{ "kind": "hold", "hold_ms": 300 }])).await;
        let journal = app.cloud.journal_length().await;
        let asked = holder.command(&car, "lock");
        let held = async {
            while app.cloud.journal_length().await == journal {
                tokio::task::yield_now().await;
            }
            let scope = json!({ "vehicle_id": car });
            owner.post("/v1/holds?wait=drain", json!({ "scope": scope, "reason": "Stop." })).await
        };
        let (asked, held) = tokio::join!(asked, held);
        assert_eq!(held.expect(201).body["in_flight"], json!([]));
        asked.expect(200);
    }

    async fn a_hold_is_recorded_with_whom_it_is_about_and_its_reason_beside_it(app) {
        let Lent { owner, guest, car, grant_id, .. } = lent(app).await;
        let hold = placed(&owner, json!({ "grant_id": grant_id })).await;
        lift(&owner, &hold).await.expect(204);
        let admin = app.admin().await;
        let entries = admin.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
        let entries = entries.body["data"].as_array().unwrap();
        let of = |event: &str| entries.iter().find(|entry| entry["event"] == event).unwrap();
        let placed = of("hold.placed");
        assert_eq!(placed["vehicle_id"], json!(car));
        assert_eq!(placed["user_id"], json!(guest.id));
        assert_eq!(placed["details"]["hold_id"], json!(hold));
        assert_eq!(placed["details"]["rank"], "owner");
        let beside = "SELECT COUNT(*) FROM personal_data WHERE personal LIKE '%phone is lost%'";
        assert_eq!(app.count(beside).await, 1);
        assert_eq!(of("hold.lifted")["details"]["hold_id"], json!(hold));
        let own = owner.get("/v1/holds").await.expect(200);
        assert_eq!(own.body["data"][0]["reason"], "The phone is lost.");
        let theirs = guest.get("/v1/holds").await.expect(200);
        assert_eq!(theirs.body["data"][0]["reason"], Value::Null);
        admin.delete(&format!("/v1/users/{}/personal-data", guest.id)).await.expect(200);
        let erased = owner.get("/v1/holds").await.expect(200);
        assert_eq!(erased.body["data"][0]["reason"], Value::Null);
        assert_eq!(app.count(beside).await, 0);
    }

    async fn what_is_no_hold_is_refused(app) {
        let Lent { owner, car, grant_id, .. } = lent(app).await;
        let invalid = async |scope: Value, more: Value, pointer: &str, code: &str| {
            let refused = place(&owner, scope, more).await.expect_problem(422, "validation_failed");
            assert_eq!((&refused.body["errors"][0]["pointer"], &refused.body["errors"][0]["code"]), (&json!(pointer), &json!(code)));
        };
        let over_car = || json!({ "vehicle_id": car });
        for scope in [json!({}), json!({ "organization": false }), json!({ "vehicle_id": car, "grant_id": grant_id })] {
            invalid(scope, json!({}), "/scope", "invalid").await;
        }
        invalid(over_car(), json!({ "until": "2026-07-01T12:00:00Z" }), "/until", "in_the_past").await;
        for reason in [String::new(), "x".repeat(501), "a\0b".to_owned()] {
            invalid(over_car(), json!({ "reason": reason }), "/reason", "invalid").await;
        }
        place(&owner, json!({ "car": car }), json!({})).await.expect_problem(422, "validation_failed");
        let unknown = json!({ "grant_id": "grt_01k0a6v8w5e3tb3q6m1x9r7yzn" });
        place(&owner, unknown, json!({})).await.expect_problem(404, "not_found");
        lift(&owner, "hld_01k0a6v8w5e3tb3q6m1x9r7yzn").await.expect_problem(404, "not_found");
        owner.get("/v1/holds?standing=perhaps").await.expect_problem(422, "validation_failed");
        for number in 0..8 {
            let body = json!({ "scope": over_car(), "reason": format!("{number}") });
            owner.post_as("/v1/holds", &format!("hold-{number}"), body.clone()).await.expect(201);
            // Asked for again, it is the same.
            let again = owner.post_as("/v1/holds", &format!("hold-{number}"), body).await.expect(201);
            assert_eq!((&again.body["stands"], &again.headers["idempotency-replayed"]), (&json!(true), &"true".parse().unwrap()));
        }
        place(&owner, over_car(), json!({})).await.expect_problem(409, "too_many_holds");
        // A lower rank does not use up the room of a higher one.
        placed(&app.admin().await, over_car()).await;
        assert_eq!(app.count("SELECT COUNT(*) FROM holds").await, 9);
        // One that was lifted meanwhile stands no more, whoever asks for its answer again.
        let body = json!({ "scope": over_car(), "reason": "0" });
        let first = owner.post_as("/v1/holds", "hold-0", body.clone()).await.expect(201).text("hold_id");
        lift(&owner, &first).await.expect(204);
        let again = owner.post_as("/v1/holds", "hold-0", body).await.expect(201);
        assert_eq!((again.text("hold_id"), &again.body["stands"]), (first, &json!(false)));
        assert_eq!(app.count("SELECT COUNT(*) FROM holds").await, 9);
    }
}

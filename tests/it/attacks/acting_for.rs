//! A program of the organization against its people: it acts for those whom it made, and for those who let it.

use serde_json::{Value, json};

use crate::support::{Actor, TestApp, on_both};

const SCOPES: &[&str] =
    &["users:write", "users:read", "grants:write", "commands:write", "connections:write"];

fn path_of(client: &Actor) -> String {
    format!("/v1/users/me/allowed-clients/{}", client.id)
}

/// A customer whom the program made, and the claim that it got for them.
async fn customer(client: &Actor, name: &str) -> (Actor, String) {
    let body = json!({ "email": format!("{name}@story.example"), "display_name": name });
    let made = client.post("/v1/users", body).await.expect(201);
    let mut customer = client.clone();
    customer.id = made.text("user_id");
    (customer, made.text("claim_token"))
}

async fn refused(app: &TestApp, client: &Actor, person: &Actor, car: &str) {
    let acting = client.acting_for(person);
    let grant = json!({ "vehicle_id": car, "grantee_id": person.id, "entitlements": ["unlock", "lock"],
        "not_before": "2026-07-01T12:00:00Z", "not_after": "2026-07-01T13:00:00Z" });
    let unlock = json!({ "vehicle_id": car, "action": "unlock" });
    for (path, body) in
        [("/v1/grants", grant), ("/v1/commands", unlock), ("/v1/connections", json!({}))]
    {
        let refused = acting.post(path, body).await;
        refused.expect_problem(403, "acting_for_not_allowed");
    }
    acting.get("/v1/users/me").await.expect_problem(403, "acting_for_not_allowed");
    assert!(app.cloud.journal().await.is_empty());
}

on_both! {
    async fn who_holds_a_key_acts_for_nobody_else(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let holder = guest.holder_of(&owner.lend(app, &guest).await).await;
        let car = &owner.vehicles[0];
        for person in [&owner, &guest] {
            let refused = holder.acting_for(person).command(car, "unlock").await;
            refused.expect_problem(422, "validation_failed");
        }
        assert!(app.cloud.journal().await.is_empty());
        holder.command(car, "unlock").await.expect(200);
    }

    async fn a_program_that_an_administrator_made_opens_nobodys_car(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let car = owner.vehicles[0].clone();
        let client = app.api_client(SCOPES).await;
        refused(app, &client, &owner, &car).await;
        // Nobody else can let it, and it cannot let itself.
        client.put(&path_of(&client), json!({})).await.expect(401);
        client.acting_for(&owner).put(&path_of(&client), json!({})).await.expect(401);
        admin.allow(&client).await;
        refused(app, &client, &owner, &car).await;

        owner.allow(&client).await;
        let unlock = json!({ "vehicle_id": car, "action": "unlock" });
        client.acting_for(&owner).post("/v1/commands", unlock.clone()).await.expect(200);
        let allowed = owner.get("/v1/users/me/allowed-clients").await.expect(200);
        assert_eq!(allowed.list("api_client_id"), std::slice::from_ref(&client.id));
        for _ in 0..2 {
            owner.delete(&path_of(&client)).await.expect(204);
        }
        let late = client.acting_for(&owner).post("/v1/commands", unlock).await;
        late.expect_problem(403, "acting_for_not_allowed");
        assert_eq!(app.cloud.journal().await.len(), 1);
        let record = format!("/v1/audit-entries?user_id={}&limit=100", owner.id);
        let events = admin.get(&record).await.expect(200).list("event");
        for event in ["api_client.allowed", "api_client.disallowed"] {
            assert_eq!(events.iter().filter(|known| *known == event).count(), 1, "{events:?}");
        }
    }

    async fn a_program_acts_for_its_customers_until_they_claim_their_account(app) {
        let client = app.api_client(SCOPES).await;
        let (kim, claim) = customer(&client, "kim").await;
        let (lee, kept) = customer(&client, "lee").await;
        let other = app.api_client(SCOPES).await;
        for customer in [&kim, &lee] {
            client.acting_for(customer).get("/v1/users/me").await.expect(200);
            let refused = other.acting_for(customer).get("/v1/users/me").await;
            refused.expect_problem(403, "acting_for_not_allowed");
        }
        client.redeem(&claim).await;
        let refused = client.acting_for(&kim).get("/v1/users/me").await;
        refused.expect_problem(403, "acting_for_not_allowed");
        let keeps = json!({ "claim_token": kept, "password": crate::support::people::PASSWORD, "keep_client": true });
        Actor::nobody(app).post("/v1/claims/redeem", keeps).await.expect(201);
        client.acting_for(&lee).get("/v1/users/me").await.expect(200);
    }

    async fn whoever_recovers_an_account_lets_no_program_into_it(app) {
        let (admin, owner) = (app.admin().await, app.owner().await);
        let [before, during] = [app.api_client(SCOPES).await, app.api_client(SCOPES).await];
        owner.allow(&before).await;
        let path = format!("/v1/users/{}/claims", owner.id);
        let claim = admin.post(&path, json!({})).await.expect(201);
        let robber = admin.redeem(&claim.text("claim_token")).await;
        robber.put(&path_of(&during), json!({})).await.expect_problem(409, "account_recovered");
        // What the owner allowed does not hold for whoever has the account now.
        for client in [&before, &during] {
            refused(app, client, &owner, &owner.vehicles[0]).await;
        }
    }

    async fn a_program_that_is_gone_or_elsewhere_is_let_in_nowhere(app) {
        let (guest, admin) = (app.guest().await, app.admin().await);
        let client = app.api_client(SCOPES).await;
        guest.allow(&client).await;
        admin.post(&format!("/v1/api-clients/{}/revoke", client.id), json!({})).await.expect(200);
        guest.put(&path_of(&client), json!({})).await.expect_problem(404, "not_found");
        let allowed = guest.get("/v1/users/me/allowed-clients").await.expect(200);
        assert_eq!(allowed.body["data"], json!([]));
        let foreign = json!({ "name": "Elsewhere", "scopes": [] });
        let foreign = app.foreigner().await.post("/v1/api-clients", foreign).await.expect(201);
        let path = format!("/v1/users/me/allowed-clients/{}", foreign.text("api_client_id"));
        guest.put(&path, Value::Null).await.expect_problem(404, "not_found");
    }

    async fn a_program_that_acts_for_nobody_ends_issues_and_opens_nothing(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let client = app.api_client(SCOPES).await;
        for person in [&owner, &guest] {
            person.allow(&client).await;
        }
        let car = &owner.vehicles[0];
        let grant = format!("/v1/grants/{grant_id}");
        let connection = owner.post("/v1/connections", json!({})).await.expect(201).text("connection_id");
        let unlock = json!({ "vehicle_id": car, "action": "unlock", "grant_id": grant_id });
        for (path, body) in [
            ("/v1/commands".to_owned(), unlock.clone()),
            ("/v1/access-checks".to_owned(), unlock),
            (format!("{grant}/token"), json!({})),
            (format!("{grant}/revoke"), json!({})),
            (format!("{grant}/relinquish"), json!({})),
            (format!("{grant}/confirm"), json!({})),
            (format!("/v1/connections/{connection}/reauthenticate"), json!({})),
        ] {
            let refused = client.post(&path, body).await;
            refused.expect_problem(403, "acting_for_missing");
        }
        let ended = client.delete(&format!("/v1/connections/{connection}")).await;
        ended.expect_problem(403, "acting_for_missing");
        guest.command(car, "unlock").await.expect(200);
    }
}

on_both! {
    async fn a_program_takes_another_ones_place_only_by_an_administrators_recorded_act(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let (first, second) = (app.api_client(SCOPES).await, app.api_client(SCOPES).await);
        owner.allow(&first).await;
        let (unclaimed, link) = customer(&first, "unclaimed").await;
        let (claimed, other) = customer(&first, "claimed").await;
        Actor::nobody(app).redeem(&other).await;
        let path = format!("/v1/api-clients/{}/replace", first.id);
        let successor = json!({ "successor_id": second.id });
        for somebody in [&first, &second, &owner, &first.acting_for(&unclaimed)] {
            somebody.post(&path, successor.clone()).await.expect_problem(403, "admin_only");
        }
        for same in [json!({ "successor_id": first.id }), json!({}), json!({ "successor_id": "x" })] {
            admin.post(&path, same).await.expect_problem(422, "validation_failed");
        }
        let unknown = json!({ "successor_id": "key_00000000000000000000000001" });
        admin.post(&path, unknown).await.expect_problem(404, "not_found");

        let moved = admin.post(&path, successor.clone()).await.expect(200);
        assert_eq!(moved.body, json!({ "moved": 1, "more": false }));
        let again = admin.post(&path, successor).await.expect(200);
        assert_eq!(again.body["moved"], 0);

        second.acting_for(&unclaimed).get("/v1/users/me").await.expect(200);
        for (client, person) in [(&first, &unclaimed), (&second, &claimed), (&second, &owner)] {
            let me = client.acting_for(person).get("/v1/users/me").await;
            me.expect_problem(403, "acting_for_not_allowed");
        }
        // The person sees it, and the link that they were sent still takes nothing away.
        let entries = format!("/v1/audit-entries?user_id={}&event=user.moved", unclaimed.id);
        let entry = admin.get(&entries).await.expect(200).body["data"][0].clone();
        let said = json!({ "api_client_id": first.id, "successor_id": second.id });
        assert_eq!((&entry["details"], &entry["actor"]["id"]), (&said, &json!(admin.id)));
        let person = Actor::nobody(app).redeem(&link).await;
        let me = person.get("/v1/users/me").await.expect(200);
        assert!(me.body["recovered_at"].is_null(), "{}", me.body);
    }

    async fn a_program_that_has_ended_takes_nobodys_place(app) {
        let admin = app.admin().await;
        let (first, second) = (app.api_client(SCOPES).await, app.api_client(SCOPES).await);
        let (person, _) = customer(&first, "person").await;
        admin.post(&format!("/v1/api-clients/{}/revoke", second.id), json!({})).await.expect(200);
        let path = format!("/v1/api-clients/{}/replace", first.id);
        let ended = admin.post(&path, json!({ "successor_id": second.id })).await;
        ended.expect_problem(409, "api_client_ended");
        first.acting_for(&person).get("/v1/users/me").await.expect(200);
    }
}

//! Reading the record: filters, pages, order, who sees what, and what is never in it.

use std::time::Duration;

use serde_json::{Value, json};

use super::again;
use crate::support::people::PASSWORD;
use crate::support::{Actor, on_both};

async fn entries(actor: &Actor, query: &str) -> Vec<Value> {
    let list = actor.get(&format!("/v1/audit-entries?{query}")).await.expect(200);
    list.body["data"].as_array().unwrap().clone()
}

async fn events(actor: &Actor, query: &str) -> Vec<String> {
    let rows = entries(actor, query).await;
    rows.iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn the_record_is_filtered_by_what_it_is_about(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        app.advance(Duration::from_secs(60));
        let unlocked = holder.command(&car, "unlock").await.expect(200);
        let of_grant = events(&admin, &format!("grant_id={grant_id}")).await;
        let expected =
            ["command.acknowledged", "command.authorized", "grant.token_minted", "grant.issued"];
        assert_eq!(of_grant, expected);
        assert_eq!(events(&owner, &format!("grant_id={grant_id}")).await, expected);
        let of_car = events(&admin, &format!("vehicle_id={car}")).await;
        assert_eq!(of_car[..4], expected);
        assert_eq!(of_car[4..], ["vehicle.connected"]);
        let of_guest = events(&admin, &format!("user_id={}&limit=100", guest.id)).await;
        for event in ["user.created", "session.created", "grant.issued", "command.authorized"] {
            assert!(of_guest.contains(&event.to_owned()), "{event}: {of_guest:?}");
        }
        assert!(!of_guest.contains(&"vehicle.connected".to_owned()), "{of_guest:?}");

        let authorized = entries(&admin, "event=command.authorized").await;
        assert_eq!(authorized.len(), 1);
        assert_eq!(authorized[0]["command_id"], unlocked.body["command_id"]);
        assert_eq!(authorized[0]["grant_id"], json!(grant_id));
        assert_eq!(authorized[0]["vehicle_id"], json!(car));
        assert_eq!(authorized[0]["user_id"], json!(guest.id));
        assert_eq!(authorized[0]["actor"]["id"], json!(guest.id));
        assert_eq!(authorized[0]["occurred_at"], "2026-07-01T12:01:00Z");
        let request_id = unlocked.headers["x-request-id"].to_str().unwrap();
        assert_eq!(authorized[0]["request_id"], request_id);

        let minute = "2026-07-01T12:01:00Z";
        let late = events(&admin, &format!("grant_id={grant_id}&from={minute}")).await;
        assert_eq!(late, expected[..2]);
        let early = events(&admin, &format!("grant_id={grant_id}&until={minute}")).await;
        assert_eq!(early, expected[2..]);
        let odd = format!("/v1/audit-entries?grant_id={grant_id}&vehicle_id={car}");
        admin.get(&odd).await.expect_problem(422, "validation_failed");
    }

    async fn pages_go_through_the_whole_record_newest_first(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        for _ in 0..3 {
            let grant_id = owner.lend(app, &guest).await;
            owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        }
        let car = &owner.vehicles[0];
        let path = format!("/v1/audit-entries?vehicle_id={car}");
        let all = admin.get(&path).await.expect(200).list("entry_id");
        assert_eq!(all.len(), 7);
        assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "{all:?}");
        let (mut seen, mut next) = (Vec::new(), format!("{path}&limit=3"));
        loop {
            let page = admin.get(&next).await.expect(200);
            seen.extend(page.list("entry_id"));
            // What is recorded meanwhile moves nothing.
            owner.lend(app, &guest).await;
            let Some(link) = page.headers.get("link") else { break };
            let link = link.to_str().unwrap();
            let (address, relation) = link.split_once(';').unwrap();
            assert_eq!(relation.trim(), "rel=\"next\"");
            next = address.trim_start_matches('<').trim_end_matches('>').to_owned();
            assert!(next.contains(car.as_str()), "{next}");
        }
        assert_eq!(seen, all);
    }

    async fn owners_read_the_record_of_their_own_cars_alone(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let grant_id = owner.lend(app, &guest).await;
        let of_car = format!("/v1/audit-entries?vehicle_id={}", owner.vehicles[0]);
        let of_grant = format!("/v1/audit-entries?grant_id={grant_id}");
        owner.get(&of_car).await.expect(200);
        owner.get(&of_grant).await.expect(200);
        for path in ["/v1/audit-entries", &format!("/v1/audit-entries?user_id={}", guest.id)] {
            owner.get(path).await.expect_problem(403, "admin_only");
        }
        // Everybody reads what the record says about them.
        let own = guest.get(&format!("/v1/audit-entries?user_id={}&limit=100", guest.id)).await;
        let events = own.expect(200).list("event");
        for event in ["user.created", "claim.redeemed", "grant.issued"] {
            assert!(events.contains(&event.to_owned()), "{event}: {events:?}");
        }
        for path in [of_car.as_str(), &of_grant, "/v1/audit-entries"] {
            guest.get(path).await.expect_problem(403, "admin_only");
            stranger.get(path).await.expect_problem(403, "admin_only");
        }
        let foreigner = app.foreigner().await;
        let of_owner = format!("user_id={}", owner.id);
        for query in [format!("vehicle_id={}", owner.vehicles[0]), format!("grant_id={grant_id}"), of_owner] {
            assert!(entries(&foreigner, &query).await.is_empty(), "{query}");
        }
        let own = entries(&foreigner, "limit=100").await.len() as i64;
        let all = app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries").await;
        assert!(own < all, "{own} of {all}");
        let client = app.api_client(&["audit:read"]).await;
        client.get("/v1/audit-entries").await.expect(200);
    }

    async fn the_record_holds_no_names_addresses_or_secrets(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let client = app.api_client(&["grants:write"]).await;
        let label = json!({ "label": "Label text", "metadata": { "note": "Metadata text" } });
        let grant_id = owner.lend_with(app, &guest, label).await.expect(201).text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        let reason = json!({ "reason": "Reason text" });
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), reason).await.expect(200);
        app.advance(Duration::from_secs(3 * 60 * 60));
        again(app, &owner, "owner").await.command(&owner.vehicles[0], "lock").await.expect(200);

        let admin = again(app, &admin, "admin").await;
        let rows = entries(&admin, "limit=100").await;
        assert!(rows.len() > 15);
        let text = json!(rows).to_string().to_lowercase();
        let secrets = [&owner, &guest, &client, &holder].map(|actor| actor.token.clone().unwrap());
        let names = ["@", "story", "ada admin", "backend", "label text", "metadata text",
            "reason text", "tesla", "127.0.0.1", PASSWORD];
        for word in names.iter().map(|name| (*name).to_owned()).chain(secrets) {
            assert!(!text.contains(&word.to_lowercase()), "{word}");
        }
        for row in &rows {
            assert!(row["details"].is_object(), "{row}");
            assert!(row["entry_id"].as_str().unwrap().starts_with("evt_"), "{row}");
        }
    }
}

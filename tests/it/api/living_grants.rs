//! Which grants are alive counts wherever cars and consents are shown or changed, and is one rule.

use std::time::Duration;

use serde_json::json;

use super::again;
use crate::support::{Actor, on_both};

/// The cars that a person sees, by pages of one.
async fn pages(person: &Actor) -> Vec<String> {
    let (mut seen, mut path) = (Vec::new(), "/v1/vehicles?limit=1".to_owned());
    loop {
        let page = person.get(&path).await.expect(200);
        seen.extend(page.list("vehicle_id"));
        match page.text("next_cursor") {
            end if end.is_empty() => return seen,
            cursor => path = format!("/v1/vehicles?limit=1&cursor={cursor}"),
        }
    }
}

on_both! {
    async fn a_guest_sees_borrowed_cars_page_by_page_until_their_grants_are_over(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        assert!(pages(&guest).await.is_empty());
        let [first, second, third] = owner.vehicles.clone().try_into().unwrap();
        let whole_day = json!({ "vehicle_id": first, "not_after": "2026-07-02T12:00:00Z" });
        owner.lend_with(app, &guest, whole_day).await.expect(201);
        // Two grants for one car are one car; the newest cars come first.
        for car in [&second, &second] {
            owner.lend_with(app, &guest, json!({ "vehicle_id": car })).await.expect(201);
        }
        let borrowed: Vec<String> =
            owner.vehicles.iter().filter(|car| **car != third).cloned().collect();
        assert_eq!(pages(&guest).await, borrowed);
        assert_eq!(pages(&owner).await, owner.vehicles);
        app.advance(Duration::from_secs(2 * 60 * 60));
        let guest = again(app, &guest, "guest").await;
        assert_eq!(pages(&guest).await, std::slice::from_ref(&first));
        guest.get(&format!("/v1/vehicles/{second}")).await.expect_problem(404, "not_found");
        guest.get(&format!("/v1/vehicles/{first}")).await.expect(200);
    }

    async fn a_grant_that_was_over_before_its_car_was_removed_stays_expired(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let short = owner.lend(app, &guest).await;
        let whole_day = json!({ "not_after": "2026-07-02T12:00:00Z" });
        let long = owner.lend_with(app, &guest, whole_day).await.expect(201).text("grant_id");
        app.advance(Duration::from_secs(2 * 60 * 60));
        let owner = again(app, &owner, "owner").await;
        let car = owner.get(&format!("/v1/vehicles/{}", owner.vehicles[0])).await.expect(200);
        let path = format!("/v1/connections/{}", car.text("connection_id"));
        owner.delete(&path).await.expect(200);
        for (grant_id, end_reason) in [(short, "expired"), (long, "vehicle_removed")] {
            let grant = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
            assert_eq!(grant.text("end_reason"), end_reason);
        }
        let path = "/v1/audit-entries?event=grant.ended";
        assert_eq!(app.admin().await.get(path).await.expect(200).list("event").len(), 1);
    }
}

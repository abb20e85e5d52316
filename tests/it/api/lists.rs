//! Finding things again: what each list can be asked for, and that what it cannot be asked for is refused.

use std::time::Duration;

use serde_json::json;

use super::again;
use crate::support::{Actor, TestApp, on_both};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a list says about each of its rows.
async fn listed(actor: &Actor, path: &str, member: &str) -> Vec<String> {
    let mut found = actor.get(path).await.expect(200).list(member);
    found.sort_unstable();
    found
}

/// The references of the grants that a query finds.
async fn found(actor: &Actor, query: &str) -> Vec<String> {
    listed(actor, &format!("/v1/grants?{query}"), "external_ref").await
}

async fn refused(actor: &Actor, path: &str, pointer: &str, code: &str) -> String {
    let refused = actor.get(path).await.expect_problem(422, "validation_failed");
    let violation = &refused.body["errors"][0];
    assert_eq!(
        (&violation["pointer"], &violation["code"]),
        (&json!(pointer), &json!(code)),
        "{path}"
    );
    violation["detail"].as_str().unwrap().to_owned()
}

/// Three grants: for the first car to each of two guests, the second of them for the hour after, and for the second car.
async fn lent(app: &TestApp, owner: &Actor, guests: [&Actor; 2]) {
    for (guest, car, from, until, external_ref) in [
        (guests[0], 0, "12:00:00", "13:00:00", "a"),
        (guests[1], 0, "13:00:00", "14:00:00", "b"),
        (guests[1], 1, "12:00:00", "15:00:00", "c"),
    ] {
        let terms = json!({
            "vehicle_id": owner.vehicles[car], "external_ref": external_ref,
            "not_before": format!("2026-07-01T{from}Z"), "not_after": format!("2026-07-01T{until}Z"),
        });
        owner.lend_with(app, guest, terms).await.expect(201);
    }
}

on_both! {
    async fn grants_are_found_by_whom_what_when_and_how_they_stand(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let guests = [&app.guest().await, &app.member("second").await];
        lent(app, &owner, guests).await;
        let [of_first, of_second] = guests.map(|guest| format!("grantee_id={}", guest.id));
        let (car, of_owner) = (format!("vehicle_id={}", owner.vehicles[0]), format!("owner_id={}", owner.id));
        let of_nobody = format!("owner_id={}", guests[0].id);
        for (query, expected) in [
            ("", "a b c"),
            ("external_ref=b", "b"),
            ("external_ref=%20b%20", "b"),
            ("external_ref=none", ""),
            (&car, "a b"),
            (&of_first, "a"),
            (&of_second, "b c"),
            (&of_owner, "a b c"),
            (&of_nobody, ""),
            (&format!("{car}&{of_second}"), "b"),
            (&format!("{car}&{of_second}&external_ref=c"), ""),
            (&format!("{of_owner}&{of_first}&{car}&external_ref=a&status=active"), "a"),
            ("status=active", "a c"),
            ("status=upcoming", "b"),
            ("status=ended", ""),
            // Valid at some moment of the time that is asked for, whose end is not in it.
            ("until=2026-07-01T12:00:00Z", ""),
            ("until=2026-07-01T12:00:00.000001Z", "a c"),
            ("from=2026-07-01T13:00:00Z", "b c"),
            ("from=2026-07-01T12:59:59.999999Z", "a b c"),
            ("from=2026-07-01T13:00:00Z&until=2026-07-01T13:00:00Z", "c"),
            ("from=2026-07-01T15:00:00Z", ""),
        ] {
            assert_eq!(found(&admin, query).await.join(" "), expected, "{query}");
            assert_eq!(found(&owner, query).await.join(" "), expected, "{query}");
        }
        // A guest finds nothing beside what concerns them.
        assert_eq!(found(guests[0], "").await, ["a"]);
        assert_eq!(found(guests[0], &of_second).await.len(), 0);
        assert_eq!(found(guests[0], "external_ref=b").await.len(), 0);
        assert_eq!(found(guests[1], &of_owner).await, ["b", "c"]);
        // A page of a filtered list leads to the next one.
        let first = admin.get(&format!("/v1/grants?limit=1&{of_second}")).await.expect(200);
        let link = first.headers["link"].to_str().unwrap();
        let next = link.strip_prefix('<').and_then(|link| link.split_once('>')).unwrap().0.to_owned();
        let second = admin.get(&next).await.expect(200);
        assert_eq!([first.list("external_ref"), second.list("external_ref")].concat(), ["c", "b"]);
        assert_eq!(second.body["next_cursor"], json!(null));
    }

    async fn a_grant_is_among_those_that_stand_as_it_does(app) {
        let owner = app.owner().await;
        lent(app, &owner, [&app.guest().await, &app.member("second").await]).await;
        let grants = owner.get("/v1/grants").await.expect(200);
        let revoked = format!("/v1/grants/{}/revoke", grants.list("grant_id")[0]);
        owner.post(&revoked, json!({})).await.expect(200);
        let moment = Duration::from_micros(1);
        for (advance, active, upcoming, ended) in [
            (Duration::ZERO, "a", "b", "c"),
            (HOUR - moment, "a", "b", "c"),
            (moment, "b", "", "a c"),
            (HOUR - moment, "b", "", "a c"),
            (moment, "", "", "a b c"),
        ] {
            app.advance(advance);
            let owner = again(app, &owner, "owner").await;
            for (status, expected) in [("active", active), ("upcoming", upcoming), ("ended", ended)] {
                let rows = owner.get(&format!("/v1/grants?status={status}")).await.expect(200);
                let mut references = rows.list("external_ref");
                references.sort_unstable();
                assert_eq!(references.join(" "), expected, "{status}");
                assert!(rows.list("status").iter().all(|shown| shown == status));
            }
        }
    }

    async fn people_are_found_by_address_name_and_whether_they_can_sign_in(app) {
        let admin = app.admin().await;
        let make = |name: &str, external_ref: Option<&str>| {
            let email = format!("{name}@story.example");
            json!({ "email": email, "display_name": name, "external_ref": external_ref })
        };
        let kim = admin.post("/v1/users", make("kim", Some("customer-1"))).await.expect(201);
        assert_eq!(kim.text("external_ref"), "customer-1");
        let lou = admin.post("/v1/users", make("lou", None)).await.expect(201);
        admin.post("/v1/users", make("max", Some("customer-1"))).await.expect_problem(409, "external_ref_taken");
        admin.post("/v1/users", make("kim", Some("customer-1"))).await.expect_problem(409, "email_taken");
        admin.post("/v1/users", make("kim", Some("customer-2"))).await.expect_problem(409, "email_taken");
        let found = async |query: &str| listed(&admin, &format!("/v1/users?{query}"), "display_name").await;
        assert_eq!(found("email=KIM@story.example").await, ["kim"]);
        assert_eq!(found("email=nobody@story.example").await.len(), 0);
        assert_eq!(found("external_ref=customer-1").await, ["kim"]);
        assert_eq!(found("external_ref=customer-1&email=lou@story.example").await.len(), 0);
        let path = format!("/v1/users/{}", lou.text("user_id"));
        let name = async |external_ref: Option<&str>| {
            let request = admin.request(reqwest::Method::PATCH, &path).json(&json!({ "external_ref": external_ref }));
            crate::support::Reply::read(request.send().await.unwrap()).await
        };
        name(Some("customer-1")).await.expect_problem(409, "external_ref_taken");
        name(Some(&"x".repeat(10_000))).await.expect_problem(422, "validation_failed");
        name(Some("")).await.expect_problem(422, "validation_failed");
        assert_eq!(name(Some("customer-2")).await.expect(200).text("external_ref"), "customer-2");
        name(Some("customer-2")).await.expect(200);
        assert_eq!(found("external_ref=customer-2").await, ["lou"]);
        name(None).await.expect(200);
        name(Some("customer-3")).await.expect(200);
        let described = format!("/v1/audit-entries?user_id={}&event=user.described", lou.text("user_id"));
        let described = admin.get(&described).await.expect(200);
        assert_eq!(described.list("event").len(), 3);
        assert_eq!(described.body["data"][0]["details"], json!({ "changed": ["external_ref"] }));
        admin.post(&format!("{path}/disable"), json!({})).await.expect(200);
        assert_eq!(found("status=closed").await, ["lou"]);
        assert_eq!(found("status=open&email=lou@story.example").await.len(), 0);
        // Who is forgotten has no name any more, and it is free.
        admin.delete(&format!("{path}/personal-data")).await.expect(200);
        assert_eq!(found("external_ref=customer-3").await.len(), 0);
        name(Some("customer-3")).await.expect_problem(409, "account_erased");
        admin.post("/v1/users", make("max", Some("customer-3"))).await.expect(201);
    }

    async fn connections_are_found_by_their_owner_and_how_they_stand(app) {
        let (owner, other) = (app.owner().await, app.member("other").await);
        other.post("/v1/connections", json!({})).await.expect(201);
        let admin = app.admin().await;
        let of_other = format!("/v1/connections?owner_id={}", other.id);
        for (actor, path, expected) in [
            (&admin, "/v1/connections", "active pending"),
            (&admin, "/v1/connections?status=active", "active"),
            (&admin, "/v1/connections?status=lost", ""),
            (&admin, &of_other, "pending"),
            (&admin, &format!("{of_other}&status=active"), ""),
            (&owner, "/v1/connections", "active"),
            (&owner, &of_other, ""),
            (&other, &of_other, "pending"),
        ] {
            assert_eq!(listed(actor, path, "status").await.join(" "), expected, "{path}");
        }
    }

    async fn holds_and_commands_are_found_by_what_they_are_about(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (car, grant_id) = (&owner.vehicles[0], owner.lend(app, &guest).await);
        guest.command(car, "unlock").await.expect(200);
        owner.command(car, "lock").await.expect(200);
        app.advance(HOUR);
        let owner = again(app, &owner, "owner").await;
        let over_grant = json!({ "grant_id": grant_id });
        for scope in [over_grant, json!({ "vehicle_id": car }), json!({ "user_id": owner.id })] {
            owner.post("/v1/holds", json!({ "scope": scope, "reason": "Lost." })).await.expect(201);
        }
        let guest = again(app, &guest, "guest").await;
        guest.command(car, "unlock").await.expect_problem(403, "grant_held");
        for query in [format!("grant_id={grant_id}"), format!("vehicle_id={car}"), format!("user_id={}", owner.id)] {
            assert_eq!(listed(&owner, &format!("/v1/holds?{query}"), "hold_id").await.len(), 1, "{query}");
            assert_eq!(listed(&owner, &format!("/v1/holds?standing=true&{query}"), "hold_id").await.len(), 1);
        }
        let both = format!("/v1/holds?grant_id={grant_id}&vehicle_id={car}");
        refused(&owner, &both, "?grant_id", "exclusive").await;
        for (query, expected) in [
            (String::new(), "lock unlock unlock"),
            (format!("grant_id={grant_id}"), "unlock unlock"),
            (format!("grant_id={grant_id}&status=refused"), "unlock"),
            ("status=acknowledged".to_owned(), "lock unlock"),
            ("from=2026-07-01T12:00:00.000001Z".to_owned(), "unlock"),
            ("until=2026-07-01T13:00:00Z".to_owned(), "lock unlock"),
        ] {
            let path = format!("/v1/vehicles/{car}/commands?{query}");
            assert_eq!(listed(&owner, &path, "action").await.join(" "), expected, "{query}");
        }
    }

    async fn what_a_list_does_not_know_is_refused_with_what_it_knows(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let known = refused(&owner, "/v1/grants?status=over", "?status", "invalid").await;
        assert!(known.contains("upcoming, active, ended"), "{known}");
        let known = refused(&admin, "/v1/users?status=gone", "?status", "invalid").await;
        assert!(known.contains("open, closed"), "{known}");
        let known = refused(&admin, "/v1/connections?status=ok", "?status", "invalid").await;
        assert!(known.contains("active"), "{known}");
        let known = refused(&owner, "/v1/grants?guest=kim", "?guest", "unknown_field").await;
        assert!(known.contains("grantee_id"), "{known}");
        for list in ["/v1/users", "/v1/vehicles", "/v1/connections", "/v1/holds", "/v1/audit-entries"] {
            refused(&admin, &format!("{list}?colour=red"), "?colour", "unknown_field").await;
        }
        let long = "x".repeat(10_000);
        for (path, pointer) in [
            (format!("/v1/grants?external_ref={long}"), "?external_ref"),
            (format!("/v1/vehicles?plate={long}"), "?plate"),
            ("/v1/vehicles?external_ref=".to_owned(), "?external_ref"),
            ("/v1/users?email=kim".to_owned(), "?email"),
            ("/v1/grants?from=yesterday".to_owned(), "?from"),
            ("/v1/grants?owner_id=kim".to_owned(), "?owner_id"),
        ] {
            refused(&admin, &path, pointer, "invalid").await;
        }
    }
}

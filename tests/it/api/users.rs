//! Accounts of people: who may make, see and close them.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Actor, on_both};

fn kim(changes: &Value) -> Value {
    let mut body = json!({ "email": "kim@story.example", "display_name": "Kim" });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    body
}

on_both! {
    async fn administrators_make_accounts_and_members_do_not(app) {
        let admin = app.admin().await;
        let made = admin.post("/v1/users", kim(&json!({ "email": "KIM@story.example" }))).await;
        let made = made.expect(201);
        assert_eq!(made.text("email"), "kim@story.example");
        assert_eq!(made.text("role"), "member");
        assert_eq!(made.body["disabled_at"], Value::Null);
        assert_eq!(made.text("created_by"), admin.id);
        assert_eq!(made.body["claimed_at"], Value::Null);
        let member = admin.redeem(&made.text("claim_token")).await;
        let me = member.get("/v1/users/me").await.expect(200);
        assert_eq!(me.text("user_id"), made.text("user_id"));
        assert!(me.body["claimed_at"].is_string() && me.body["recovered_at"].is_null());

        let other = kim(&json!({ "email": "lee@story.example" }));
        member.post("/v1/users", other.clone()).await.expect_problem(403, "admin_only");
        let nobody = Actor::nobody(app);
        nobody.post("/v1/users", other.clone()).await.expect_problem(401, "token_missing");

        let second = kim(&json!({ "email": "lee@story.example", "role": "admin" }));
        let second = admin.post("/v1/users", second).await.expect(201);
        let second = admin.redeem(&second.text("claim_token")).await;
        second.get("/v1/users").await.expect(200);
    }

    async fn an_api_client_makes_members_and_never_administrators(app) {
        let client = app.api_client(&["users:write"]).await;
        client.post("/v1/users", kim(&json!({}))).await.expect(201);
        let admin = kim(&json!({ "email": "boss@story.example", "role": "admin" }));
        client.post("/v1/users", admin).await.expect_problem(403, "admin_only");
        let no_such = app.admin().await.get("/v1/users").await.expect(200);
        assert!(!no_such.list("email").contains(&"boss@story.example".to_owned()));

        client.get("/v1/users").await.expect_problem(403, "scope_missing");
        let reader = app.api_client(&["users:read"]).await;
        let refused = reader.post("/v1/users", kim(&json!({ "email": "a@b.example" }))).await;
        let refused = refused.expect_problem(403, "scope_missing");
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(r#"scope="users:write""#), "{challenge}");
        assert!(reader.get("/v1/users").await.expect(200).list("email").len() >= 2);
        reader.get("/v1/users/me").await.expect_problem(403, "acting_for_missing");
    }

    async fn support_sees_everything_and_ends_keys_and_an_auditor_reads_the_record(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let (support, auditor) = (app.officer("support").await, app.officer("auditor").await);
        let (car, grant) = (&owner.vehicles[0], format!("/v1/grants/{grant_id}"));
        for path in ["/v1/users", "/v1/api-clients", &format!("/v1/vehicles/{car}"), &grant, "/v1/audit-entries"] {
            support.get(path).await.expect(200);
            let seen = auditor.get(path).await;
            assert_eq!(seen.status == 200, path == "/v1/audit-entries", "{path}: {}", seen.body);
        }
        for officer in [&support, &auditor] {
            officer.command(car, "unlock").await.expect_problem(404, "not_found");
            let made = officer.post("/v1/users", kim(&json!({}))).await;
            made.expect_problem(403, "admin_only");
            let claim = officer.post(&format!("/v1/users/{}/claims", guest.id), json!({})).await;
            claim.expect_problem(403, "admin_only");
        }
        support.post(&format!("{grant}/confirm"), json!({})).await.expect_problem(403, "not_the_owner");
        auditor.post(&format!("{grant}/revoke"), json!({})).await.expect_problem(404, "not_found");
        support.post(&format!("{grant}/revoke"), json!({})).await.expect(200);
        let entries = auditor.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
        assert_eq!(entries.list("event")[0], "grant.revoked");
        let entry = &entries.list("entry_id")[0];
        auditor.get(&format!("/v1/audit-entries/{entry}/proof")).await.expect(200);
        let odd = app.admin().await.post("/v1/users", kim(&json!({ "role": "owner" }))).await;
        odd.expect_problem(422, "validation_failed");
        // A program makes nobody who has an office.
        let client = app.api_client(&["users:write"]).await;
        let made = client.post("/v1/users", kim(&json!({ "role": "auditor" }))).await;
        made.expect_problem(403, "admin_only");
    }

    async fn nobody_chooses_the_password_of_another(app) {
        let with_password = kim(&json!({ "password": "purple giraffes park sideways" }));
        let refused = app.admin().await.post("/v1/users", with_password).await;
        let refused = refused.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/password", "{}", refused.body);
    }

    async fn an_address_is_taken_once_in_an_organization(app) {
        let admin = app.admin().await;
        admin.post("/v1/users", kim(&json!({}))).await.expect(201);
        let twin = kim(&json!({ "email": "Kim@STORY.example", "display_name": "Other Kim" }));
        admin.post("/v1/users", twin).await.expect_problem(409, "email_taken");
        let foreigner = app.foreigner().await;
        foreigner.post("/v1/users", kim(&json!({}))).await.expect(201);
    }

    async fn the_list_is_paged_newest_first(app) {
        let admin = app.admin().await;
        for number in 0..6 {
            let body = json!({ "email": format!("u{number}@story.example"), "display_name": "U" });
            admin.post("/v1/users", body).await.expect(201);
        }
        let all = admin.get("/v1/users").await.expect(200).list("user_id");
        assert_eq!(all.len(), 7);
        assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "{all:?}");

        let (mut seen, mut path) = (Vec::new(), "/v1/users?limit=3".to_owned());
        loop {
            let page = admin.get(&path).await.expect(200);
            seen.extend(page.list("user_id"));
            let Some(cursor) = page.body["next_cursor"].as_str() else {
                assert!(!page.headers.contains_key("link"));
                break;
            };
            path = format!("/v1/users?limit=3&cursor={cursor}");
            assert_eq!(page.headers["link"], format!("<{path}>; rel=\"next\""));
        }
        assert_eq!(seen, all);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 7);
    }

    async fn people_see_themselves_and_administrators_everybody(app) {
        let (admin, guest, stranger) = (app.admin().await, app.guest().await, app.stranger().await);
        let own = format!("/v1/users/{}", guest.id);
        assert_eq!(guest.get(&own).await.expect(200).text("email"), "guest@story.example");
        assert_eq!(admin.get(&own).await.expect(200).text("email"), "guest@story.example");
        stranger.get(&own).await.expect_problem(403, "admin_only");
        stranger.get("/v1/users").await.expect_problem(403, "admin_only");
        let disable = format!("{own}/disable");
        stranger.post(&disable, json!({})).await.expect_problem(403, "admin_only");
        guest.post(&disable, json!({})).await.expect_problem(403, "admin_only");
        guest.get("/v1/users/me").await.expect(200);
        let nobody = "/v1/users/usr_00000000000000000000000001";
        admin.get(nobody).await.expect_problem(404, "not_found");
    }

    async fn another_organization_is_invisible(app) {
        let (guest, foreigner) = (app.guest().await, app.foreigner().await);
        let own = format!("/v1/users/{}", guest.id);
        foreigner.get(&own).await.expect_problem(404, "not_found");
        let disable = format!("{own}/disable");
        foreigner.post(&disable, json!({})).await.expect_problem(404, "not_found");
        let list = foreigner.get("/v1/users").await.expect(200);
        assert_eq!(list.list("user_id"), std::slice::from_ref(&foreigner.id));
        let mine = app.admin().await.get("/v1/users").await.expect(200).list("user_id");
        assert!(!mine.contains(&foreigner.id));
        guest.get("/v1/users/me").await.expect(200);
    }

    async fn closing_an_account_twice_is_closing_it_once(app) {
        let (admin, guest) = (app.admin().await, app.guest().await);
        let path = format!("/v1/users/{}/disable", guest.id);
        let first = admin.post(&path, json!({})).await.expect(200);
        app.advance(std::time::Duration::from_secs(60));
        let second = admin.post(&path, json!({})).await.expect(200);
        assert_eq!(first.body, second.body);
        let path = format!("/v1/audit-entries?user_id={}&event=user.disabled", guest.id);
        assert_eq!(admin.get(&path).await.expect(200).list("event").len(), 1);
    }
}

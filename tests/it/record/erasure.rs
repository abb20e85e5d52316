//! A person can be erased, and the record stays what it was.

use keylend::audit::proof::Proof;
use keylend::storage::db::query;
use serde_json::json;

use crate::support::app::http_client;
use crate::support::people::PASSWORD;
use crate::support::record::{ORIGIN, sequence_and_sign, verifier_keys};
use crate::support::{Actor, EVERYTHING, TestApp, on_both};

/// What is known of somebody and of nobody else.
const KNOWN: &[&str] = &[
    "zaphod.beeblebrox@story.example",
    "Zaphod Q. Beeblebrox",
    "for the umbrella holiday",
    "umbrella stand 7",
    "he lost the umbrella",
    "127.0.0.77",
    "47.123456 8.654321",
    "zaphods-key-for-the-command",
    "zaphods-own-booking",
    "he left the umbrella in the car",
    "the umbrella was found",
    "all for the sake of an umbrella",
    "the umbrella is in the boot",
    "call zaphod about the umbrella",
    "zaphods umbrella carrier",
    "ZB UMBRELLA 42",
    "umbrella green",
    "5YJSA1CN5DFP00142",
    "umbrella rack fitted",
    "zaphods-own-number",
    "47.987654",
];

fn found(dump: &[u8], text: &str) -> bool {
    dump.windows(text.len()).any(|bytes| bytes == text.as_bytes())
}

/// Somebody with a car, who signs in from an address of their own, lends, revokes and drives.
async fn somebody(app: &TestApp) -> (Actor, String) {
    let admin = app.admin().await;
    let body = json!({ "email": KNOWN[0], "display_name": KNOWN[1] });
    let made = admin.post("/v1/users", body).await.expect(201);
    admin.redeem(&made.text("claim_token")).await;
    let body = json!({ "email": KNOWN[0], "password": PASSWORD });
    #[expect(clippy::disallowed_methods, reason = "the tests play apps, not the service")]
    let from = reqwest::Client::builder().local_address("127.0.0.77".parse().ok()).build().unwrap();
    drop(http_client());
    let sessions = format!("{}/v1/sessions", app.url());
    assert_eq!(from.post(&sessions).json(&body).send().await.unwrap().status(), 201);
    let wrong = json!({ "email": KNOWN[0], "password": "not the password at all" });
    assert_eq!(from.post(&sessions).json(&wrong).send().await.unwrap().status(), 401);

    let mut person = app.sign_in(KNOWN[0]).await;
    let started = person.post("/v1/connections", json!({ "entitlements": EVERYTHING })).await;
    app.consent(&person, &started.expect(201)).await;
    person.vehicles = person.get("/v1/vehicles").await.expect(200).list("vehicle_id");
    let guest = app.guest().await;
    let texts = json!({ "label": KNOWN[2], "metadata": { "place": KNOWN[3] },
        "external_ref": KNOWN[8], "instructions": KNOWN[12], "fallback_text": KNOWN[13],
        "return_terms": { "place": { "latitude": 47.987654, "longitude": 8.5, "radius_m": 50 } } });
    let grant_id = person.lend_with(app, &guest, texts).await.expect(201).text("grant_id");
    let described = json!({ "label": KNOWN[14], "plate": KNOWN[15], "colour": KNOWN[16], "vin": KNOWN[17], "metadata": { "a": KNOWN[18] } });
    let car = format!("/v1/vehicles/{}", person.vehicles[0]);
    let seen = person.get(&car).await.expect(200);
    person.patch(&car, &seen, described).await.expect(200);
    let numbered = admin.request(reqwest::Method::PATCH, &format!("/v1/users/{}", person.id));
    let numbered = numbered.json(&json!({ "external_ref": KNOWN[19] })).send().await.unwrap();
    assert_eq!(numbered.status(), 200);
    let path = format!("/v1/grants/{grant_id}/revoke");
    person.post(&path, json!({ "reason": KNOWN[4] })).await.expect(200);
    let car = || json!({ "vehicle_id": person.vehicles[0] });
    for (what, reason) in [("holds", KNOWN[9]), ("ends", KNOWN[10])] {
        let body = json!({ "scope": car(), "reason": reason });
        let done = admin.post(&format!("/v1/{what}"), body).await.expect(201);
        if what == "holds" {
            admin.delete(&format!("/v1/holds/{}", done.text("hold_id"))).await.expect(204);
        }
    }
    let over_person = json!({ "scope": { "user_id": person.id }, "reason": KNOWN[11] });
    admin.post("/v1/ends", over_person).await.expect(201);
    let drive = json!({
        "vehicle_id": person.vehicles[0],
        "action": "set_destination",
        "latitude": 47.123_456,
        "longitude": 8.654_321,
    });
    let driven = person.post_as("/v1/commands", KNOWN[7], drive).await;
    assert!([200, 202].contains(&driven.status), "{}", driven.body);
    app.settle().await;
    sequence_and_sign(app.service()).await;
    (person, grant_id)
}

async fn texts(app: &TestApp, sql: &'static str) -> Vec<String> {
    let mut reader = app.service().base.store.read().await.unwrap();
    query(sql).fetch_all(&mut reader).await.unwrap()
}

on_both! {
    async fn a_dump_after_the_erasure_of_a_person_says_nothing_of_them(app) {
        let (person, _) = somebody(app).await;
        let admin = app.admin().await;
        let hash = texts(app, "SELECT password_hash FROM users WHERE email = 'zaphod.beeblebrox@story.example'").await;
        let cloud_user = app.cloud.user_id().await;
        let known: Vec<&str> = KNOWN.iter().copied().chain([hash[0].as_str(), &cloud_user]).collect();
        let before = app.dump().await;
        for text in &known {
            assert!(found(&before, text), "{text} is not where the test looks");
        }
        let beside = app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM personal_data").await;

        let path = format!("/v1/users/{}/personal-data", person.id);
        let erased = person.delete(&path).await.expect(200);
        assert_eq!(erased.body, json!({ "user_id": person.id, "ended_upstream": true }));
        let after = app.dump().await;
        let left: Vec<_> = known.iter().filter(|text| found(&after, text)).collect();
        assert!(left.is_empty(), "still there: {left:?}");
        assert_eq!(app.cloud.consented_cars().await, 0);
        let others = app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM personal_data").await;
        assert!(others > 0 && others < beside, "{beside} before, {others} after");

        // The account is closed and nameless; what they did is in the record, once and for ever.
        person.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        let account = admin.get(&format!("/v1/users/{}", person.id)).await.expect(200);
        assert_eq!(account.text("email"), format!("{}@erased.invalid", person.id));
        assert_eq!(account.text("display_name"), "erased");
        assert!(account.body["disabled_at"].is_string());
        admin.delete(&path).await.expect(200);
        let list = format!("/v1/audit-entries?limit=100&user_id={}", person.id);
        let entries = admin.get(&list).await.expect(200).list("event");
        let times = |event: &str| entries.iter().filter(|e| *e == event).count();
        assert_eq!((times("user.personal_data_erased"), times("user.disabled")), (1, 1));
        assert_eq!((times("session.refused"), times("grant.revoked")), (1, 1));
        let commands = format!("/v1/vehicles/{}/commands", person.vehicles[0]);
        assert_eq!(admin.get(&commands).await.expect(200).list("action"), ["set_destination"]);
    }

    async fn a_proof_of_before_the_erasure_stays_good_and_a_new_one_can_be_made(app) {
        let (person, grant_id) = somebody(app).await;
        let admin = app.admin().await;
        let list = format!("/v1/audit-entries?grant_id={grant_id}&event=grant.revoked");
        let entry_id = admin.get(&list).await.expect(200).list("entry_id").remove(0);
        let path = format!("/v1/audit-entries/{entry_id}/proof");
        let keys = verifier_keys(app.service());
        let proof = async || {
            let file = admin.get(&path).await.expect(200);
            Proof::from_bytes(file.body.as_str().unwrap().as_bytes()).unwrap()
        };
        let before = proof().await;
        assert!(String::from_utf8_lossy(&before.leaf).contains("personal_commitment"));
        admin.delete(&format!("/v1/users/{}/personal-data", person.id)).await.expect(200);
        app.run_workers().await;
        let after = proof().await;
        assert_eq!(before.leaf, after.leaf);
        assert!(before.check(ORIGIN, &keys).is_ok() && after.check(ORIGIN, &keys).is_ok());
    }

    async fn a_consent_that_waits_goes_with_its_person_and_is_ended_upstream(app) {
        let (person, admin) = (app.member("person").await, app.admin().await);
        let started = person.post("/v1/connections", json!({})).await.expect(201);
        let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
        assert_eq!(app.cloud.consented_cars().await, 3);
        let path = format!("/v1/users/{}/personal-data", person.id);
        let erased = admin.delete(&path).await.expect(200);
        assert_eq!(erased.body, json!({ "user_id": person.id, "ended_upstream": true }));
        assert_eq!(app.cloud.consented_cars().await, 0);
        let kept = "SELECT CAST(COUNT(*) AS BIGINT) FROM connections \
            WHERE sealed_consent IS NOT NULL OR completion_hash IS NOT NULL";
        assert_eq!(app.count(kept).await, 0);
        let path = format!("/v1/connections/{}", received.text("connection_id"));
        assert_eq!(admin.get(&path).await.expect(200).text("status_reason"), "erased");
        // A second time changes nothing.
        let path = format!("/v1/users/{}/personal-data", person.id);
        assert_eq!(admin.delete(&path).await.expect(200).body, erased.body);
    }

    async fn a_consent_that_waits_and_could_not_be_ended_upstream_is_said_not_to_be(app) {
        let person = app.member("person").await;
        let started = person.post("/v1/connections", json!({})).await.expect(201);
        app.pass_consent(&started.text("authorize_url")).await.expect(200);
        // Longer than the application's token lives; the next one is not to be had.
        app.advance(std::time::Duration::from_secs(2 * 60 * 60));
        app.cloud.refuse_tokens().await;
        let path = format!("/v1/users/{}/personal-data", person.id);
        let erased = app.admin().await.delete(&path).await.expect(200);
        assert_eq!(erased.body, json!({ "user_id": person.id, "ended_upstream": false }));
        assert_eq!(app.cloud.consented_cars().await, 3);
    }

    async fn only_oneself_and_administrators_erase(app) {
        let (guest, stranger) = (app.guest().await, app.stranger().await);
        let (admin, foreigner) = (app.admin().await, app.foreigner().await);
        let path = format!("/v1/users/{}/personal-data", guest.id);
        stranger.delete(&path).await.expect_problem(403, "admin_only");
        foreigner.delete(&path).await.expect_problem(404, "not_found");
        let client = app.api_client(&["users:write", "users:read"]).await;
        guest.allow(&client).await;
        client.acting_for(&guest).delete(&path).await.expect_problem(403, "admin_only");
        for odd in ["/v1/users/x/personal-data", "/v1/users/usr_00000000000000000000000001/personal-data"] {
            admin.delete(odd).await.expect_problem(404, "not_found");
        }
        guest.get("/v1/users/me").await.expect(200);
        guest.delete(&path).await.expect(200);
        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
    }

    async fn kept_answers_about_the_person_go_and_those_about_others_stay(app) {
        let admin = app.admin().await;
        let make = |name: &str| json!({ "email": format!("{name}@story.example"), "display_name": name });
        let kim = admin.post_as("/v1/users", "key-kim", make("kim")).await.expect(201);
        let lou = admin.post_as("/v1/users", "key-lou", make("lou")).await.expect(201);
        let path = format!("/v1/users/{}/personal-data", kim.text("user_id"));
        admin.delete(&path).await.expect(200);
        let again = admin.post_as("/v1/users", "key-lou", make("lou")).await.expect(201);
        assert_eq!(again.body, lou.body);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let anew = admin.post_as("/v1/users", "key-kim", make("kim")).await.expect(201);
        assert_ne!(anew.text("user_id"), kim.text("user_id"), "the address is free again");
    }
}

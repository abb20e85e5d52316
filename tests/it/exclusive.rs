//! One car, one holder: whoever lends and changes at the same time, an exclusive car is never lent twice.

use std::time::Duration;

use keylend::clock::Clock;
use keylend::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::support::{Actor, Database, Reply, TestApp, on_both};

/// Pairs of acts on each database, and on two instances: together a thousand.
const PAIRS: usize = 340;
const HOUR: Duration = Duration::from_secs(60 * 60);

fn hours(now: Timestamp, from: u32, until: u32) -> Value {
    json!({ "not_before": now.plus(HOUR * from), "not_after": now.plus(HOUR * until) })
}

async fn lend(app: &TestApp, owner: &Actor, guest: &Actor, times: &Value) -> Reply {
    owner.lend_with(app, guest, times.clone()).await
}

async fn amend(owner: &Actor, grant: &Reply, changes: &Value) -> Reply {
    owner.patch(&format!("/v1/grants/{}", grant.text("grant_id")), grant, changes.clone()).await
}

async fn share(owner: &Actor, changes: Value) -> Reply {
    let path = format!("/v1/vehicles/{}", owner.vehicles[0]);
    let seen = owner.get(&path).await.expect(200);
    owner.patch(&path, &seen, changes).await
}

async fn revoke(owner: &Actor, grant: &Reply) {
    let path = format!("/v1/grants/{}/revoke", grant.text("grant_id"));
    owner.post(&path, json!({})).await.expect(200);
}

/// Does both at the same time; each begins every other time.
async fn both(
    number: usize,
    one: impl Future<Output = Reply>,
    other: impl Future<Output = Reply>,
) -> [Reply; 2] {
    if number.is_multiple_of(2) {
        tokio::join!(one, other).into()
    } else {
        let (other, one) = tokio::join!(other, one);
        [one, other]
    }
}

/// Two at the same time want what one can have: two who lend, one who lends and one who extends or approves, or two who
/// extend.
async fn pair(
    app: &TestApp,
    number: usize,
    (here, there): (&Actor, &Actor),
    guests: [&Actor; 2],
) -> [Reply; 2] {
    let now = app.clock.now();
    let wanted = hours(now, 1, 3);
    match number % 4 {
        0 => {
            let overlapping = hours(now, 2, 4);
            both(
                number,
                lend(app, here, guests[0], &wanted),
                lend(app, there, guests[1], &overlapping),
            )
            .await
        }
        1 => {
            let early = lend(app, here, guests[0], &hours(now, 0, 1)).await.expect(201);
            let longer = json!({ "not_after": wanted["not_after"] });
            let answers = both(
                number / 4,
                amend(here, &early, &longer),
                lend(app, there, guests[1], &wanted),
            )
            .await;
            if answers[0].status != 200 {
                revoke(here, &early).await;
            }
            answers
        }
        2 => {
            let early = lend(app, here, guests[0], &hours(now, 0, 1)).await.expect(201);
            let asked = json!({ "not_after": wanted["not_after"] });
            let path = format!("/v1/grants/{}/extension-requests", early.text("grant_id"));
            let asked = guests[0].post(&path, asked).await.expect(201).text("extension_request_id");
            let approve = format!("{path}/{asked}/approve");
            let approve = here.post(&approve, json!({}));
            let answers = both(number / 4, approve, lend(app, there, guests[1], &wanted)).await;
            if answers[0].status != 200 {
                revoke(here, &early).await;
            }
            answers
        }
        _ => {
            let early = lend(app, here, guests[0], &hours(now, 0, 1)).await.expect(201);
            let late = lend(app, here, guests[1], &hours(now, 3, 4)).await.expect(201);
            let (longer, sooner) = (
                json!({ "not_after": wanted["not_after"] }),
                json!({ "not_before": wanted["not_before"] }),
            );
            let answers =
                both(number / 4, amend(here, &early, &longer), amend(there, &late, &sooner)).await;
            for (grant, answer) in [&early, &late].into_iter().zip(&answers) {
                if answer.status != 200 {
                    revoke(here, grant).await;
                }
            }
            answers
        }
    }
}

async fn compete(app: &TestApp, pairs: usize, place: &str) {
    let (owner, admin) = (app.owner().await, app.admin().await);
    let guests = [&app.guest().await, &app.member("second").await];
    share(&owner, json!({ "sharing": "exclusive" })).await.expect(200);
    let there = owner.at(place);
    let mut won = [0, 0];
    for number in 0..pairs {
        let answers = pair(app, number, (&owner, &there), guests).await;
        let winners: Vec<usize> = (0..2).filter(|&place| answers[place].status < 300).collect();
        let [winner] = winners[..] else { panic!("pair {number}: {answers:?}") };
        won[winner] += 1;
        let loser = answers[1 - winner].clone().expect_problem(409, "window_taken");
        assert!(!loser.body["free_windows"].as_array().unwrap().is_empty());
        let body =
            json!({ "scope": { "vehicle_id": owner.vehicles[0] }, "reason": "The next pair." });
        let ended = admin.post("/v1/ends", body).await.expect(201);
        assert_eq!(ended.body["grants"], json!(1), "pair {number}: one holder");
        app.advance(Duration::from_millis(300));
    }
    assert!(won.iter().all(|&count| count > 0), "{won:?}: they do not compete");
}

on_both! {
    async fn two_who_want_the_same_time_never_both_get_it(app) {
        compete(app, PAIRS, app.url()).await;
    }

    async fn one_request_that_is_sent_twice_is_one_booking(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        share(&owner, json!({ "sharing": "exclusive" })).await.expect(200);
        for number in 0..20 {
            let mut body = hours(app.clock.now(), 1, 2);
            body["vehicle_id"] = json!(owner.vehicles[0]);
            body["grantee_id"] = json!(guest.id);
            body["entitlements"] = json!(["unlock", "lock"]);
            let key = format!("booking-{number}");
            let copies = (0..3).map(|_| owner.post_as("/v1/grants", &key, body.clone()));
            let answers = futures_util::future::join_all(copies).await;
            let first = answers[0].clone().expect(201);
            assert!(answers.iter().all(|answer| answer.body == first.body), "{answers:?}");
            let switch = format!("/v1/grants/{}/switch-vehicle", first.text("grant_id"));
            let to = json!({ "vehicle_id": owner.vehicles[1] });
            let copies = (0..3).map(|_| owner.post_as(&switch, &key, to.clone()));
            let answers = futures_util::future::join_all(copies).await;
            let moved = answers[0].clone().expect(201);
            assert!(answers.iter().all(|answer| answer.body == moved.body), "{answers:?}");
            revoke(&owner, &moved).await;
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 40);
    }

    async fn what_has_just_expired_is_not_lent_once_more_for_the_same_time(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        share(&owner, json!({ "sharing": "exclusive" })).await.expect(200);
        let now = app.clock.now();
        lend(app, &owner, &guest, &hours(now, 0, 1)).await.expect(201);
        app.advance(HOUR);
        let owner = crate::api::again(app, &owner, "owner").await;
        let other = app.member("other").await;
        let back = json!({ "not_before": now.plus(HOUR / 2), "not_after": now.plus(HOUR * 2) });
        lend(app, &owner, &other, &back).await.expect_problem(409, "window_taken");
        lend(app, &owner, &other, &hours(now, 1, 2)).await.expect(201);
    }

    async fn an_exclusive_car_is_lent_when_it_is_free(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (other, now) = (app.member("other").await, app.clock.now());
        let both = json!({ "sharing": "exclusive", "buffer_minutes": 30 });
        let shared = share(&owner, both).await.expect(200);
        assert_eq!((shared.text("sharing"), &shared.body["buffer_minutes"]), ("exclusive".into(), &json!(30)));
        let first = lend(app, &owner, &guest, &hours(now, 2, 4)).await.expect(201);
        let taken = lend(app, &owner, &other, &hours(now, 3, 5)).await.expect_problem(409, "window_taken");
        assert_eq!(taken.body["free_windows"], json!([{ "not_before": now.plus(HOUR * 9 / 2), "not_after": null }]));
        assert!(!taken.body.to_string().contains(&guest.id), "it names nobody");
        // There is half an hour between two.
        let times = |from: u32, until: u32| json!({ "not_before": now.plus(HOUR * from / 4), "not_after": now.plus(HOUR * until / 4) });
        let early = lend(app, &owner, &other, &times(0, 7)).await.expect_problem(409, "window_taken");
        let free = json!([{ "not_before": now.plus(HOUR * 9 / 2), "not_after": null }]);
        assert_eq!(early.body["free_windows"], free);
        let second = lend(app, &owner, &other, &times(0, 6)).await.expect(201);
        lend(app, &owner, &other, &times(17, 20)).await.expect_problem(409, "window_taken");
        lend(app, &owner, &other, &times(18, 20)).await.expect(201);
        let between = lend(app, &owner, &other, &times(4, 5)).await.expect_problem(409, "window_taken");
        assert_eq!(between.body["free_windows"], json!([{ "not_before": now.plus(HOUR * 11 / 2), "not_after": null }]));
        // What opens nothing takes no time, and what allows less needs none.
        let lock = json!({ "entitlements": ["lock"], "not_before": now.plus(HOUR * 2), "not_after": now.plus(HOUR * 4) });
        let lock = lend(app, &owner, &other, &lock).await.expect(201);
        amend(&owner, &lock, &json!({ "entitlements": ["unlock", "lock"] })).await.expect_problem(409, "window_taken");
        let shorter = amend(&owner, &first, &json!({ "not_after": now.plus(HOUR * 3) })).await.expect(200);
        amend(&owner, &shorter, &json!({ "not_after": now.plus(HOUR * 4) })).await.expect(200);
        let longer = json!({ "not_after": now.plus(HOUR * 5) });
        let first = owner.get(&format!("/v1/grants/{}", first.text("grant_id"))).await.expect(200);
        amend(&owner, &first, &longer).await.expect_problem(409, "window_taken");
        // What has ended leaves its time free.
        revoke(&owner, &second).await;
        lend(app, &owner, &other, &times(4, 6)).await.expect(201);
    }

    async fn a_car_becomes_exclusive_when_nothing_overlaps(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (other, now) = (app.member("other").await, app.clock.now());
        let first = lend(app, &owner, &guest, &hours(now, 1, 3)).await.expect(201);
        let second = lend(app, &owner, &other, &hours(now, 2, 4)).await.expect(201);
        let exclusive = || json!({ "sharing": "exclusive" });
        share(&owner, exclusive()).await.expect_problem(409, "grants_overlap");
        amend(&owner, &second, &json!({ "not_before": now.plus(HOUR * 3) })).await.expect(200);
        share(&owner, json!({ "sharing": "exclusive", "buffer_minutes": 1 })).await.expect_problem(409, "grants_overlap");
        share(&owner, exclusive()).await.expect(200);
        share(&owner, json!({ "buffer_minutes": 1 })).await.expect_problem(409, "grants_overlap");
        revoke(&owner, &first).await;
        share(&owner, json!({ "buffer_minutes": 1440 })).await.expect(200);
        share(&owner, json!({ "sharing": "shared" })).await.expect(200);
        lend(app, &owner, &guest, &hours(now, 2, 4)).await.expect(201);
        for wrong in [json!({ "sharing": "mine" }), json!({ "buffer_minutes": -1 }), json!({ "buffer_minutes": 1441 })] {
            share(&owner, wrong).await.expect_problem(422, "validation_failed");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_two_instances_they_never_both_get_it() {
    let mut app = TestApp::start(Database::Postgres).await;
    app.add_instance().await;
    let there = app.url_of(1).to_owned();
    compete(&app, PAIRS, &there).await;
    app.finish().await;
}

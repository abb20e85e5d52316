//! The service and its witnesses: what they cosign is what is published, and another history never
//! is.

use std::time::Duration;

use keylend::audit::checkpoint::{self, Checkpoint};
use keylend::audit::proof::Proof;
use keylend::service::record::{self, accept_rollback, examine};
use serde_json::json;

use crate::support::record::{ORIGIN, sequence_and_sign, verifier_keys};
use crate::support::witness::{Witness, setting};
use crate::support::{Actor, Database, Terminal, TestApp};

/// Each story on SQLite and on PostgreSQL.
macro_rules! on_both_with_witnesses {
    ($($story:ident)*) => {
        $(
            mod $story {
                use super::Database;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    super::$story(Database::Sqlite).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    super::$story(Database::Postgres).await;
                }
            }
        )*
    };
}

on_both_with_witnesses! {
    what_is_published_was_cosigned_by_as_many_witnesses_as_must_have
    a_copy_goes_as_far_as_its_witnesses_have_cosigned
    a_witness_that_is_away_holds_nothing_up_and_is_asked_again
    a_second_history_with_the_same_key_is_never_cosigned
    after_a_rollback_only_a_new_witness_cosigns
}

/// The service with these witnesses.
async fn watched(database: Database, witnesses: &[&Witness], min: usize) -> TestApp {
    let setting = setting(witnesses, min);
    TestApp::start_as(database, |config| config.record.witnesses = setting).await
}

/// Positions, a signature, and the witnesses asked once: what the workers do in a quarter second.
async fn work(app: &TestApp) {
    sequence_and_sign(app.service()).await;
    record::open_round(&app.service().record).await.unwrap();
    for place in 0..app.service().record.witnesses().len() {
        record::ask_witness(&app.service().record, place).await.unwrap();
    }
}

async fn opened(app: &TestApp, path: &str, witnesses: &[&Witness]) -> Checkpoint {
    let answer = Actor::nobody(app).get(path).await.expect(200);
    let mut keys = verifier_keys(app.service());
    keys.extend(witnesses.iter().map(|witness| witness.key.clone()));
    checkpoint::open(answer.body.as_str().unwrap().as_bytes(), ORIGIN, &keys).unwrap()
}

/// The value of a metric of a witness.
async fn measured(app: &TestApp, metric: &str, witness: &Witness) -> f64 {
    let page = Actor::nobody(app).get("/metrics").await.expect(200);
    let name = format!("{metric}{{witness=\"{}\"", witness.key.name());
    let line = page.body.as_str().unwrap().lines().find(|line| line.starts_with(&name));
    line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
}

async fn what_is_published_was_cosigned_by_as_many_witnesses_as_must_have(database: Database) {
    let name = |n: u8| format!("w{n}.{database:?}.example/both");
    let (one, two) = (Witness::start(&name(1)).await, Witness::start(&name(2)).await);
    let both = [&one, &two];
    let app = watched(database, &both, 2).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    sequence_and_sign(app.service()).await;
    Actor::nobody(&app).get("/log/checkpoint").await.expect_problem(404, "not_found");
    work(&app).await;
    let first = opened(&app, "/log/checkpoint", &both).await;
    assert_eq!(first.cosignatures.len(), 2);

    // A proof of what the witnesses saw carries what they said.
    let entries = owner.get(&format!("/v1/audit-entries?vehicle_id={}", owner.vehicles[0])).await;
    let entry_id = entries.expect(200).list("entry_id").pop().unwrap();
    let path = format!("/v1/audit-entries/{entry_id}/proof");
    let proof = owner.get(&path).await.expect(200);
    let proof = Proof::from_bytes(proof.body.as_str().unwrap().as_bytes()).unwrap();
    let mut keys = verifier_keys(app.service());
    keys.extend(both.iter().map(|witness| witness.key.clone()));
    assert_eq!(proof.check(ORIGIN, &keys).unwrap().cosignatures.len(), 2);

    // Within a second nothing new is put before them, and what is newer is not published yet.
    owner.lend(&app, &guest).await;
    work(&app).await;
    assert_eq!(opened(&app, "/log/checkpoint", &both).await.head, first.head);
    let newest = opened(&app, "/log/checkpoint/newest", &both).await;
    assert!(newest.head.size > first.head.size && newest.cosignatures.is_empty());
    app.advance(Duration::from_secs(1));
    work(&app).await;
    let second = opened(&app, "/log/checkpoint", &both).await;
    assert_eq!((second.head.size, second.cosignatures.len()), (newest.head.size, 2));
    assert_eq!(app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM record_rounds").await, 2);
    app.finish().await;
}

async fn a_copy_goes_as_far_as_its_witnesses_have_cosigned(database: Database) {
    let name = |n: u8| format!("w{n}.{database:?}.example/copy");
    let (one, two) = (Witness::start(&name(1)).await, Witness::start(&name(2)).await);
    let both = [&one, &two];
    let app = watched(database, &both, 2).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_DATABASE_URL", &app.database_url());
    let [first, second] = both.map(|witness| witness.key.to_string());
    let addresses = both.map(|witness| format!("{}={}", witness.key, witness.url));
    terminal.export("KEYLEND_RECORD_WITNESSES", &addresses.join(" "));
    terminal.export("KEYLEND_RECORD_WITNESSES_MIN", "2");
    let export = ["audit", "export", "copy"];
    let key = verifier_keys(app.service()).remove(0).to_string();
    let verify =
        ["audit", "verify", "copy", "--key", &key, "--witness", &first, "--witness", &second];

    sequence_and_sign(app.service()).await;
    let printed = terminal.run(&export).await.well();
    assert!(
        printed.ends_with("not enough witnesses have cosigned this checkpoint yet\n"),
        "{printed}"
    );
    terminal.run(&verify).await.ended(1);

    work(&app).await;
    let cosigned = opened(&app, "/log/checkpoint", &both).await.head.size;
    owner.lend(&app, &guest).await;
    sequence_and_sign(app.service()).await;
    let signed = opened(&app, "/log/checkpoint/newest", &both).await.head.size;
    assert!(cosigned < signed);
    let printed = terminal.run(&export).await.well();
    let beyond = format!("{} more are signed, and not yet cosigned", signed - cosigned);
    assert!(printed.starts_with(&format!("{cosigned} entries")), "{printed}");
    assert!(printed.contains(&beyond), "{printed}");
    terminal.run(&verify).await.well();

    // A copy that is further already does not become shorter.
    terminal.run(&[&export[..], &["--as-found"]].concat()).await.well();
    let printed = terminal.run(&[&export[..], &["--output", "json"]].concat()).await.json();
    assert_eq!(printed["size"], signed);
    assert_eq!((&printed["new"], &printed["witnessed"]), (&json!(0), &json!(false)));
    app.advance(Duration::from_secs(1));
    work(&app).await;
    let printed = terminal.run(&[&export[..], &["--output", "json"]].concat()).await.json();
    assert_eq!((&printed["size"], &printed["witnessed"]), (&json!(signed), &json!(true)));
    terminal.run(&verify).await.well();
    let evidence = [&export[..], &["--as-found", "--output", "json"]].concat();
    assert_eq!(terminal.run(&evidence).await.json()["witnessed"], true);
    terminal.run(&verify).await.well();
    app.finish().await;
}

async fn a_witness_that_is_away_holds_nothing_up_and_is_asked_again(database: Database) {
    let name = |n: u8| format!("w{n}.{database:?}.example/away");
    let (mut one, two) = (Witness::start(&name(1)).await, Witness::start(&name(2)).await);
    let app = watched(database, &[&one, &two], 1).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    work(&app).await;
    assert_eq!(opened(&app, "/log/checkpoint", &[&one, &two]).await.cosignatures.len(), 2);
    assert!(measured(&app, "keylend_witness_lag_entries", &one).await < 0.5);

    one.kill().await;
    owner.lend(&app, &guest).await;
    let entries = app.count("SELECT size FROM record_state").await;
    app.advance(Duration::from_secs(90));
    work(&app).await;
    let published = opened(&app, "/log/checkpoint", &[&one, &two]).await;
    assert_eq!(published.cosignatures.len(), 1, "one of two is enough");
    assert_eq!(published.cosignatures[0].0, two.key);
    let behind = published.head.size as f64 - entries as f64;
    assert!((measured(&app, "keylend_witness_lag_entries", &one).await - behind).abs() < 0.5);
    let lag = measured(&app, "keylend_witness_lag_seconds", &one).await;
    assert!((89.0..=91.0).contains(&lag), "{lag}");
    assert!(measured(&app, "keylend_witness_lag_seconds", &two).await < 0.5);
    assert_eq!(Actor::nobody(&app).get("/readyz").await.status, 200);

    one.resume().await;
    work(&app).await;
    let published = opened(&app, "/log/checkpoint", &[&one, &two]).await;
    assert_eq!(published.cosignatures.len(), 1, "it was asked before its rest was over");
    app.advance(Duration::from_secs(1));
    work(&app).await;
    assert_eq!(opened(&app, "/log/checkpoint", &[&one, &two]).await.cosignatures.len(), 2);
    assert!(measured(&app, "keylend_witness_lag_seconds", &one).await < 0.5);
    app.finish().await;
}

async fn a_second_history_with_the_same_key_is_never_cosigned(database: Database) {
    let witness = Witness::start(&format!("w1.{database:?}.example/fork")).await;
    let first = watched(database, &[&witness], 1).await;
    first.owner().await;
    work(&first).await;
    let cosigned = opened(&first, "/log/checkpoint", &[&witness]).await.head;

    // The same key and the same name on another database: first with less in it, then with more.
    let second = watched(database, &[&witness], 1).await;
    work(&second).await;
    let smaller = opened(&second, "/log/checkpoint/newest", &[&witness]).await;
    assert!(smaller.head.size < cosigned.size && smaller.cosignatures.is_empty());
    let owner = second.owner().await;
    let guest = second.guest().await;
    owner.lend(&second, &guest).await;
    for _ in 0..3 {
        second.advance(Duration::from_secs(61));
        work(&second).await;
    }
    let larger = opened(&second, "/log/checkpoint/newest", &[&witness]).await;
    assert!(larger.head.size > cosigned.size && larger.cosignatures.is_empty());
    Actor::nobody(&second).get("/log/checkpoint").await.expect_problem(404, "not_found");
    for outcome in ["ahead", "refused"] {
        let metric = "keylend_witness_requests_total";
        let page = Actor::nobody(&second).get("/metrics").await.expect(200);
        let name = format!("{metric}{{witness=\"{}\",outcome=\"{outcome}\"}}", witness.key.name());
        assert!(page.body.as_str().unwrap().contains(&name), "{name}");
    }
    // The first goes on.
    first.advance(Duration::from_secs(1));
    first.guest().await;
    work(&first).await;
    assert!(opened(&first, "/log/checkpoint", &[&witness]).await.head.size > cosigned.size);
    first.finish().await;
    second.finish().await;
}

async fn after_a_rollback_only_a_new_witness_cosigns(database: Database) {
    let name = |n: u8| format!("w{n}.{database:?}.example/rollback");
    let (old, new) = (Witness::start(&name(1)).await, Witness::start(&name(2)).await);
    let mut app = watched(database, &[&old], 1).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    work(&app).await;
    let backup = app.backup().await;
    let grant_id = owner.at(app.url()).lend(&app, &guest).await;
    let owner = app.sign_in("owner@story.example").await;
    owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
    app.advance(Duration::from_secs(1));
    work(&app).await;
    let cosigned = opened(&app, "/log/checkpoint", &[&old]).await.head;

    app.restore(backup).await;
    let rolled_back = examine(&app.service().record).await.unwrap().expect("an old database");
    accept_rollback(&app.service().record, &rolled_back).await.unwrap();
    for _ in 0..8 {
        app.sign_in("owner@story.example").await;
        app.advance(Duration::from_secs(61));
        work(&app).await;
    }
    let newest = opened(&app, "/log/checkpoint/newest", &[&old]).await;
    assert!(newest.head.size > cosigned.size && newest.cosignatures.is_empty());
    Actor::nobody(&app).get("/log/checkpoint").await.expect_problem(404, "not_found");

    app.change_settings(|config| config.record.witnesses = setting(&[&new], 1)).await;
    app.advance(Duration::from_secs(6));
    app.sign_in("owner@story.example").await;
    work(&app).await;
    let published = opened(&app, "/log/checkpoint", &[&old, &new]).await;
    assert_eq!(published.cosignatures.len(), 1);
    assert_eq!(published.cosignatures[0].0, new.key);
    app.finish().await;
}

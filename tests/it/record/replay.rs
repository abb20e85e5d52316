//! Decisions made again, from a copy of the record alone, with the program's own command: they agree, and a decision on what
//! somebody changed in the database without a word in the record does not.

use serde_json::{Value, json};

use crate::support::{Actor, Database, Terminal, TestApp, record};

/// A car that a guest used, and may not use at present.
struct Held {
    app: TestApp,
    guest: Actor,
    car: String,
    terminal: Terminal,
}

async fn held(database: Database) -> Held {
    let app = TestApp::start(database).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let grant_id = owner.lend_with(&app, &guest, json!({ "max_uses": 9 })).await.expect(201);
    let holder = guest.holder_of(&grant_id.text("grant_id")).await;
    holder.command(&car, "unlock").await.expect(200);
    holder.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect(200);
    let hold = json!({ "scope": { "vehicle_id": car }, "reason": "Washed." });
    owner.post("/v1/holds", hold).await.expect(201);
    holder.command(&car, "unlock").await.expect_problem(403, "grant_held");
    holder.command(&car, "lock").await.expect(200);
    app.settle().await;
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_DATABASE_URL", &app.database_url());
    Held { app, guest: holder, car, terminal }
}

impl Held {
    /// What the command says of a fresh copy.
    async fn replay(&self, folder: &str, status: i32) -> Value {
        record::sequence_and_sign(self.app.service()).await;
        self.terminal.run(&["audit", "export", folder]).await.well();
        let said =
            self.terminal.run(&["audit", "replay", folder, "-o", "json"]).await.ended(status);
        serde_json::from_str(&said).unwrap()
    }
}

async fn replayed(database: Database) {
    let held = held(database).await;
    let agreed = held.replay("agrees", 0).await;
    let told = [&agreed["agrees"], &agreed["allowed"], &agreed["refused"], &agreed["open"]];
    assert_eq!(told, [&json!(true), &json!(3), &json!(1), &json!(0)]);
    let printed = held.terminal.run(&["audit", "replay", "agrees"]).await.well();
    let entries = agreed["entries"].as_u64().unwrap();
    assert_eq!(
        printed,
        format!(
            "4 decisions of {entries} entries were made again and agree: 3 allowed, 1 refused\n"
        )
    );

    // Somebody who owns the database takes the hold away for a moment, and lets the door be opened.
    held.app.execute("UPDATE vehicles SET holds = NULL").await;
    held.guest.command(&held.car, "unlock").await.expect(200);
    held.app.settle().await;
    let found = held.replay("planted", 1).await;
    let words = "it was allowed; by the facts at that time it is refused with grant_held";
    assert_eq!((&found["agrees"], &found["finding"]), (&json!(false), &json!(words)));
    let position = found["position"].as_u64().unwrap();
    assert!(position >= entries, "{found}");
    let printed = held.terminal.run(&["audit", "replay", "planted"]).await.ended(1);
    assert_eq!(printed, format!("entry {position}: {words}\n"));
    // The copy is what was signed all the same: a record that nobody changed can still tell of a wrong decision.
    let found = record::replay(held.app.service()).await.unwrap_err();
    assert_eq!(found.position, position);
    record::verify(held.app.service()).await.unwrap();
    held.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_follow_from_the_record_is_found_on_sqlite() {
    replayed(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_follow_from_the_record_is_found_on_postgres() {
    replayed(Database::Postgres).await;
}

/// A revision that was raised without an entry, and a copy that cannot be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_without_an_entry_and_a_copy_without_its_files_are_told_apart() {
    let held = held(Database::Sqlite).await;
    held.app.execute("UPDATE vehicles SET holds = NULL, revision = revision + 1").await;
    held.guest.command(&held.car, "unlock").await.expect(200);
    held.app.settle().await;
    let found = held.replay("unrecorded", 1).await;
    let words = format!("it rests on revision 3 of {}, and no entry says what that was", held.car);
    assert_eq!(found["finding"], json!(words));
    std::fs::remove_dir_all(held.terminal.folder().join("unrecorded/tile/entries")).unwrap();
    let missing = held.terminal.run(&["audit", "replay", "unrecorded"]).await;
    assert_eq!(missing.status.code(), Some(2), "{}", missing.stderr);
    let nothing = held.terminal.run(&["audit", "replay", "nowhere"]).await;
    assert_eq!(nothing.status.code(), Some(2), "{}", nothing.stderr);
    held.app.end().await;
}

/// What was changed quietly does not become good when somebody changes something else of the row honestly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_change_is_found_also_after_an_honest_one() {
    let held = held(Database::Sqlite).await;
    held.app.execute("UPDATE grants SET not_after = not_after + 60000000").await;
    let grants = held.app.admin().await.get("/v1/grants").await.expect(200);
    let grant_id = grants.body["data"][0]["grant_id"].as_str().unwrap().to_owned();
    let hold = json!({ "scope": { "grant_id": grant_id }, "reason": "Lost." });
    held.app.admin().await.post("/v1/holds", hold).await.expect(201);
    let found = held.replay("changed", 1).await;
    let words = format!(
        "`not_after` of {grant_id} is something else in revision 2 than before, and no entry says why"
    );
    assert_eq!(found["finding"], json!(words));
    held.app.end().await;
}

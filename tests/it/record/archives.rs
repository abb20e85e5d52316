//! Old entries are moved out of the database, and the record stays whole.

use std::fs;
use std::path::Path;
use std::time::Duration;

use keylend::audit::tile::WIDTH;
use keylend::clock::Clock;
use keylend::disk::folder::Folder;
use keylend::domain::time::Timestamp;
use keylend::service::record::archive::{self, ArchiveError, Unready, archive};
use keylend::service::record::export::{CopyError, Gaps, export};
use keylend::storage::db::query;
use keylend::storage::record;
use serde_json::json;

use crate::api::webhook_endpoints::deliver;
use crate::support::databases::Database;
use crate::support::operated::Operated;
use crate::support::receiver::Receiver;
use crate::support::record::{checkpoint, sequence_and_sign, verify_copies};
use crate::support::{Actor, TestApp};

const ENTRIES: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries";
const POSITIONS: &str = "SELECT CAST(SUM(LENGTH(entries)) / 32 AS BIGINT) FROM record_bundles";
const ARCHIVED_EVENTS: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries WHERE event = 'record.archived'";

async fn the_record_verifies_from_archive_and_copy_together(database: Database) {
    let service = Operated::start(database).await;
    let (terminal, key) = (&service.terminal, service.key().await);
    service.work(600).await;
    service.checkpoint_over(600).await;
    let archive = ["audit", "archive", "archive", "--older-than-days"];
    let said = terminal.run(&[&archive[..], &["1"]].concat()).await.well();
    assert!(said.starts_with("nothing was archived\nentries 0 to 255 are kept: "), "{said}");
    let said = terminal.run(&[&archive[..], &["0"]].concat()).await.well();
    assert!(
        said.starts_with("archived entries 0 to 511 into archive\nentries from 512 on "),
        "{said}"
    );
    service.entries("000").await.expect_problem(410, "entries_archived");
    service.entries("001.p/3").await.expect_problem(410, "entries_archived");
    service.entries("007").await.expect_problem(404, "not_found");
    assert_eq!(service.entries("002.p/8").await.status, 200);

    service.work(300).await;
    service.checkpoint_over(900).await;
    let said = terminal.run(&["audit", "export", "copy"]).await.well();
    assert!(said.ends_with("those before entry 512 may be in the archive alone\n"), "{said}");
    let both = ["audit", "verify", "archive", "copy", "--key", &key];
    terminal.run(&both).await.well();
    let said = terminal.run(&["audit", "verify", "copy", "--key", &key]).await.ended(1);
    assert!(said.starts_with("entry 0: the checkpoint covers"), "{said}");
    terminal.run(&[&archive[..], &["0"]].concat()).await.well();
    terminal.run(&both).await.well();

    // An entry that is only in the archive is proved from there.
    let bundle = fs::read(terminal.folder().join("archive/tile/entries/000")).unwrap();
    let leaf = keylend::audit::bundle::leaves(&bundle).nth(3).unwrap().unwrap();
    let leaf: serde_json::Value = serde_json::from_slice(leaf).unwrap();
    let entry_id = leaf["entry_id"].as_str().unwrap();
    terminal.run(&["audit", "prove", "archive", "copy", "--entry", entry_id]).await.well();
    let file = format!("{entry_id}.tlog-proof");
    terminal.run(&["audit", "check-proof", &file, "--key", &key]).await.well();
    service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_verifies_from_archive_and_copy_together_on_sqlite() {
    the_record_verifies_from_archive_and_copy_together(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_verifies_from_archive_and_copy_together_on_postgres() {
    the_record_verifies_from_archive_and_copy_together(Database::Postgres).await;
}

/// A service whose signed record has more than two bundles.
async fn with_entries(database: Database) -> TestApp {
    let app = TestApp::start(database).await;
    make_entries(&app).await;
    app
}

async fn make_entries(app: &TestApp) -> (Actor, Actor) {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let path = format!("/v1/grants/{}/token", owner.lend(app, &guest).await);
    for _ in 0..10 {
        let minted = (0..56).map(|_| guest.post(&path, json!({})));
        futures_util::future::join_all(minted).await;
    }
    sequence_and_sign(app.service()).await;
    (owner, guest)
}

async fn copied(app: &TestApp, folder: &str) -> Folder {
    let folder = Folder::at(&app.folder().join(folder));
    let quorum = app.service().record.witnesses().quorum();
    export(&app.service().base.store, &folder, quorum, Gaps::Refuse).await.unwrap();
    folder
}

/// The time from which on nothing is archived: everything there is now is older.
fn later(app: &TestApp) -> Timestamp {
    app.clock.now().plus(Duration::from_secs(1))
}

async fn a_run_that_is_cut_off_anywhere_loses_nothing(database: Database) {
    let app = with_entries(database).await;
    let (service, folder) = (app.service(), Folder::at(&app.folder().join("archive")));
    let (before, entries) = (later(&app), app.count(ENTRIES).await);
    // Cut off within the first step: some files, nothing else.
    let written = archive::write(&service.record, &folder, before).await.unwrap();
    fs::remove_file(folder.path().join("tile/entries/001")).unwrap();
    assert_eq!(app.count(ENTRIES).await, entries);
    drop(written);
    // Cut off after it was noted, before anything was dropped.
    let written = archive::write(&service.record, &folder, before).await.unwrap();
    archive::note(&service.base, &written).await.unwrap();
    assert_eq!(app.count(ENTRIES).await, entries + 1, "the archiving was recorded, and no more");
    assert_eq!(app.count(ARCHIVED_EVENTS).await, 1);
    let again = archive::note(&service.base, &written).await.unwrap_err();
    assert!(matches!(again, ArchiveError::Overtaken), "{again}");
    // A file that is lost before the entries are dropped is written again, also elsewhere.
    fs::remove_file(folder.path().join("tile/entries/000")).unwrap();
    let elsewhere = Folder::at(&app.folder().join("elsewhere"));
    let archived = archive(&service.record, &elsewhere, before).await.unwrap();
    assert_eq!(archived.now, 512..512, "nothing new");
    assert!(matches!(archived.next, Some(Unready::NotCovered(512))), "{archived:?}");
    assert_eq!(app.count(ENTRIES).await, entries + 1 - 512);
    assert_eq!(app.count(ARCHIVED_EVENTS).await, 1);
    sequence_and_sign(service).await;
    assert_eq!(app.count(POSITIONS).await, entries + 1, "positions stay");
    let copy = copied(&app, "copy").await;
    let head = checkpoint(service).await.head;
    let verified = verify_copies(&[&elsewhere, &copy], head).unwrap();
    assert_eq!(verified.head, head);
    // The service goes on as if nothing had happened.
    let admin = app.admin().await;
    let listed = admin.get("/v1/audit-entries?event=record.archived").await.expect(200);
    assert_eq!(listed.body["data"][0]["details"], json!({ "first": 0, "entries": 512 }));
    assert_eq!(Actor::nobody(&app).get("/readyz").await.status, 200);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cut_off_anywhere_loses_nothing_on_sqlite() {
    a_run_that_is_cut_off_anywhere_loses_nothing(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cut_off_anywhere_loses_nothing_on_postgres() {
    a_run_that_is_cut_off_anywhere_loses_nothing(Database::Postgres).await;
}

/// Does something to the entry at a position.
async fn placed(app: &TestApp, position: u64, sql: &'static str) {
    let mut tx = app.service().base.store.begin().await.unwrap();
    let entry = record::entries(&mut tx, position..position + 1).await.unwrap().remove(0).entry;
    query(sql).bind(entry.entry_id).execute_one(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn what_was_not_signed_or_is_not_what_was_signed_stays(database: Database) {
    let app = with_entries(database).await;
    let (service, folder) = (app.service(), Folder::at(&app.folder().join("archive")));
    let young =
        archive(&service.record, &folder, app.clock.now().minus(Duration::from_secs(9))).await;
    let young = young.unwrap();
    assert!(matches!(young.next, Some(Unready::TooYoung { first: 0, last: 255, .. })), "{young:?}");
    let entries = app.count(ENTRIES).await;
    placed(&app, 300, "UPDATE audit_entries SET request_id = 'other' WHERE entry_id = $1").await;
    let changed = archive(&service.record, &folder, later(&app)).await.unwrap_err();
    assert!(matches!(changed, ArchiveError::Changed(300)), "{changed}");
    placed(&app, 200, "DELETE FROM audit_entries WHERE entry_id = $1").await;
    let missing = archive(&service.record, &folder, later(&app)).await.unwrap_err();
    assert!(matches!(missing, ArchiveError::Copy(CopyError::NoEntry(200))), "{missing}");
    assert_eq!(app.count(ENTRIES).await, entries - 1, "something was dropped");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_signed_or_is_not_what_was_signed_stays_on_sqlite() {
    what_was_not_signed_or_is_not_what_was_signed_stays(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_signed_or_is_not_what_was_signed_stays_on_postgres() {
    what_was_not_signed_or_is_not_what_was_signed_stays(Database::Postgres).await;
}

async fn what_is_to_be_sent_is_kept_for_thirty_days(database: Database) {
    let app = TestApp::start(database).await;
    let admin = app.admin().await;
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url(), "types": ["grant.issued"] });
    let made = admin.post("/v1/webhook-endpoints", body).await.expect(201);
    let (owner, guest) = make_entries(&app).await;
    let cursor = admin.get("/v1/events?limit=1").await.expect(200).text("next_cursor");
    let (service, folder) = (app.service(), Folder::at(&app.folder().join("archive")));
    let kept = archive(&service.record, &folder, later(&app)).await.unwrap();
    assert!(matches!(kept.next, Some(Unready::Awaited(0))), "{kept:?}");
    admin.get(&format!("/v1/events?after={cursor}")).await.expect(200);
    // One that is paused keeps nothing.
    let path = format!("/v1/webhook-endpoints/{}", made.text("webhook_endpoint_id"));
    admin.post(&format!("{path}/pause"), json!({})).await.expect(200);
    let written = archive::write(&service.record, &folder, later(&app)).await.unwrap();
    assert!(folder.path().join("tile/entries/001").exists(), "{written:?}");
    admin.post(&format!("{path}/resume"), json!({})).await.expect(200);
    // Neither does one that has not been sent to for a month.
    app.advance(Duration::from_secs(31 * 24 * 60 * 60));
    let archived = archive(&service.record, &folder, later(&app)).await.unwrap();
    assert_eq!(archived.now, 0..512);
    let admin = app.admin().await;
    admin.get(&format!("/v1/events?after={cursor}")).await.expect_problem(410, "entries_archived");
    let first = admin.get("/v1/events?after=start").await.expect(200);
    admin.get("/v1/events?after=end").await.expect(200);
    assert!(first.body["next_cursor"].is_string());
    // What is sent goes on after what is no longer there.
    let owner = crate::api::again(&app, &owner, "owner").await;
    owner.lend(&app, &guest).await;
    deliver(&app).await;
    assert_eq!(receiver.taken(), ["grant.issued"]);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_sent_is_kept_for_thirty_days_on_sqlite() {
    what_is_to_be_sent_is_kept_for_thirty_days(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_sent_is_kept_for_thirty_days_on_postgres() {
    what_is_to_be_sent_is_kept_for_thirty_days(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_of_other_entries_is_not_written_over() {
    let app = with_entries(Database::Sqlite).await;
    let folder = Folder::at(&app.folder().join("archive"));
    let held = folder.path().join("tile/entries/000");
    fs::create_dir_all(held.parent().unwrap()).unwrap();
    fs::write(&held, b"\0\x02{}").unwrap();
    let refused = archive(&app.service().record, &folder, later(&app)).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::OtherArchive(_)), "{refused}");
    assert_eq!(fs::read(&held).unwrap(), b"\0\x02{}");
    assert!(Path::new(&held).exists() && WIDTH == 256);
    app.finish().await;
}

//! The same for real: the rows of a database are changed by SQL, exported, and verified.

use std::fs;
use std::path::Path;

use keylend::audit::checkpoint::TreeHead;
use keylend::audit::files::Files;
use keylend::audit::tile::TileSlice;
use keylend::audit::verify::Place;
use keylend::disk::folder::{Folder, Folders};
use keylend::domain::id::{AuditEntryId, Id};
use keylend::service::record;
use keylend::service::record::export::{CopyError, Gaps, export};
use keylend::storage::audit_entries;
use keylend::storage::db::query;
use serde_json::{Value, json};

use super::ways::{Dice, Way};
use super::{Found, Kept};
use crate::support::databases::Database;
use crate::support::record::{checkpoint, queue_again, sequence_and_sign, verifier_keys};
use crate::support::{Terminal, TestApp};

/// Each way is gone so often.
const ROUNDS: u64 = 24;
/// What somebody changes who owns the database.
const TABLES: [&str; 5] =
    ["audit_entries", "record_queue", "record_bundles", "record_tiles", "record_state"];
/// Rows of the database, beside hashes that were kept elsewhere.
const WAYS: [Way; 8] = [
    Way::Edit,
    Way::Delete,
    Way::CloseUp,
    Way::Swap,
    Way::Insert,
    Way::Truncate,
    Way::Fork,
    Way::Tile,
];

async fn execute(app: &TestApp, sql: String) {
    // Statements live as long as the program; these are short and few.
    let sql: &'static str = Box::leak(sql.into_boxed_str());
    let mut tx = app.service().base.store.begin().await.unwrap();
    query(sql).execute(&mut tx).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    tx.commit().await.unwrap();
}

/// The names of all entries in the order of their positions: organization and entry, 32 bytes each.
async fn names(app: &TestApp) -> Vec<[u8; 32]> {
    let mut reader = app.service().base.store.read().await.unwrap();
    let bundles = query("SELECT entries FROM record_bundles ORDER BY number");
    let bundles: Vec<Vec<u8>> = bundles.fetch_all(&mut reader).await.unwrap();
    bundles.concat().as_chunks().0.to_vec()
}

/// Gives entries other positions; what the rows say besides is left as it may be.
async fn set_names(app: &TestApp, names: &[[u8; 32]]) {
    execute(app, "DELETE FROM record_bundles".to_owned()).await;
    let mut tx = app.service().base.store.begin().await.unwrap();
    for (number, bundle) in (0_i64..).zip(names.chunks(256)) {
        let put =
            "INSERT INTO record_bundles (number, entries, lowest, reached) VALUES ($1, $2, $3, $4)";
        let put = query(put).bind(number).bind(bundle.concat());
        let put = put.bind(uuid::Uuid::nil()).bind(uuid::Uuid::max());
        put.execute_one(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The name of an entry, and nothing of its organization.
fn entry_id(name: &[u8; 32]) -> AuditEntryId {
    Id::from_uuid(uuid::Uuid::from_slice(&name[16..]).unwrap())
}

/// Changes the rows of entries.
async fn at(app: &TestApp, names: &[[u8; 32]], change: &str) {
    // Statements live as long as the program; these are short and few.
    let sql: &'static str = Box::leak(change.to_owned().into_boxed_str());
    let mut tx = app.service().base.store.begin().await.unwrap();
    for name in names {
        query(sql).bind(entry_id(name)).execute_one(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn tamper(app: &TestApp, way: Way, size: usize, dice: &mut Dice) {
    let (one, other) = (dice.below(size), dice.below(size));
    let mut names = names(app).await;
    let found = names[one];
    match way {
        Way::Edit => {
            let change = [
                "occurred_at = occurred_at + 1",
                "event = 'vehicle.resumed'",
                "request_id = 'forged'",
                "details = '{\"forged\":true}'",
            ][dice.below(4)];
            let change = format!("UPDATE audit_entries SET {change} WHERE entry_id = $1");
            at(app, &[found], &change).await;
        }
        Way::Delete => at(app, &[found], "DELETE FROM audit_entries WHERE entry_id = $1").await,
        Way::CloseUp => {
            at(app, &[found], "DELETE FROM audit_entries WHERE entry_id = $1").await;
            names.remove(one);
            set_names(app, &names).await;
        }
        Way::Swap => {
            names.swap(one, other);
            set_names(app, &names).await;
        }
        Way::Insert => {
            let inserted = insert(app, one, other).await;
            names.insert(one, inserted);
            set_names(app, &names).await;
        }
        Way::Truncate => {
            let cut = names.split_off(one);
            at(app, &cut, "DELETE FROM audit_entries WHERE entry_id = $1").await;
            set_names(app, &names).await;
        }
        Way::Fork => {
            let change = "UPDATE audit_entries SET request_id = 'fork' WHERE entry_id = $1";
            at(app, &names[one..], change).await;
        }
        Way::Tile => tile(app, dice).await,
        Way::Checkpoint => unreachable!("no rows"),
    }
}

/// An entry of the organization of another, under a name that there is not; returns its name.
async fn insert(app: &TestApp, one: usize, other: usize) -> [u8; 32] {
    let mut tx = app.service().base.store.begin().await.unwrap();
    let like = keylend::storage::record::entries(&mut tx, other as u64..other as u64 + 1).await;
    let mut entry = like.unwrap().remove(0).entry;
    entry.entry_id = keylend::domain::id::Id::from_uuid(uuid::Uuid::from_u128(one as u128 + 1));
    let copied = "INSERT INTO audit_entries (entry_id, organization_id, occurred_at, event, actor_kind, details) \
        VALUES ($1, $2, $3, 'user.created', 'system', '{}')";
    let copied = query(copied).bind(entry.entry_id).bind(entry.organization_id);
    copied.bind(entry.occurred_at).execute_one(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut name = [0; 32];
    name[..16].copy_from_slice(entry.organization_id.as_uuid().as_bytes());
    name[16..].copy_from_slice(entry.entry_id.as_uuid().as_bytes());
    name
}

async fn tile(app: &TestApp, dice: &mut Dice) {
    let number = dice.below(2) as u64;
    let id = keylend::audit::tile::TileId { level: 0, number };
    let mut tx = app.service().base.store.begin().await.unwrap();
    let mut hashes = keylend::storage::record::tile(&mut tx, id).await.unwrap().unwrap();
    let at = dice.below(hashes.len());
    hashes[at] ^= 1;
    keylend::storage::record::put_tile(&mut tx, id, &hashes).await.unwrap();
    tx.commit().await.unwrap();
}

/// Has the service itself compute everything again from the rows as they are now, in their order.
async fn recompute(app: &TestApp) {
    let names = names(app).await;
    for sql in [
        "DELETE FROM record_queue",
        "DELETE FROM record_bundles",
        "DELETE FROM record_subjects",
        "DELETE FROM record_tiles",
        "UPDATE record_state SET size = 0",
    ] {
        execute(app, sql.to_owned()).await;
    }
    let mut reader = app.service().base.store.read().await.unwrap();
    let mut entries = Vec::new();
    for name in &names {
        let organization_id = Id::from_uuid(uuid::Uuid::from_slice(&name[..16]).unwrap());
        // An entry that somebody has deleted is not queued.
        let found = audit_entries::find(&mut reader, organization_id, entry_id(name)).await;
        entries.extend(found.unwrap());
    }
    drop(reader);
    queue_again(app.service(), &entries).await;
    record::sequence(&app.service().base).await.unwrap();
}

async fn keep(app: &TestApp) {
    for table in TABLES {
        execute(app, format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
    }
}

async fn restore(app: &TestApp) {
    for table in TABLES {
        execute(app, format!("DELETE FROM {table}")).await;
        execute(app, format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
    }
}

/// All entries of a copy, in order.
fn leaves(files: &Folders, size: u64) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for slice in TileSlice::of_level(0, size) {
        let bundle = files.read(&slice.entries_path(), 1 << 24).unwrap().unwrap();
        leaves.extend(keylend::audit::bundle::leaves(&bundle).map(|leaf| leaf.unwrap().to_vec()));
        if !leaves.len().is_multiple_of(256) {
            break;
        }
    }
    leaves
}

async fn copied(app: &TestApp, name: &str, gaps: Gaps) -> Result<Folders, CopyError> {
    let folder = Folder::at(&app.folder().join(name));
    let quorum = app.service().record.witnesses().quorum();
    export(&app.service().base.store, &folder, quorum, gaps).await?;
    Ok(Folders(vec![folder]))
}

async fn with_a_kept_copy(database: Database) -> (TestApp, Kept<Folders>) {
    let app = TestApp::start(database).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    let path = format!("/v1/grants/{}/token", owner.lend(&app, &guest).await);
    for _ in 0..5 {
        let minted = (0..56).map(|_| guest.post(&path, json!({})));
        futures_util::future::join_all(minted).await;
    }
    sequence_and_sign(app.service()).await;
    let head = checkpoint(app.service()).await.head;
    assert!(head.size > 256);
    let tiles = copied(&app, "kept", Gaps::Refuse).await.unwrap();
    let key = verifier_keys(app.service()).remove(0);
    (app, Kept { key, head, tiles })
}

async fn tamperings_with_a_database_are_found(database: Database) {
    let (app, kept) = with_a_kept_copy(database).await;
    let TreeHead { size, .. } = kept.head;
    let original = leaves(&kept.tiles, size);
    keep(&app).await;
    let mut played = 0;
    for (way, seed) in WAYS.into_iter().flat_map(|way| (0..ROUNDS).map(move |seed| (way, seed))) {
        let mut dice = Dice::of(seed * 1000 + way as u64);
        tamper(&app, way, size as usize, &mut dice).await;
        if way != Way::Tile && seed % 2 == 1 {
            recompute(&app).await;
        }
        let name = format!("copy-{way:?}-{seed}");
        let copy = copied(&app, &name, Gaps::Leave).await.unwrap();
        let found = leaves(&copy, size);
        let bad = (0..size).find(|&at| found.get(at as usize) != original.get(at as usize));
        restore(&app).await;
        let told = kept.verify(&copy, true).1;
        match bad {
            Some(bad) => assert_eq!(told, Found::Entries(Place::At(bad)), "{way:?} {seed}"),
            None if way == Way::Tile => assert!(matches!(told, Found::Entries(_)), "{seed}"),
            // Two equal numbers were thrown.
            None if way == Way::Swap => continue,
            None => panic!("{way:?} {seed} changed nothing"),
        }
        assert_ne!(kept.verify(&copy, false).1, Found::Nothing, "{way:?} {seed}");
        played += 1;
        fs::remove_dir_all(app.folder().join(name)).unwrap();
    }
    println!("{played} found");
    assert!(played >= WAYS.len() as u64 * ROUNDS - 3, "{played}");
    restore(&app).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tamperings_with_a_database_are_found_on_sqlite() {
    tamperings_with_a_database_are_found(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tamperings_with_a_database_are_found_on_postgres() {
    tamperings_with_a_database_are_found(Database::Postgres).await;
}

/// The same with the program's own commands, once for each way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_find_what_was_done_to_a_database() {
    let (app, kept) = with_a_kept_copy(Database::Sqlite).await;
    keep(&app).await;
    let mut terminal = Terminal::open();
    let database = app.folder().join("keylend.db");
    terminal.export("KEYLEND_DATABASE_URL", &format!("sqlite:{}", database.display()));
    let key = kept.key.to_string();
    let kept_copy = app.folder().join("kept");
    let kept_checkpoint = kept_copy.join("checkpoint");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (kept_copy, kept_checkpoint) = (text(&kept_copy), text(&kept_checkpoint));
    for way in WAYS {
        let mut dice = Dice::of(77 + way as u64);
        tamper(&app, way, kept.head.size as usize, &mut dice).await;
        let folder = format!("copy-{way:?}");
        let refused = terminal.run(&["audit", "export", &format!("{folder}-refused")]).await;
        if way == Way::Delete || way == Way::Truncate || way == Way::CloseUp {
            assert!(refused.failed().contains("--as-found"));
        }
        terminal.run(&["audit", "export", &folder, "--as-found"]).await.well();
        restore(&app).await;
        let verify = ["audit", "verify", &folder, "--key", &key, "-o", "json"];
        let with_checkpoint = [&verify[..], &["--older-checkpoint", &kept_checkpoint]].concat();
        let with_tiles = [&verify[..], &["--kept-tiles", &kept_copy]].concat();
        for arguments in [with_checkpoint, with_tiles] {
            let said = terminal.run(&arguments).await.ended(1);
            let said: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(said["verified"], false, "{way:?}");
            assert!(said["findings"][0]["first"].is_u64(), "{way:?}: {said}");
        }
    }
    app.finish().await;
}

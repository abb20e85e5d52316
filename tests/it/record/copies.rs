//! Copies of the record, made and verified by the program as an operator runs it.

use std::fs;
use std::path::{Path, PathBuf};

use keylend::audit::checkpoint;
use keylend::audit::note::{KeyKind, VerifierKey};
use keylend::domain::id::AuditEntryId;
use keylend::entropy::SeededEntropy;
use keylend::signing::signing_key::SigningKey;
use serde_json::Value;

use crate::support::app::the_beginning;
use crate::support::databases::Database;
use crate::support::operated::Operated;

/// Every file of a folder with what it holds, in order.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != ".lock" {
                let bytes = fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

fn without_the_folder(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let relative =
        |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(folder).unwrap().to_owned(), bytes);
    files(folder).into_iter().map(relative).collect()
}

async fn a_copy_is_made_while_the_service_runs_and_continued(database: Database) {
    let service = Operated::start(database).await;
    let (terminal, key) = (&service.terminal, service.key().await);
    service.work(300).await;
    let kept = service.checkpoint_over(300).await;
    fs::write(terminal.folder().join("kept"), &kept).unwrap();
    let copied = terminal.run(&["audit", "export", "copy", "-o", "json"]).await.json();
    assert!(copied["size"].as_u64().unwrap() >= 300, "{copied}");
    assert_eq!(copied["new"], copied["size"]);

    service.work(300).await;
    service.checkpoint_over(600).await;
    let verify = ["audit", "verify", "copy", "--key", &key, "--older-checkpoint", "kept"];
    let (export, other) = (["audit", "export", "copy"], ["audit", "export", "other"]);
    let (_, exported, other) =
        tokio::join!(service.work(64), terminal.run(&export), terminal.run(&other));
    exported.well();
    other.well();
    let verified = terminal.run(&[&verify[..], &["-o", "json"]].concat()).await.json();
    assert_eq!(verified["verified"], true);
    assert_eq!(verified["origin"], "keys.example.com/log");
    let size = verified["size"].as_u64().unwrap();
    assert!(size >= 600, "{verified}");
    let printed = terminal.run(&verify).await.well();
    assert_eq!(
        printed,
        format!(
            "keys.example.com/log: all {size} entries are what was signed; 0 commands have no outcome yet\n"
        )
    );

    // A copy that was made in steps is the one that is made at once, and nothing more. The record
    // grows no further only when the service has ended.
    let terminal = service.end().await;
    for folder in ["copy", "other", "fresh"] {
        terminal.run(&["audit", "export", folder]).await.well();
    }
    let sets = ["copy", "fresh"].map(|folder| without_the_folder(&terminal.folder().join(folder)));
    assert_eq!(sets[0], sets[1]);
    let again = terminal.run(&["audit", "export", "copy"]).await.well();
    assert!(again.ends_with("entries, 0 of them new, in copy\n"), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_made_while_the_service_runs_and_continued_on_sqlite() {
    a_copy_is_made_while_the_service_runs_and_continued(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_made_while_the_service_runs_and_continued_on_postgres() {
    a_copy_is_made_while_the_service_runs_and_continued(Database::Postgres).await;
}

/// What an export that is cut off at any moment leaves is the copy that was there and some files
/// that nobody reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_is_cut_off_leaves_a_good_copy_and_is_gone_on_with() {
    let service = Operated::start(Database::Sqlite).await;
    let key = service.key().await;
    service.work(256).await;
    service.checkpoint_over(256).await;
    service.terminal.run(&["audit", "export", "copy"]).await.well();
    service.work(700).await;
    service.checkpoint_over(900).await;
    let terminal = service.end().await;
    terminal.run(&["audit", "export", "whole"]).await.well();
    let whole = without_the_folder(&terminal.folder().join("whole"));
    let copy = terminal.folder().join("copy");
    let held = without_the_folder(&copy);
    let verify = ["audit", "verify", "copy", "--key", &key];
    let new: Vec<_> = whole.iter().filter(|file| !held.contains(file)).collect();
    assert!(new.len() > 6);
    for cut_off in 0..new.len() {
        // The files in the order in which they come, the last of them half written.
        for (path, bytes) in
            new.iter().take(cut_off).filter(|(path, _)| path != Path::new("checkpoint"))
        {
            fs::create_dir_all(copy.join(path).parent().unwrap()).unwrap();
            fs::write(copy.join(path), bytes).unwrap();
        }
        let (path, bytes) = new[cut_off];
        let draft = copy.join(format!("{}.new", path.display()));
        fs::create_dir_all(draft.parent().unwrap()).unwrap();
        fs::write(draft, &bytes[..bytes.len() / 2]).unwrap();
        if cut_off % 3 == 0 {
            terminal.run(&verify).await.well();
        }
    }
    terminal.run(&["audit", "export", "copy"]).await.well();
    terminal.run(&verify).await.well();
    let kept: Vec<_> = without_the_folder(&copy);
    assert!(whole.iter().all(|file| kept.contains(file)));
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_copy_is_named_and_what_cannot_be_told_ends_otherwise() {
    let service = Operated::start(Database::Sqlite).await;
    let key = service.key().await;
    service.work(300).await;
    let kept = service.checkpoint_over(300).await;
    service.terminal.run(&["audit", "export", "copy"]).await.well();
    let terminal = service.end().await;
    let copy = terminal.folder().join("copy");
    let verify = ["audit", "verify", "copy", "--key", &key];

    let bundle = copy.join("tile/entries/000");
    flip(&bundle, 5000);
    let finding = terminal.run(&[&verify[..], &["-o", "json"]].concat()).await.ended(1);
    let finding: Value = serde_json::from_str(&finding).unwrap();
    assert_eq!(finding["verified"], false);
    let first = finding["findings"][0]["first"].as_u64().unwrap();
    let said = terminal.run(&verify).await;
    assert!(said.stderr.contains("the record is not what was signed"), "{}", said.stderr);
    assert_eq!(said.ended(1), format!("entry {first}: this is not the entry that was signed\n"));
    flip(&bundle, 5000);

    let tile = copy.join("tile/0/000");
    flip(&tile, 32 * 77);
    let said = terminal.run(&verify).await.ended(1);
    assert_eq!(
        said,
        "entry 77: these are the entries that were signed, but the tiles over them are not\n"
    );
    flip(&tile, 32 * 77);
    terminal.run(&verify).await.well();

    let checkpoint = copy.join("checkpoint");
    let text = fs::read_to_string(&checkpoint).unwrap();
    // Within the signature, by a letter that may stand there.
    let at = text.rfind(' ').unwrap() + 40;
    let other = if text[at..].starts_with('A') { "B" } else { "A" };
    fs::write(&checkpoint, format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    let said = terminal.run(&verify).await.ended(1);
    assert!(said.starts_with("copy/checkpoint: the checkpoint is not signed by the log"), "{said}");
    // With one that was kept elsewhere, the entries can be verified all the same.
    fs::write(terminal.folder().join("kept"), kept).unwrap();
    let with_kept = [&verify[..], &["--older-checkpoint", "kept", "-o", "json"]].concat();
    let finding = terminal.run(&with_kept).await.ended(1);
    let finding: Value = serde_json::from_str(&finding).unwrap();
    assert_eq!(finding["findings"].as_array().unwrap().len(), 1, "{finding}");
    assert!(finding["size"].as_u64().unwrap() >= 300, "{finding}");
    fs::write(&checkpoint, text).unwrap();

    let other = key.replace("keys.example.com", "keys.example.org");
    terminal.run(&["audit", "verify", "copy", "--key", &other]).await.ended(2);
    for wrong in [
        vec!["audit", "verify", "copy"],
        vec!["audit", "verify", "nowhere", "--key", &key],
        vec!["audit", "verify", "copy", "--key", &key, "--older-checkpoint", "nowhere"],
        vec!["audit", "verify", "copy", "--key", &key, "--older-checkpoint", "copy/tile/0/000"],
        vec!["audit", "verify", "copy", "--key", &key, "--witness", &key],
        vec!["audit", "verify", "copy", "--key", &key, "--witnesses-min", "1"],
    ] {
        terminal.run(&wrong).await.ended(2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_not_continued_from_another_record() {
    let service = Operated::start(Database::Sqlite).await;
    service.work(20).await;
    service.checkpoint_over(20).await;
    service.terminal.run(&["audit", "export", "copy"]).await.well();
    let other = Operated::start(Database::Sqlite).await;
    other.work(40).await;
    other.checkpoint_over(40).await;
    let copy = service.terminal.folder().join("copy");
    let before = files(&copy);
    let said = other.terminal.run(&["audit", "export", copy.to_str().unwrap()]).await.failed();
    assert!(said.contains("does not continue the one in"), "{said}");
    assert_eq!(files(&copy), before);
    let nothing = crate::support::Terminal::open();
    nothing.run(&["migrate"]).await.well();
    let said = nothing.run(&["audit", "export", "copy"]).await.failed();
    assert_eq!(said, "keylend: no checkpoint has been published yet\n");
    service.end().await;
    other.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_proved_from_a_copy_and_the_proof_is_checked_alone() {
    let service = Operated::start(Database::Sqlite).await;
    let key = service.key().await;
    service.work(600).await;
    service.checkpoint_over(600).await;
    service.terminal.run(&["audit", "export", "copy"]).await.well();
    let terminal = service.end().await;
    let bundle = fs::read(terminal.folder().join("copy/tile/entries/001")).unwrap();
    let leaf = keylend::audit::bundle::leaves(&bundle).nth(7).unwrap().unwrap();
    let leaf: Value = serde_json::from_slice(leaf).unwrap();
    let entry_id = leaf["entry_id"].as_str().unwrap();

    let said = terminal.run(&["audit", "prove", "copy", "--entry", entry_id]).await.well();
    let file = format!("{entry_id}.tlog-proof");
    assert_eq!(said, format!("entry 263: ./{file}\n"));
    let check = ["audit", "check-proof", &file, "--key", &key];
    let shown = terminal.run(&check).await.well();
    assert!(shown.starts_with("entry 263 of the "), "{shown}");
    assert!(shown.contains(&format!("\n  entry_id: {entry_id}\n")), "{shown}");
    assert!(shown.contains("\n  event: api_client.token_issued\n"), "{shown}");
    let shown = terminal.run(&[&check[..], &["-o", "json"]].concat()).await.json();
    assert_eq!((&shown["entry"], &shown["position"]), (&leaf, &Value::from(263)));

    let path = terminal.folder().join(&file);
    let length = fs::read(&path).unwrap().len();
    for at in (30..length).step_by(29) {
        flip(&path, at);
        let said = terminal.run(&check).await;
        assert!(said.stderr.contains("proves nothing"), "{at}: {}", said.stderr);
        said.ended(1);
        flip(&path, at);
    }
    terminal.run(&check).await.well();
    terminal.run(&["audit", "check-proof", "nowhere", "--key", &key]).await.ended(2);
    let nobody = AuditEntryId::from_uuid(uuid::Uuid::nil()).to_string();
    let said = terminal.run(&["audit", "prove", "copy", "--entry", &nobody]).await.failed();
    assert!(said.contains("there is no such entry"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_witnesses_that_are_asked_for_must_have_cosigned() {
    let service = Operated::start(Database::Sqlite).await;
    let key = service.key().await;
    service.work(20).await;
    service.checkpoint_over(20).await;
    service.terminal.run(&["audit", "export", "copy"]).await.well();
    let terminal = service.end().await;
    let witnesses = [1, 2].map(|seed| {
        let secret =
            SigningKey::generate(&SeededEntropy::from_seed(seed), the_beginning()).unwrap();
        let name = format!("witness-{seed}.example");
        let public = VerifierKey::new(&name, KeyKind::Witness, secret.public()).unwrap();
        (secret, public)
    });
    // Only the first of them has seen it.
    let file = terminal.folder().join("copy/checkpoint");
    let log: VerifierKey = key.parse().unwrap();
    let opened =
        checkpoint::open(&fs::read(&file).unwrap(), log.name(), std::slice::from_ref(&log))
            .unwrap();
    let (secret, public) = &witnesses[0];
    let signed = secret.sign(&public.message(&opened.text, the_beginning()));
    let cosigned = public.signature(&signed, the_beginning()).unwrap();
    let signatures: Vec<_> = opened.signatures.into_iter().chain([cosigned]).collect();
    fs::write(&file, checkpoint::note(&opened.text, &signatures).unwrap()).unwrap();

    let [one, other] = witnesses.map(|(_, public)| public.to_string());
    let verify = ["audit", "verify", "copy", "--key", &key, "--witness", &one];
    terminal.run(&verify).await.well();
    let both = [&verify[..], &["--witness", &other]].concat();
    let said = terminal.run(&both).await.ended(1);
    assert!(
        said.starts_with("2 of the witnesses must have cosigned the checkpoint, and 1 did\n"),
        "{said}"
    );
    terminal.run(&[&both[..], &["--witnesses-min", "1"]].concat()).await.well();
    terminal.run(&[&both[..], &["--witnesses-min", "3"]].concat()).await.ended(2);
    terminal.run(&["audit", "verify", "copy", "--key", &one]).await.ended(2);
}

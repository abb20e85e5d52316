//! What is published verifies in implementations that nobody here wrote: Go's
//! `golang.org/x/mod/sumdb` (`tests/tools/tlog`), and the crate `ct-merkle`.

use std::fs;
use std::path::Path;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use keylend::audit::files::{Files, ask};
use keylend::audit::tile::TileSlice;
use keylend::audit::{bundle, checkpoint};
use keylend::disk::folder::Folder;
use sha2::Sha256;
use tokio::process::Command;

use crate::support::databases::Database;
use crate::support::operated::Operated;

/// Runs the program in Go; gives whether it ended well, and what it said.
async fn outside(arguments: &[&str], folder: &Path) -> (bool, String) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/tlog/tlog");
    assert!(program.exists(), "{} is missing: scripts/install-test-tools", program.display());
    let output = Command::new(program).args(arguments).current_dir(folder).output().await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = at % bytes.len();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// The root and every proof of the other crate's tree over the same leaves are ours.
fn agrees_with_the_other_crate(folder: &Folder) {
    let note = folder.read("checkpoint", 9999).unwrap().unwrap();
    let (_, head) = checkpoint::claimed(&note).unwrap();
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for slice in TileSlice::of_level(0, head.size) {
        let bytes = folder.read(&slice.entries_path(), 1 << 24).unwrap().unwrap();
        bundle::leaves(&bytes).for_each(|leaf| tree.push(leaf.unwrap().to_vec()));
    }
    assert_eq!(tree.root().as_bytes()[..], head.root.0);
    let bytes = |hashes: Vec<keylend::audit::Hash>| {
        hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>()
    };
    for position in (0..head.size).step_by(37) {
        let ours = ask(folder, head.size, |tiles| tiles.prove_entry(position, head.size)).unwrap();
        let theirs = tree.prove_inclusion(usize::try_from(position).unwrap());
        assert_eq!(bytes(ours), theirs.as_bytes());
    }
    for old in (1..head.size).step_by(37) {
        let ours = ask(folder, head.size, |tiles| tiles.prove_growth(old, head.size)).unwrap();
        let added = usize::try_from(head.size - old).unwrap();
        assert_eq!(bytes(ours), tree.prove_consistency(added).as_bytes());
    }
}

async fn a_copy_and_its_proofs_verify_elsewhere(database: Database) {
    let service = Operated::start(database).await;
    let key = service.key().await;
    let mut older = Vec::new();
    for entries in [40, 300, 520] {
        service.work(entries).await;
        let name = format!("older-{entries}");
        let note = service.checkpoint_over(entries as u64).await;
        fs::write(service.terminal.folder().join(&name), note).unwrap();
        older.push(name);
    }
    service.terminal.run(&["audit", "export", "copy"]).await.well();
    let terminal = service.end().await;
    let folder = terminal.folder();
    agrees_with_the_other_crate(&Folder::at(&folder.join("copy")));

    let older: Vec<&str> = older.iter().map(String::as_str).collect();
    let copy = [&["copy", "copy", &key][..], &older].concat();
    let (is_good, said) = outside(&copy, folder).await;
    assert!(is_good && said.ends_with("entries, 3 older checkpoints\n"), "{said}");
    for (file, at) in [
        ("copy/checkpoint", 40),
        ("copy/tile/0/000", 32 * 9 + 1),
        ("copy/tile/0/001", 32 * 200),
        ("copy/tile/entries/000", 777),
        ("copy/tile/entries/002", 50_000),
        (older[1], 60),
    ] {
        flip(&folder.join(file), at);
        let (is_good, said) = outside(&copy, folder).await;
        assert!(!is_good, "{file} was changed, and: {said}");
        flip(&folder.join(file), at);
    }

    let bundle = fs::read(folder.join("copy/tile/entries/001")).unwrap();
    let leaf =
        String::from_utf8(bundle::leaves(&bundle).nth(7).unwrap().unwrap().to_vec()).unwrap();
    let entry_id = leaf.split('"').nth(3).unwrap();
    terminal.run(&["audit", "prove", "copy", "--entry", entry_id]).await.well();
    let file = format!("{entry_id}.tlog-proof");
    let proof = ["proof", &file, &key];
    let (is_good, said) = outside(&proof, folder).await;
    assert!(is_good && said.contains(&leaf) && said.starts_with("entry 263 of "), "{said}");
    let text = fs::read_to_string(folder.join(&file)).unwrap();
    // Go's base64 does not mind the bits before the padding, which stand for nothing.
    for at in (30..text.len()).step_by(101).filter(|at| !text[at + 1..].starts_with('=')) {
        flip(&folder.join(&file), at);
        let (is_good, said) = outside(&proof, folder).await;
        assert!(!is_good, "byte {at} was changed, and: {said}");
        flip(&folder.join(&file), at);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_and_its_proofs_verify_elsewhere_on_sqlite() {
    a_copy_and_its_proofs_verify_elsewhere(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_and_its_proofs_verify_elsewhere_on_postgres() {
    a_copy_and_its_proofs_verify_elsewhere(Database::Postgres).await;
}

//! A witness never vouches for two histories: not for two requests at once, not after a crash, not
//! with a damaged memory.

use std::sync::Barrier;

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use tempfile::TempDir;

use super::*;
use crate::audit::Hash;
use crate::audit::checkpoint::TreeHead;
use crate::audit::entry::leaf_hash;
use crate::audit::tree::Tiles;
use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;

const ORIGIN: &str = "keys.example.com/log";

fn log_pair() -> (VerifierKey, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let public = pair.public_key().as_ref().try_into().unwrap();
    (VerifierKey::new(ORIGIN, KeyKind::Log, public).unwrap(), pair)
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

fn tree(size: u64, branch: u8) -> Tiles {
    let mut tiles = Tiles::default();
    let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&[n as u8, branch])).collect();
    tiles.grow(0, &leaves).unwrap();
    tiles
}

fn submission(tiles: &Tiles, old_size: u64, size: u64) -> Submission {
    let (key, pair) = log_pair();
    let head = TreeHead { size, root: tiles.root(size).unwrap() };
    let text = checkpoint::text(ORIGIN, head).unwrap();
    let signature = key.signature(pair.sign(&text).as_ref(), now()).unwrap();
    let proof = tiles.prove_growth(old_size, size).unwrap();
    Submission { old_size, proof, checkpoint: checkpoint::note(&text, &[signature]).unwrap() }
}

fn witness() -> (TempDir, Folder, Watched) {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("witness");
    let folder = Folder::create(&path, "w1.example", &SeededEntropy::from_seed(3), now()).unwrap();
    let mut watched = folder.watched(ORIGIN);
    watched.add(log_pair().0);
    (at, folder, watched)
}

fn cosign(watched: &Watched, folder: &Folder, submission: &Submission) -> Result<(), NotCosigned> {
    watched.cosign(submission, folder, &ManualClock::at(now())).map(|_| ())
}

#[test]
fn what_was_cosigned_is_kept_with_its_signatures_and_read_back_by_the_next_process() {
    let (_at, folder, watched) = witness();
    let tiles = tree(40, 0);
    cosign(&watched, &folder, &submission(&tiles, 0, 30)).unwrap();
    let note = watched.file().read().unwrap().unwrap();
    let keys = [log_pair().0, folder.public().clone()];
    let kept = checkpoint::open(&note, ORIGIN, &keys).unwrap();
    assert_eq!((kept.head.size, kept.signatures.len(), kept.cosignatures.len()), (30, 1, 1));

    let again = Folder::open(&folder.path).unwrap();
    assert_eq!(again.public(), folder.public());
    let mut next = again.watched(ORIGIN);
    next.add(log_pair().0);
    let refused = cosign(&next, &again, &submission(&tree(40, 1), 0, 40)).unwrap_err();
    assert!(matches!(refused, NotCosigned::Refused(Refusal::OtherSize { known: 30 })));
    cosign(&next, &again, &submission(&tiles, 30, 40)).unwrap();
}

#[test]
fn of_two_histories_at_once_exactly_one_is_cosigned() {
    for round in 0..20 {
        let (_at, folder, watched) = witness();
        cosign(&watched, &folder, &submission(&tree(3, 0), 0, 3)).unwrap();
        let mut fork = tree(3, 0);
        fork.grow(3, &[leaf_hash(&[round, 9])]).unwrap();
        let branches = [submission(&tree(4, 0), 3, 4), submission(&fork, 3, 4)];
        let start = Barrier::new(branches.len());
        let cosigned: usize = std::thread::scope(|scope| {
            let tries = branches.iter().map(|branch| {
                let (folder, start) = (&folder, &start);
                // As two processes on one folder would: each with a turn of its own.
                let mut watched = folder.watched(ORIGIN);
                watched.add(log_pair().0);
                scope.spawn(move || {
                    start.wait();
                    cosign(&watched, folder, branch).is_ok()
                })
            });
            let tries: Vec<_> = tries.collect();
            tries.into_iter().map(|t| usize::from(t.join().unwrap())).sum()
        });
        assert_eq!(cosigned, 1);
    }
}

#[test]
fn a_witness_whose_memory_is_damaged_or_cannot_be_written_cosigns_nothing() {
    let (_at, folder, watched) = witness();
    let tiles = tree(40, 0);
    cosign(&watched, &folder, &submission(&tiles, 0, 30)).unwrap();
    let good = watched.file().read().unwrap().unwrap();
    let other = String::from_utf8(good.clone()).unwrap().replace(ORIGIN, "other.example/log");
    for bad in [b"".as_slice(), b"\0", &good[..good.len() / 2], other.as_bytes()] {
        std::fs::write(watched.file().path(), bad).unwrap();
        for old_size in [0, 30] {
            let refused = cosign(&watched, &folder, &submission(&tiles, old_size, 40)).unwrap_err();
            assert!(matches!(refused, NotCosigned::Unusable { .. }), "{refused}");
        }
    }
    std::fs::write(watched.file().path(), &good).unwrap();
    // Where the draft should be is something else.
    let mut draft = watched.file().path().as_os_str().to_owned();
    draft.push(".new");
    std::fs::create_dir(&draft).unwrap();
    let refused = cosign(&watched, &folder, &submission(&tiles, 30, 40)).unwrap_err();
    assert!(matches!(refused, NotCosigned::Unusable { .. }), "{refused}");
    assert_eq!(watched.file().read().unwrap().unwrap(), good);
}

#[test]
fn a_witness_is_not_made_by_accident_and_never_twice() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("witness");
    assert!(Folder::open(&path).is_err());
    let entropy = SeededEntropy::from_seed(3);
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(matches!(Folder::create(&path, name, &entropy, now()), Err(FolderError::Name(_))));
    }
    assert!(!path.exists(), "something was made for a name that is none");
    Folder::create(&path, "w1.example", &entropy, now()).unwrap();
    let again = Folder::create(&path, "w2.example", &entropy, now()).unwrap_err();
    assert!(again.to_string().contains("never overwritten"), "{again}");
}

//! The record of a service under test, read as somebody would who does not trust it.

use keylend::audit::checkpoint::{self, Checkpoint, TreeHead};
use keylend::audit::entry::RecordedEntry;
use keylend::audit::note::VerifierKey;
use keylend::audit::replay::{Agreed, DisagreeingEntry, Replay};
use keylend::audit::verify::copy::{self, Copied, Unverified};
use keylend::audit::verify::{Finding, Verified, Verifier};
use keylend::audit::vouched::Vouched;
use keylend::disk::folder::{Folder, Folders};
use keylend::domain::time::Timestamp;
use keylend::service::{Service, record};
use keylend::storage::Executor;
use keylend::storage::record as stored;
use keylend::storage::record_queue::{self, QueuedEntry};

/// The name of the record of every service under test.
pub(crate) const ORIGIN: &str = "keylend.test/log";

/// So many entries are read at once.
const PAGE: u64 = 1000;

/// The keys that verify this service's checkpoints.
pub(crate) fn verifier_keys(service: &Service) -> Vec<VerifierKey> {
    record::verifier_keys(&service.base.keys(), ORIGIN).unwrap()
}

/// Gives every entry its position and signs: what the worker does a few times each second.
pub(crate) async fn sequence_and_sign(service: &Service) {
    record::sequence(&service.base).await.unwrap();
    record::sign(&service.record).await.unwrap();
}

/// The newest checkpoint, verified with the service's public keys.
pub(crate) async fn checkpoint(service: &Service) -> Checkpoint {
    let note = record::newest_checkpoint(&service.record).await.unwrap();
    checkpoint::open(&note, ORIGIN, &verifier_keys(service)).unwrap()
}

/// What the database says at every position, in order.
pub(crate) async fn leaves(on: &mut impl Executor) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for start in (0..).step_by(PAGE as usize) {
        let page = stored::entries(on, start..start + PAGE).await.unwrap();
        let is_last = (page.len() as u64) < PAGE;
        for (position, placed) in (start..).zip(page) {
            assert_eq!(placed.position, position, "a position is missing or taken twice");
            leaves.push(placed.entry.leaf());
        }
        if is_last {
            break;
        }
    }
    leaves
}

/// Queues entries again, in this order, as if none had a position.
pub(crate) async fn queue_again(service: &Service, entries: &[RecordedEntry]) {
    let queued = (0..).zip(entries).map(|(place, entry)| QueuedEntry {
        occurred_at: Timestamp::from_unix_micros(place).unwrap(),
        ..QueuedEntry::of(entry)
    });
    let mut tx = service.base.store.begin().await.unwrap();
    record_queue::add(&mut tx, queued.collect()).await.unwrap();
    tx.commit().await.unwrap();
}

/// Verifies the record from its beginning against its newest checkpoint.
pub(crate) async fn verify(service: &Service) -> Result<Verified, Finding> {
    let head = checkpoint(service).await.head;
    let mut verifier = Verifier::new(vec![head]);
    let mut reader = service.base.store.read().await.unwrap();
    for leaf in leaves(&mut reader).await {
        verifier.push(&leaf, None)?;
    }
    verifier.finish()
}

/// Makes every decision of the record again.
pub(crate) async fn replay(service: &Service) -> Result<Agreed, DisagreeingEntry> {
    let mut replay = Replay::default();
    let mut reader = service.base.store.read().await.unwrap();
    for leaf in leaves(&mut reader).await {
        replay.push(&leaf);
    }
    replay.finish()
}

/// Verifies what stands in folders together against what was signed.
pub(crate) fn verify_copies(folders: &[&Folder], head: TreeHead) -> Result<Verified, Finding> {
    let files = Folders(folders.iter().map(|&folder| folder.clone()).collect());
    let tiles = Some(Vouched::under(head, &files).unwrap());
    let copied =
        Copied { files: &files, size: head.size, heads: vec![head], tiles, kept_tiles: None };
    copy::verify(copied).map_err(|unverified| match unverified {
        Unverified::Found(finding) => finding,
        Unverified::Unreadable(error) => panic!("{error}"),
    })
}

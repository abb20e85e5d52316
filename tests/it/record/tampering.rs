//! Whoever owns the database can do with it what they like, and is found out by whoever kept one
//! checkpoint. What they cannot do is sign: the key is elsewhere.
//!
//! Most of it is played on a database in memory, which is exported and verified like a real one.

mod database;
mod ways;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Mutex;
use std::thread;

use keylend::audit::Hash;
use keylend::audit::bundle;
use keylend::audit::checkpoint::{self, TreeHead};
use keylend::audit::entry::leaf_hash;
use keylend::audit::files::Files;
use keylend::audit::frontier::Frontier;
use keylend::audit::note::VerifierKey;
use keylend::audit::tile::{TileId, TileSlice};
use keylend::audit::verify::Place;
use keylend::audit::verify::copy::{Copied, Unverified, verify};
use keylend::audit::vouched::Vouched;

use crate::support::story::{ORIGIN, Signer, Story};
use ways::{Dice, Way};

/// So many tamperings are played.
const TAMPERINGS: u64 = 10_000;
/// How large the trees were over which checkpoints were signed; all of them can be played back.
const SIGNED: [u64; 8] = [3, 100, 200, 256, 257, 260, 280, 290];
/// The checkpoint that somebody kept elsewhere.
const KEPT: u64 = 270;

/// Files in memory.
#[derive(Clone, Default)]
pub(super) struct Shelf(pub(super) BTreeMap<String, Vec<u8>>);

impl Files for Shelf {
    type Error = Infallible;

    fn read(&self, path: &str, _: usize) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(path).cloned())
    }
}

/// The record in a database: rows, some of which may be missing, tiles, and the checkpoint.
#[derive(Clone)]
struct Rows {
    leaves: Vec<Option<Vec<u8>>>,
    tiles: BTreeMap<TileId, Vec<u8>>,
    note: Vec<u8>,
}

/// The tiles over these leaves, of two levels, and the head of their tree.
fn tree(leaves: &[Option<Vec<u8>>]) -> (BTreeMap<TileId, Vec<u8>>, TreeHead) {
    let (mut tiles, mut whole) = (BTreeMap::<TileId, Vec<u8>>::new(), Frontier::default());
    let hashes: Vec<Hash> =
        leaves.iter().map_while(|leaf| leaf.as_deref().map(leaf_hash)).collect();
    for (number, hashes) in (0..).zip(hashes.chunks(256)) {
        let mut tile = Frontier::default();
        for hash in hashes {
            whole.push(*hash);
            tile.push(*hash);
            let id = TileId { level: 0, number };
            tiles.entry(id).or_default().extend_from_slice(&hash.0);
        }
        if hashes.len() == 256 {
            let id = TileId { level: 1, number: 0 };
            tiles.entry(id).or_default().extend_from_slice(&tile.root().0);
        }
    }
    (tiles, TreeHead { size: whole.size(), root: whole.root() })
}

impl Rows {
    /// As `keylend audit export --as-found` does it.
    fn export(&self) -> Shelf {
        let mut shelf = Shelf::default();
        let size = checkpoint::claimed(&self.note).map_or(0, |(_, head)| head.size);
        for slice in TileSlice::of_level(0, size) {
            let mut bytes = Vec::new();
            let first = (slice.tile.number * 256) as usize;
            let rows = self.leaves.iter().skip(first).take(slice.width as usize);
            for leaf in rows.map_while(Option::as_deref) {
                bundle::push(&mut bytes, leaf).unwrap();
            }
            shelf.0.insert(slice.entries_path(), bytes);
        }
        for slice in (0..2).flat_map(|level| TileSlice::of_level(level, size)) {
            if let Some(tile) = self.tiles.get(&slice.tile) {
                let length = (slice.width as usize * 32).min(tile.len());
                shelf.0.insert(slice.path(), tile[..length].to_vec());
            }
        }
        shelf.0.insert("checkpoint".to_owned(), self.note.clone());
        shelf
    }
}

/// What somebody kept where the database's owner could not reach it.
pub(super) struct Kept<F> {
    pub(super) key: VerifierKey,
    pub(super) head: TreeHead,
    /// The tiles of that tree, which are public.
    pub(super) tiles: F,
}

/// What a verifier says of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Checkpoint,
    Entries(Place),
}

impl<F: Files<Error: std::fmt::Debug>> Kept<F> {
    /// As `keylend audit verify --older-checkpoint` does it, and with `--kept-tiles`. If not even
    /// the copy's checkpoint is good, the place is what the checkpoint that was kept tells.
    pub(super) fn verify(&self, copy: &F, with_tiles: bool) -> (bool, Found) {
        let note = copy.read("checkpoint", 9999).unwrap().unwrap_or_default();
        let size = checkpoint::claimed(&note).map_or(0, |(_, head)| head.size);
        let keys = std::slice::from_ref(&self.key);
        let own = checkpoint::open(&note, self.key.name(), keys).ok().map(|own| own.head);
        let under = |head, files| Vouched::under(head, files).unwrap();
        let copied = Copied {
            files: copy,
            size,
            heads: own.into_iter().chain([self.head]).collect(),
            tiles: own.map(|head| under(head, copy)),
            kept_tiles: with_tiles.then(|| under(self.head, &self.tiles)),
        };
        let found = match verify(copied) {
            Ok(_) if own.is_none() => Found::Checkpoint,
            Ok(_) => Found::Nothing,
            Err(Unverified::Found(finding)) => Found::Entries(finding.place),
            Err(Unverified::Unreadable(error)) => panic!("{error:?}"),
        };
        (own.is_some(), found)
    }
}

/// The first entry that the kept checkpoint covers and that is not what it was.
fn first_bad(original: &Rows, copy: &Shelf) -> Option<u64> {
    let mut leaves = Vec::new();
    for slice in TileSlice::of_level(0, KEPT) {
        let base = format!("{}.p/", slice.entries_path().split(".p/").next().unwrap());
        let found = copy
            .0
            .iter()
            .find(|(path, _)| **path == base[..base.len() - 3] || path.starts_with(&base));
        let bytes = found.map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        leaves.extend(bundle::leaves(bytes).map(|leaf| leaf.unwrap().to_vec()));
        if leaves.len() as u64 != (slice.tile.number + 1) * 256 {
            break;
        }
    }
    (0..KEPT).find(|&at| leaves.get(at as usize) != original.leaves[at as usize].as_ref())
}

/// Counts of what was played.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    played: u64,
    /// What was found, with the position of the first bad entry, by checkpoint and tiles.
    found: u64,
    /// Of those, found by the checkpoint alone, with the very position and not a range around it.
    exact: u64,
    /// Nothing that the kept checkpoint covers was touched: not promised to be found.
    later: u64,
}

struct World {
    original: Rows,
    export: Shelf,
    notes: Vec<Vec<u8>>,
    kept: Kept<Shelf>,
}

fn world() -> World {
    let leaves: Vec<_> = Story::of(7).take(SIGNED[SIGNED.len() - 1] as usize).map(Some).collect();
    let signer = Signer::of(7);
    let signed = |size: u64| signer.sign(tree(&leaves[..size as usize]).1);
    let notes: Vec<Vec<u8>> = SIGNED.into_iter().map(signed).collect();
    let (tiles, _) = tree(&leaves);
    let kept = Rows { leaves: leaves.clone(), tiles: tiles.clone(), note: signed(KEPT) };
    let kept =
        Kept { key: signer.key(), head: tree(&leaves[..KEPT as usize]).1, tiles: kept.export() };
    let original = Rows { leaves, tiles, note: notes[notes.len() - 1].clone() };
    World { export: original.export(), original, notes, kept }
}

/// Plays one tampering, and gives how it was done and what came of it.
fn play(world: &World, forger: &Signer, seed: u64) -> (Way, Tally) {
    let World { original, export, notes, kept } = world;
    let (mut dice, mut tally) = (Dice::of(seed), Tally { played: 1, ..Tally::default() });
    let (way, copy) = loop {
        let (way, tampered) = ways::tamper(original, notes, forger, &mut dice);
        let copy = tampered.export();
        if copy.0 != export.0 {
            break (way, copy);
        }
    };
    let (is_signed, found) = kept.verify(&copy, false);
    let bad = first_bad(original, &copy);
    let place = match (bad, found) {
        (None, Found::Nothing) => {
            // An older state of the whole, which still holds all that was kept, or later rows.
            assert!(is_signed && kept.verify(&copy, true).1 == Found::Nothing);
            tally.later = 1;
            return (way, tally);
        }
        (None, _) => {
            tally.found = 1;
            return (way, tally);
        }
        (Some(_), Found::Entries(place)) => place,
        (Some(bad), found) => panic!("{way:?} {seed}: entry {bad} was changed, and {found:?}"),
    };
    let bad = bad.unwrap();
    let is_in = match place {
        Place::At(position) => position == bad,
        Place::Between(first, end) => (first..end).contains(&bad),
    };
    assert!(is_in, "{way:?} {seed}: entry {bad} was changed, and {place} was found");
    tally.found = 1;
    if place == Place::At(bad) {
        tally.exact = 1;
    } else {
        let (_, with_tiles) = kept.verify(&copy, true);
        assert_eq!(with_tiles, Found::Entries(Place::At(bad)), "{way:?} {seed}");
    }
    (way, tally)
}

#[test]
fn ten_thousand_tamperings_are_found_with_the_position_of_the_first_bad_entry() {
    let (world, forger) = (world(), Signer::of(666));
    assert_eq!(world.kept.verify(&world.original.export(), true), (true, Found::Nothing));
    let tallies = Mutex::new(BTreeMap::<Way, Tally>::new());
    let threads = thread::available_parallelism().map_or(2, usize::from) as u64;
    thread::scope(|scope| {
        for thread in 0..threads {
            let (world, forger, tallies) = (&world, &forger, &tallies);
            scope.spawn(move || {
                for seed in (thread..TAMPERINGS).step_by(threads as usize) {
                    let (way, tally) = play(world, forger, seed);
                    let mut tallies = tallies.lock().unwrap();
                    let sum = tallies.entry(way).or_default();
                    sum.played += tally.played;
                    sum.found += tally.found;
                    sum.exact += tally.exact;
                    sum.later += tally.later;
                }
            });
        }
    });
    let tallies = tallies.into_inner().unwrap();
    for (way, tally) in &tallies {
        println!("{way:?}: {tally:?}");
        assert_eq!(tally.found + tally.later, tally.played, "{way:?}");
        assert!(tally.found >= 300, "{way:?} was hardly played: {tally:?}");
    }
    assert_eq!(tallies.len(), Way::ALL.len());
    let found: u64 = tallies.values().map(|tally| tally.found).sum();
    let later: u64 = tallies.values().map(|tally| tally.later).sum();
    println!("{found} found, {later} touched nothing that the kept checkpoint covers");
    assert!(found >= 9 * TAMPERINGS / 10, "too many touched nothing that matters");
}

/// The origin is the one of the story: a checkpoint of another log does not count.
#[test]
fn a_checkpoint_of_another_log_is_not_taken() {
    let world = world();
    assert_eq!(world.kept.key.name(), ORIGIN);
    let other = world.original.note.clone();
    let other = String::from_utf8(other).unwrap().replace("keys.example.org", "keys.example.com");
    let tampered = Rows { note: other.into_bytes(), ..world.original.clone() };
    assert_eq!(world.kept.verify(&tampered.export(), false), (false, Found::Checkpoint));
}

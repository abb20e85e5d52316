//! The ways in which somebody tampers with a database that they own.

use keylend::audit::checkpoint::TreeHead;

use super::{Rows, tree};
use crate::support::story::{Signer, Story};

/// Chance that can be repeated (SplitMix64).
pub(in crate::record) struct Dice(u64);

impl Dice {
    pub(in crate::record) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below this one.
    pub(in crate::record) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// What is done to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::record) enum Way {
    /// An entry says something else.
    Edit,
    /// An entry is removed.
    Delete,
    /// An entry is removed and the others close up.
    CloseUp,
    /// Two entries change places.
    Swap,
    /// An entry is put between others.
    Insert,
    /// The newest entries are removed.
    Truncate,
    /// From some entry on, other things happened.
    Fork,
    /// A hash of a tile is changed, and nothing else.
    Tile,
    /// The checkpoint is replaced, and nothing else.
    Checkpoint,
}

impl Way {
    pub(in crate::record) const ALL: [Self; 9] = [
        Self::Edit,
        Self::Delete,
        Self::CloseUp,
        Self::Swap,
        Self::Insert,
        Self::Truncate,
        Self::Fork,
        Self::Tile,
        Self::Checkpoint,
    ];
}

/// A database that was tampered with. Hashes are left as they are, or made to fit; the checkpoint
/// is left, replaced by an older one, or forged with another key.
pub(super) fn tamper(
    original: &Rows,
    notes: &[Vec<u8>],
    forger: &Signer,
    dice: &mut Dice,
) -> (Way, Rows) {
    let way = Way::ALL[dice.below(Way::ALL.len())];
    let mut rows = original.clone();
    match way {
        Way::Tile => tile(&mut rows, dice),
        Way::Checkpoint => {}
        _ => entries(way, &mut rows, dice),
    }
    let rewritten = match way {
        Way::Tile | Way::Checkpoint => None,
        _ => rewrite(&mut rows, dice),
    };
    match (way, dice.below(3)) {
        (Way::Tile, _) | (Way::Edit, 0) => {}
        (_, 0) if way != Way::Checkpoint => {}
        (_, 1) => rows.note = notes[dice.below(notes.len())].clone(),
        _ => {
            let head = rewritten.unwrap_or_else(|| tree(&rows.leaves).1);
            let size = if dice.below(4) == 0 { head.size + 7 } else { head.size };
            rows.note = forger.sign(TreeHead { size, ..head });
            if dice.below(2) == 0 {
                as_if_signed_by_the_log(&mut rows.note, &original.note);
            }
        }
    }
    (way, rows)
}

fn entries(way: Way, rows: &mut Rows, dice: &mut Dice) {
    let leaves = &mut rows.leaves;
    let at = dice.below(leaves.len());
    match way {
        Way::Edit => edit(leaves[at].as_mut().unwrap(), dice),
        Way::Delete => leaves[at] = None,
        Way::CloseUp => drop(leaves.remove(at)),
        Way::Swap => {
            let other = dice.below(leaves.len());
            leaves.swap(at, other);
        }
        Way::Insert => {
            let mut leaf = leaves[dice.below(leaves.len())].clone();
            if dice.below(2) == 0 {
                edit(leaf.as_mut().unwrap(), dice);
            }
            leaves.insert(at, leaf);
        }
        Way::Truncate => leaves.truncate(at),
        Way::Fork => {
            let length = leaves.len();
            leaves.truncate(at);
            let other = Story::of(1000 + dice.below(1000) as u64);
            leaves.extend(other.skip(at).take(length - at).map(Some));
        }
        Way::Tile | Way::Checkpoint => unreachable!("no entries"),
    }
}

/// Another byte somewhere, or another word where one stands.
fn edit(leaf: &mut Vec<u8>, dice: &mut Dice) {
    let text = String::from_utf8(leaf.clone()).unwrap();
    let changed = match dice.below(5) {
        0 => text.replace("unlock", "lock"),
        1 => text.replace("authorized", "refused"),
        2 => text.replace("2026-07-01T12", "2026-07-01T11"),
        3 => text.replace("\"grant\":1", "\"grant\":3"),
        _ => {
            let at = dice.below(leaf.len());
            leaf[at] ^= 1 << dice.below(8);
            return;
        }
    };
    *leaf = changed.into_bytes();
}

/// Makes the hashes fit the entries: none, those of the entries alone, or all.
fn rewrite(rows: &mut Rows, dice: &mut Dice) -> Option<TreeHead> {
    let wanted = dice.below(3);
    if wanted == 0 {
        return None;
    }
    let (tiles, head) = tree(&rows.leaves);
    match wanted {
        1 => rows.tiles.extend(tiles.into_iter().filter(|(id, _)| id.level == 0)),
        _ => rows.tiles = tiles,
    }
    Some(head)
}

fn tile(rows: &mut Rows, dice: &mut Dice) {
    let id = *rows.tiles.keys().nth(dice.below(rows.tiles.len())).unwrap();
    match dice.below(4) {
        0 => drop(rows.tiles.remove(&id)),
        1 => rows.tiles.get_mut(&id).unwrap().truncate(31),
        _ => {
            let tile = rows.tiles.get_mut(&id).unwrap();
            let at = dice.below(tile.len());
            tile[at] ^= 1 << dice.below(8);
        }
    }
}

/// Puts the log's own signature over another text.
fn as_if_signed_by_the_log(note: &mut Vec<u8>, original: &[u8]) {
    let cut = |note: &[u8]| note.windows(2).position(|two| two == b"\n\n").unwrap() + 2;
    let signature = original[cut(original)..].to_vec();
    note.truncate(cut(note));
    note.extend(signature);
}

//! Verifying a record from its beginning: that it is the one whose checkpoints were signed, and
//! that what it says makes sense. Entries go in one by one; what is wrong comes out with its
//! position.

mod contradictions;
pub mod copy;

use std::fmt;

use super::Hash;
use super::bundle::InvalidBundle;
use super::checkpoint::TreeHead;
use super::entry::leaf_hash;
use super::frontier::Frontier;

use contradictions::CommandsAndGrants;
pub use contradictions::Contradiction;

/// Something is wrong with the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The position or positions that are affected.
    pub place: Place,
    /// What is wrong there.
    pub fault: Fault,
}

/// Positions of entries, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At this position.
    At(u64),
    /// Somewhere in these positions, the second not among them: no hash of a leaf between two
    /// checkpoints is known.
    Between(u64, u64),
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The entry is not the one that was signed.
    #[error("this is not the entry that was signed")]
    Changed,
    /// The tree is not the one that was signed.
    #[error("these are not the entries over which the checkpoint was signed")]
    OtherTree,
    /// Entries that were signed are not there.
    #[error("the checkpoint covers {0} entries, and this is the first that is missing")]
    Missing(u64),
    /// The file of this and its neighbours holds more entries than its name says.
    #[error("there is one more entry here than the file's name says")]
    Surplus,
    /// The file of this and its neighbours cannot be taken apart.
    #[error(transparent)]
    Bundle(#[from] InvalidBundle),
    /// The entries are right and the hashes that are kept of them are not.
    #[error("these are the entries that were signed, but the tiles over them are not")]
    Tile,
    /// The entry contradicts the entries before it.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(position) => write!(f, "entry {position}"),
            Self::Between(first, end) if first.saturating_add(1) == *end => {
                write!(f, "entry {first}")
            }
            Self::Between(first, end) => write!(f, "entries {first} to {}", end.saturating_sub(1)),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// What a record without faults amounts to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// Its size and its root.
    pub head: TreeHead,
    /// So many commands have no outcome yet.
    pub open_commands: usize,
    /// So many entries were added after the newest checkpoint.
    pub unsigned: u64,
}

/// A verification under way.
#[derive(Debug)]
pub struct Verifier {
    /// What was signed, the smallest tree last.
    heads: Vec<TreeHead>,
    /// Up to here the entries are those over which a checkpoint was signed.
    good_until: u64,
    /// Up to here each entry has the hash that is known of it.
    known_until: u64,
    frontier: Frontier,
    commands_and_grants: CommandsAndGrants,
    /// The first entry that cannot be true. Whether it is what was signed is said before that.
    contradiction: Option<Finding>,
}

impl Verifier {
    /// The verification of a record of which these states were signed, in any order.
    #[must_use]
    pub fn new(mut heads: Vec<TreeHead>) -> Self {
        heads.sort_unstable_by_key(|head| std::cmp::Reverse(head.size));
        let (frontier, commands_and_grants) = (Frontier::default(), CommandsAndGrants::default());
        Self {
            heads,
            good_until: 0,
            known_until: 0,
            frontier,
            commands_and_grants,
            contradiction: None,
        }
    }

    /// The next entry. `signed` is the hash of the leaf at this position, where it is known from
    /// tiles that belong to a signed checkpoint.
    ///
    /// # Errors
    /// It is not what was signed; the first such finding ends the verification.
    pub fn push(&mut self, leaf: &[u8], signed: Option<Hash>) -> Result<(), Finding> {
        let position = self.frontier.size();
        let at = |fault| Finding { place: Place::At(position), fault };
        self.check_heads()?;
        let hash = leaf_hash(leaf);
        match signed {
            Some(signed) if signed != hash => return Err(at(Fault::Changed)),
            Some(_) if self.known_until == position => self.known_until = position + 1,
            _ => {}
        }
        self.frontier.push(hash);
        if self.contradiction.is_none() {
            self.contradiction = self
                .commands_and_grants
                .push(leaf)
                .err()
                .map(|contradiction| at(contradiction.into()));
        }
        Ok(())
    }

    /// The end of the record.
    ///
    /// # Errors
    /// It is not what was signed, or what it says cannot be: the first entry of which that is so.
    pub fn finish(mut self) -> Result<Verified, Finding> {
        self.check_heads()?;
        let size = self.frontier.size();
        if let Some(missing) = self.heads.first() {
            return Err(self.missing(missing.size));
        }
        if let Some(contradiction) = self.contradiction {
            return Err(contradiction);
        }
        let contradiction = self.commands_and_grants.finish();
        let open_commands = contradiction.map_err(|(position, contradiction)| Finding {
            place: Place::At(position),
            fault: contradiction.into(),
        })?;
        let head = TreeHead { size, root: self.frontier.root() };
        Ok(Verified { head, open_commands, unsigned: size.saturating_sub(self.good_until) })
    }

    /// The next entry is not there, although a tree of `size` entries was signed.
    fn missing(&self, size: u64) -> Finding {
        Finding { place: Place::At(self.frontier.size()), fault: Fault::Missing(size) }
    }

    /// Compares the tree with what was signed at its present size.
    fn check_heads(&mut self) -> Result<(), Finding> {
        let size = self.frontier.size();
        while let Some(head) = self.heads.pop_if(|head| head.size == size) {
            if head.root != self.frontier.root() {
                // The hashes that are known are those of the newest tree, which an older one may
                // contradict.
                let is_newest = self.heads.is_empty() && self.known_until < size;
                let known = if is_newest { self.known_until } else { 0 };
                let place = Place::Between(self.good_until.max(known), size);
                return Err(Finding { place, fault: Fault::OtherTree });
            }
            self.good_until = size;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "verify_test.rs"]
mod tests;

//! Verifying a record from its beginning: that it is the one whose checkpoints were signed, and
//! that what it says makes sense. Entries go in one by one; what is wrong comes out with its
//! position.

mod meaning;

use std::fmt;

use super::Hash;
use super::checkpoint::TreeHead;
use super::entry::leaf_hash;
use super::frontier::Frontier;

use meaning::Meaning;
pub use meaning::Nonsense;

/// Something is wrong with the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// Where something is wrong.
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
    /// What it says cannot be.
    #[error(transparent)]
    Nonsense(#[from] Nonsense),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(position) => write!(f, "entry {position}"),
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
    /// Up to here the entries are those that were signed.
    good_until: u64,
    frontier: Frontier,
    meaning: Meaning,
}

impl Verifier {
    /// The verification of a record of which these states were signed, in any order.
    #[must_use]
    pub fn new(mut heads: Vec<TreeHead>) -> Self {
        heads.sort_unstable_by_key(|head| std::cmp::Reverse(head.size));
        let (frontier, meaning) = (Frontier::default(), Meaning::default());
        Self { heads, good_until: 0, frontier, meaning }
    }

    /// The next entry. `signed` is the hash of the leaf at this position, where it is known from
    /// tiles that belong to a signed checkpoint.
    ///
    /// # Errors
    /// What is wrong; the first finding ends the verification.
    pub fn push(&mut self, leaf: &[u8], signed: Option<Hash>) -> Result<(), Finding> {
        let position = self.frontier.size();
        let at = |fault| Finding { place: Place::At(position), fault };
        self.check_heads()?;
        let hash = leaf_hash(leaf);
        if signed.is_some_and(|signed| signed != hash) {
            return Err(at(Fault::Changed));
        }
        self.frontier.push(hash);
        self.meaning.push(leaf).map_err(|nonsense| at(nonsense.into()))
    }

    /// The end of the record.
    ///
    /// # Errors
    /// What is wrong.
    pub fn finish(mut self) -> Result<Verified, Finding> {
        self.check_heads()?;
        let size = self.frontier.size();
        if let Some(missing) = self.heads.first() {
            let fault = Fault::Missing(missing.size);
            return Err(Finding { place: Place::At(size), fault });
        }
        let nonsense = self.meaning.finish();
        let open_commands = nonsense.map_err(|(position, nonsense)| Finding {
            place: Place::At(position),
            fault: nonsense.into(),
        })?;
        let head = TreeHead { size, root: self.frontier.root() };
        Ok(Verified { head, open_commands, unsigned: size.saturating_sub(self.good_until) })
    }

    /// Compares the tree with what was signed at its present size.
    fn check_heads(&mut self) -> Result<(), Finding> {
        let size = self.frontier.size();
        while let Some(head) = self.heads.pop_if(|head| head.size == size) {
            if head.root != self.frontier.root() {
                let place = Place::Between(self.good_until, size);
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

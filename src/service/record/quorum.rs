//! Whose cosignatures count, and how many of them make a checkpoint a witnessed one.

use crate::config;

/// The witnesses of the record, by their public keys.
#[derive(Debug, Clone)]
pub struct Quorum {
    ids: Vec<String>,
    min: usize,
}

impl Quorum {
    /// As the settings say.
    #[must_use]
    pub fn of(witnesses: &config::Witnesses) -> Self {
        let ids = witnesses.all().iter().map(|address| address.key.to_string());
        Self { ids: ids.collect(), min: witnesses.min() }
    }

    /// How many witnesses there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nobody watches.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many must have cosigned a checkpoint before it is published as the newest.
    pub(super) const fn min(&self) -> usize {
        self.min
    }

    /// How many make a checkpoint a witnessed one.
    pub(super) fn enough(&self) -> usize {
        self.min.max(1)
    }

    /// Whether this is the public key of one of them.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.iter().any(|known| known == id)
    }
}

//! What is wrong with owners' accounts with the makers of their cars. It tells nobody; that is for
//! [`super::account_operations`].

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::smartcar::ErrorKind;

/// What is wrong, by the places of the cars.
#[derive(Debug, Default)]
pub(super) struct Accounts(RwLock<HashMap<usize, ErrorKind>>);

impl Accounts {
    /// What is wrong with the account of the car at this place.
    pub(super) fn error_at(&self, place: usize) -> Option<ErrorKind> {
        let errors = self.0.read().unwrap_or_else(PoisonError::into_inner);
        errors.get(&place).copied()
    }

    /// From now on this is wrong with it, or nothing is. Returns what was wrong before.
    pub(crate) fn replace(&self, place: usize, error: Option<ErrorKind>) -> Option<ErrorKind> {
        let mut errors = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match error {
            Some(kind) => errors.insert(place, kind),
            None => errors.remove(&place),
        }
    }
}

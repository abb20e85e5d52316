//! A row of many, one of which that cannot be read must not stop the others.

use super::{FromRow, Origin, Row};
use crate::storage::StorageError;

/// What a row says, if it can be read; if not, that is logged.
#[derive(Debug)]
pub struct Readable<T>(Option<T>);

impl<T> Readable<T> {
    /// What the row says.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T: FromRow> FromRow for Readable<T> {
    const ORIGIN: Origin = T::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        match T::from_row(row) {
            Ok(read) => Ok(Self(Some(read))),
            Err(StorageError::Corrupt { place: column, why }) => {
                tracing::error!(place = T::ORIGIN.place(&column, row), why, "a row cannot be read");
                Ok(Self(None))
            }
            Err(other) => Err(other),
        }
    }
}

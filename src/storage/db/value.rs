//! What can be bound to a statement: six kinds of value that both databases keep unchanged.

use uuid::Uuid;

use crate::domain::entitlement::Entitlements;
use crate::domain::id::Id;
use crate::domain::time::Timestamp;

/// A parameter; `None` is NULL of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `UUID`.
    Uuid(Option<Uuid>),
    /// `TEXT`.
    Text(Option<String>),
    /// `BIGINT`.
    Integer(Option<i64>),
    /// `BOOLEAN`.
    Boolean(Option<bool>),
    /// `BYTEA`.
    Bytes(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($variant:ident: $from:ty, $value:ident => $into:expr;)*) => {
        $(
            impl From<$from> for Value {
                fn from($value: $from) -> Self {
                    Self::$variant(Some($into))
                }
            }
            impl From<Option<$from>> for Value {
                fn from(value: Option<$from>) -> Self {
                    Self::$variant(value.map(|$value| $into))
                }
            }
        )*
    };
}

value_from! {
    Uuid: Uuid, value => value;
    Text: String, value => value;
    Text: &str, value => value.to_owned();
    Text: &Entitlements, value => value.to_string();
    Integer: i64, value => value;
    Integer: Timestamp, value => value.as_unix_micros();
    Boolean: bool, value => value;
    Bytes: Vec<u8>, value => value;
    Bytes: [u8; 32], value => value.to_vec();
}

impl<K> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Uuid(Some(id.as_uuid()))
    }
}

impl<K> From<Option<Id<K>>> for Value {
    fn from(id: Option<Id<K>>) -> Self {
        Self::Uuid(id.map(|id| id.as_uuid()))
    }
}

macro_rules! value_from_words {
    ($($words:ty),* $(,)?) => {
        $(
            impl From<$words> for Value {
                fn from(word: $words) -> Self {
                    Self::from(word.as_str())
                }
            }
        )*
    };
}

value_from_words!(
    crate::domain::instruction::Action,
    crate::domain::command::CommandStatus,
    crate::domain::command::Evidence,
    crate::domain::connection::ConnectionStatus,
    crate::domain::connection::ApiVersion,
    crate::domain::connection::Mode,
    crate::domain::event::SessionEnd,
    crate::domain::grant::EndReason,
    crate::domain::user::Role,
);

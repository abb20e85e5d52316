//! What can be bound to a statement: six kinds of value that both databases keep unchanged.

use std::borrow::Cow;

use uuid::Uuid;

use crate::domain::entitlement::Entitlements;
use crate::domain::id::Id;
use crate::domain::time::Timestamp;

/// A text, which is a word of the program more often than not.
pub(super) type Text = Cow<'static, str>;

/// A parameter; `None` is NULL of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `UUID`.
    Uuid(Option<Uuid>),
    /// `TEXT`.
    Text(Option<Cow<'static, str>>),
    /// `BIGINT`.
    Integer(Option<i64>),
    /// `BOOLEAN`.
    Boolean(Option<bool>),
    /// `BYTEA`.
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// Whether it is NULL.
    pub(super) const fn is_null(&self) -> bool {
        match self {
            Self::Uuid(value) => value.is_none(),
            Self::Text(value) => value.is_none(),
            Self::Integer(value) => value.is_none(),
            Self::Boolean(value) => value.is_none(),
            Self::Bytes(value) => value.is_none(),
        }
    }

    /// The name of its kind, for the operator.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Uuid(_) => "an id",
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::Bytes(_) => "bytes",
        }
    }
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
    Text: String, value => value.into();
    Text: &str, value => value.to_owned().into();
    Text: Cow<'static, str>, value => value;
    Text: &Entitlements, value => value.to_string().into();
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
                    Self::Text(Some(word.as_str().into()))
                }
            }
        )*
    };
}

value_from_words!(
    crate::domain::calendar::Sharing,
    crate::domain::instruction::Action,
    crate::domain::command::CommandStatus,
    crate::domain::command::Evidence,
    crate::domain::connection::ConnectionStatus,
    crate::domain::connection::ApiVersion,
    crate::domain::connection::Mode,
    crate::domain::claim::ClaimEnd,
    crate::domain::claim::ClaimPurpose,
    crate::domain::event::SessionEnd,
    crate::domain::extension::ExtensionDecision,
    crate::domain::grant::EndReason,
    crate::domain::hold::Rank,
    crate::domain::statement::Side,
    crate::domain::published::EventType,
    crate::domain::user::Role,
    crate::domain::webhook::DeliveryFault,
    crate::domain::webhook::DeliveryStatus,
    crate::domain::webhook::PauseReason,
);

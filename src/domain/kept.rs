//! What a row keeps as a short list in one text, so that who waited for the row sees it as it is by then.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The list, if it can be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Kept<T> {
    /// There is nothing.
    #[default]
    Nothing,
    /// This.
    Known(Vec<T>),
    /// The text is no such list. Who decides takes it for whatever allows least (P9).
    Unreadable,
}

impl<T: Serialize + DeserializeOwned> Kept<T> {
    /// The list that a row keeps as JSON text.
    #[must_use]
    pub fn of_text(text: Option<&str>) -> Self {
        match text.map(serde_json::from_str) {
            None => Self::Nothing,
            Some(Ok(list)) => Self::Known(list),
            Some(Err(_)) => Self::Unreadable,
        }
    }

    /// A list as text; `None` if there is nothing in it.
    #[must_use]
    pub fn text(list: &[T]) -> Option<String> {
        (!list.is_empty()).then(|| serde_json::json!(list).to_string())
    }
}

impl<T> Kept<T> {
    /// Whether there is nothing.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// What can be read of it.
    #[must_use]
    pub fn known(&self) -> &[T] {
        match self {
            Self::Known(list) => list,
            Self::Nothing | Self::Unreadable => &[],
        }
    }
}

/// As the record says it: the list, nothing, or that it cannot be read.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Said<L> {
    Known(L),
    Unreadable(UnreadableWord),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnreadableWord {
    Unreadable,
}

impl<T: Serialize> Serialize for Kept<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => None,
            Self::Known(list) => Some(Said::Known(list)),
            Self::Unreadable => Some(Said::Unreadable(UnreadableWord::Unreadable)),
        }
        .serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<Said<Vec<T>>>::deserialize(deserializer)? {
            None => Self::Nothing,
            Some(Said::Known(list)) => Self::Known(list),
            Some(Said::Unreadable(UnreadableWord::Unreadable)) => Self::Unreadable,
        })
    }
}

//! What a row keeps as a short list in one text, so that who waited for the row sees it as it is by then.

use serde::Serialize;
use serde::de::DeserializeOwned;

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
    /// What can be read of it.
    #[must_use]
    pub fn known(&self) -> &[T] {
        match self {
            Self::Known(list) => list,
            Self::Nothing | Self::Unreadable => &[],
        }
    }
}

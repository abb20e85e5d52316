//! Enumerations whose variants are words: the same text in the database, on the wire and in the
//! record. One macro, so that no variant can be spelled in two ways.
//!
//! Words that are marked as `written` are written only: they have neither `FromStr` nor `Deserialize`,
//! so nothing that is decided can rest on reading one back. [`crate::domain::cause`] alone restores them
//! from what is stored.

/// A text that is none of the words of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one of {known}")]
pub struct UnknownWord {
    text: String,
    known: String,
}

impl UnknownWord {
    /// Says the beginning of the text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.chars().take(64).collect(), known: "the known words".to_owned() }
    }

    /// Says the beginning of the text, and which words are known.
    #[must_use]
    pub fn among(text: &str, known: &[&str]) -> Self {
        Self { known: known.join(", "), ..Self::new(text) }
    }
}

macro_rules! words {
    (
        written
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $meaning:literal])* $variant:ident = $word:literal,)* }
    ) => {
        words! { @says $(#[doc = $doc])* $name { $($(#[doc = $meaning])* $variant = $word,)* } }

        impl $name {
            pub(in crate::domain) fn restore(text: &str) -> Result<Self, $crate::domain::UnknownWord> {
                let found = Self::ALL.iter().copied().find(|variant| variant.as_str() == text);
                found.ok_or_else(|| $crate::domain::UnknownWord::new(text))
            }
        }
    };
    (
        @says
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $meaning:literal])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $meaning])* $variant,)* }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for this variant.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let meanings = [$(($word, concat!($($meaning,)*)),)*];
                $crate::domain::schema::of_words(concat!($($doc,)*), &meanings).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
    (
        $(#[doc = $doc:literal])*
        $name:ident { $($(#[doc = $meaning:literal])* $variant:ident = $word:literal,)* }
    ) => {
        words! { @says $(#[doc = $doc])* $name { $($(#[doc = $meaning])* $variant = $word,)* } }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::domain::UnknownWord::among(text, &[$($word),*])),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

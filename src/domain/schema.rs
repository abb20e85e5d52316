//! What the description of the API says of values: each type whose value is one text or number on the wire says here, once,
//! how it looks.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// Gives a type its schema.
macro_rules! described {
    ($name:ty, $schema:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $schema.build().into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// A text, with what it means.
pub(crate) fn text(meaning: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(meaning))
}

/// The pattern of an id with this prefix.
pub(crate) fn id_pattern(prefix: &str) -> String {
    format!("{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}")
}

/// One of several words, with what each means, as comments in the program say it.
pub(crate) fn of_words(meaning: &str, words: &[(&str, &str)]) -> Object {
    let each = words.iter().map(|(word, meaning)| format!("\n- `{word}`: {}", meaning.trim()));
    let description = format!("{}\n{}", meaning.trim(), each.collect::<String>());
    text(&description).enum_values(Some(words.iter().map(|(word, _)| *word))).build()
}

//! Which words and numbers of a cloud are fit to be stored, shown or put into an address. Both
//! versions of the API are held to the same bounds.

/// The longest vehicle id that is put into a path.
const VEHICLE_ID_BYTES_MAX: usize = 64;
/// The longest make or model.
const NAME_CHARS_MAX: usize = 100;
/// The longest word.
const WORD_BYTES_MAX: usize = 64;
/// The longest sentence of a maker.
const TEXT_CHARS_MAX: usize = 500;
/// The longest address.
const URL_BYTES_MAX: usize = 2_048;
/// The years of makes that can be right.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;
/// The most entries of a list inside one reading.
pub(super) const ENTRIES_MAX: usize = 200;
/// Lists are read up to here; an owner with more cars shares the first of them.
pub(super) const LIST_ENTRIES_MAX: usize = 500;

/// Whether an id cannot change what an address means.
pub(super) fn is_vehicle_id(text: &str) -> bool {
    (1..=VEHICLE_ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A single word, such as the name of a permission or of a door.
pub(super) fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':' | b'.'))
}

/// The name of a maker or model.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(char::is_control)
}

/// A model year.
pub(super) fn is_year(year: i32) -> bool {
    YEARS.contains(&year)
}

/// A vehicle identification number (ISO 3779): seventeen letters and digits.
pub(super) fn is_vin(text: &str) -> bool {
    text.len() == 17 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A share of a whole.
pub(super) fn is_share(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

/// A quantity that cannot be negative, and is not absurd.
pub(super) fn is_quantity(number: f64) -> bool {
    (0.0..=1e9).contains(&number)
}

/// A web address that can be shown to a person.
pub(super) fn is_url(text: &str) -> bool {
    text.len() <= URL_BYTES_MAX
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The sentence of a maker, cut to its bounds.
pub(super) fn text(text: &str) -> String {
    crate::connector::transport::printable(text, TEXT_CHARS_MAX)
}

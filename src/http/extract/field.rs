//! What `serde` says about a field, as a violation. Its sentences are the only place where the
//! names of missing and unknown fields are told, so they are read here, and nowhere else.

use crate::service::Violation;

/// Longer sentences are cut: they may quote the request.
const DETAIL_CHARS_MAX: usize = 2000;

/// The violation that a message of `serde` is about. `place` is where it happened; `child` makes
/// the place of a named field there.
pub(super) fn violation(
    place: String,
    message: &str,
    child: impl Fn(&str, &str) -> String,
) -> Violation {
    // `serde_json` adds the position in the text, which says less than the pointer.
    let message = message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(message);
    let named = |rest: &str| child(&place, rest.split('`').next().unwrap_or_default());
    let (code, pointer) = match message.split_once(" field `") {
        Some(("missing", rest)) => ("required", named(rest)),
        Some(("duplicate", rest)) => ("duplicate_field", named(rest)),
        // The place of an unknown field is its own already.
        Some(("unknown", _)) => ("unknown_field", place),
        _ => ("invalid", place),
    };
    let detail = message.chars().take(DETAIL_CHARS_MAX).collect();
    Violation { pointer, code, detail }
}

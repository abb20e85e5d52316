//! What a command prints: answers to standard output, hints to standard error.

use std::io::{self, ErrorKind, Write as _};

use serde_json::Value;

use super::arguments::View;
use super::table::{self, Shape};
use crate::cli::Failure;
use crate::cli::printable::{printable, printable_json};

/// Prints a text. That nobody reads it is no failure: `keylend … | head` is what it says.
///
/// # Errors
/// [`Failure`] if standard output cannot be written.
pub(in crate::cli) fn out(text: &str) -> Result<(), Failure> {
    match try_out(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

/// The same, for those who would print without end.
///
/// # Errors
/// Standard output cannot be written, or nobody reads it any more.
pub(super) fn try_out(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Says something to the person that is no part of the result.
pub(super) fn hint(text: &str) {
    eprintln!("{text}");
}

/// Prints a body as the API gave it.
///
/// # Errors
/// As [`out`].
pub(super) fn json(body: &Value) -> Result<(), Failure> {
    out(&format!("{}\n", printable_json(&serde_json::to_string_pretty(body)?)))
}

/// Prints one body.
///
/// # Errors
/// As [`out`].
pub(super) fn one(view: View, body: &Value, shape: Shape) -> Result<(), Failure> {
    match view {
        View::Json => json(body),
        View::Table => out(&table::one(body, shape.members)),
        View::Id => out(&ids([body], shape)),
    }
}

/// Prints a list: a body with its rows in `data`.
///
/// # Errors
/// As [`out`].
pub(super) fn list(view: View, body: &Value, shape: Shape) -> Result<(), Failure> {
    let rows = table::member(body, "data").as_array().map_or(&[][..], Vec::as_slice);
    match view {
        View::Json => json(body),
        View::Table if rows.is_empty() => {
            hint("none");
            Ok(())
        }
        View::Table => out(&table::rows(rows, shape.members)),
        View::Id => out(&ids(rows, shape)),
    }
}

fn ids<'a>(bodies: impl IntoIterator<Item = &'a Value>, shape: Shape) -> String {
    let ids = bodies.into_iter().filter_map(|body| table::member(body, shape.id).as_str());
    ids.map(|id| format!("{}\n", printable(id))).collect()
}

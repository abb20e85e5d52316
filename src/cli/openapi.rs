//! `keylend openapi`: the API's description, as it is checked in and served.

use super::Failure;
use crate::http;

/// Prints the description.
///
/// # Errors
/// [`Failure`] if it cannot be written as YAML.
pub(super) fn run() -> Result<(), Failure> {
    print!("{}", http::openapi::yaml(&http::api()).map_err(Failure::because)?);
    Ok(())
}

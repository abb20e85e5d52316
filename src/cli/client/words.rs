//! The words of the API that the command line knows: for help, for completions and for telling a
//! mistake before a server is asked.

use clap::builder::PossibleValuesParser;
use serde_json::Value;

use crate::domain::connection::Mode;
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::GrantStatus;
use crate::domain::instruction::Action;
use crate::domain::reading::Observable;
use crate::domain::user::Role;

macro_rules! words_of {
    ($($(#[$doc:meta])* $name:ident: $words:ty;)*) => {
        $($(#[$doc])* pub(super) fn $name() -> PossibleValuesParser {
            PossibleValuesParser::new(<$words>::ALL.iter().map(|word| word.as_str()))
        })*
    };
}

words_of! {
    /// What can be granted.
    entitlements: Entitlement;
    /// What a car can be asked to do.
    actions: Action;
    /// What can be read from a car.
    observables: Observable;
    /// Where a grant stands.
    grant_statuses: GrantStatus;
    /// What a person may do in the organization.
    roles: Role;
    /// Which cars the consent page offers.
    modes: Mode;
}

/// A JSON object.
///
/// # Errors
/// A sentence that says that it is none.
pub(super) fn object(text: &str) -> Result<Value, &'static str> {
    let value = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    value.ok_or("must be a JSON object, such as '{\"trip\": 17}'")
}

/// A number of times, or `none` for no limit.
///
/// # Errors
/// A sentence that says that it is neither.
pub(super) fn count_or_none(text: &str) -> Result<Value, &'static str> {
    if text == "none" {
        return Ok(Value::Null);
    }
    text.parse::<u32>().map(Value::from).map_err(|_| "must be a whole number, or `none`")
}

//! Everything that is wrong with the members of a body, for one answer. `serde` stops at the first: here each member is
//! read alone, and the schema of the API document says which are missing.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::pointer::{child, wrong};
use crate::service::Violation;

/// So many are told.
const VIOLATIONS_MAX: usize = 20;

/// What is wrong with the body of a `T`, beginning with the violation that was found when it was read as a whole.
pub(super) fn all<T: DeserializeOwned + ToSchema>(body: &[u8], first: Violation) -> Vec<Violation> {
    let members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut violations = vec![first];
    let missing: Vec<Violation> = required::<T>()
        .into_iter()
        .filter(|name| !members.contains_key(name))
        .map(missing)
        .collect();
    for violation in members.into_iter().filter_map(alone::<T>).chain(missing) {
        if violations.iter().all(|known| known.pointer != violation.pointer) {
            violations.push(violation);
        }
        if violations.len() == VIOLATIONS_MAX {
            break;
        }
    }
    violations
}

/// What is wrong with this member. That others are missing beside it is not.
fn alone<T: DeserializeOwned>((name, value): (String, Value)) -> Option<Violation> {
    let place = child("", &name);
    let body = Value::Object(Map::from_iter([(name, value)]));
    let violation = wrong(&serde_path_to_error::deserialize::<_, T>(body).err()?);
    let below = violation.pointer.strip_prefix(&place)?;
    (below.is_empty() || below.starts_with('/')).then_some(violation)
}

fn missing(name: String) -> Violation {
    Violation::of(&child("", &name), "required", format!("missing field `{name}`"))
}

fn required<T: PartialSchema>() -> Vec<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.required,
        _ => Vec::new(),
    }
}

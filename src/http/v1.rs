//! `/v1`: one folder a noun, one file a verb, each with its request, its answer and its handler.

pub(super) mod access_checks;
pub(super) mod allowed_origins;
pub(super) mod api_clients;
pub(super) mod audit_entries;
pub(super) mod claims;
pub(super) mod commands;
pub(super) mod connections;
pub(super) mod ends;
pub(super) mod events;
pub(super) mod grants;
pub(super) mod holds;
mod key_scope;
pub(super) mod return_urls;
pub(super) mod sessions;
pub(super) mod smartcar;
pub(super) mod users;
pub(super) mod vehicles;
pub(super) mod webhook_endpoints;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};

use super::extract::{IdempotencyKey, REPLAYED};
use super::problem::Problem;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Error, Violation};

/// What tells a repeated request from a new one.
fn idempotency(key: Option<IdempotencyKey>, request_hash: [u8; 32]) -> Idempotency {
    Idempotency { key: key.map(|IdempotencyKey(key)| key), request_hash }
}

/// In code points.
const REASON_LENGTH_MAX: usize = 500;

/// What is wrong with the reason that somebody gives for an act.
fn reason(text: &str) -> Option<Violation> {
    let length = text.chars().count();
    // A NUL cannot be stored in a text of PostgreSQL.
    let is_text = (1..=REASON_LENGTH_MAX).contains(&length) && !text.contains('\0');
    let detail = "must be 1 to 500 characters of text";
    (!is_text).then(|| Violation::of("/reason", "invalid", detail))
}

/// The texts of a member that is a list, each read as what it stands for; no two mean the same.
fn each<T: FromStr<Err: Display> + Ord>(
    member: &str,
    texts: &[String],
    most: usize,
) -> Result<BTreeSet<T>, Error> {
    if texts.len() > most {
        let why = format!("must have at most {most} members");
        return Err(Error::Invalid(vec![Violation::of(member, "too_many", why)]));
    }
    let (mut read, mut violations) = (BTreeSet::new(), Vec::new());
    for (place, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(value) => drop(read.insert(value)),
            Err(why) => {
                violations.push(Violation::of(&format!("{member}/{place}"), "invalid", why))
            }
        }
    }
    if violations.is_empty() { Ok(read) } else { Err(Error::Invalid(violations)) }
}

/// What a list is to be about, of its filters `grant_id`, `vehicle_id` and `user_id`.
fn only_one<T>(named: [Option<T>; 3]) -> Result<Option<T>, Problem> {
    let mut named = named.into_iter().flatten();
    let (subject, other) = (named.next(), named.next());
    if other.is_some() {
        let detail = "only one of grant_id, vehicle_id and user_id can be given";
        return Err(Problem::invalid(vec![Violation::of("?grant_id", "exclusive", detail)]));
    }
    Ok(subject)
}

/// An object with members of any name and kind.
struct FreeMap;

described!(
    FreeMap,
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some("An object with members of any name and kind."))
);

/// What clients keep with a grant or a car, in bytes of compact JSON.
const METADATA_BYTES_MAX: usize = 4096;

/// Data of a client's as the text that is kept.
fn metadata_text(metadata: Map<String, Value>, violations: &mut Vec<Violation>) -> String {
    let text = Value::Object(metadata).to_string();
    if text.len() > METADATA_BYTES_MAX {
        violations.push(Violation::of("/metadata", "too_long", "must be at most 4 KiB"));
    }
    text
}

/// The answer to a request that made something, marked if it is an old one.
fn created<T, B: Serialize>(answer: Answer<T>, show: impl FnOnce(T) -> B) -> Response {
    let response = (StatusCode::CREATED, Json(show(answer.value))).into_response();
    mark(response, answer.replayed)
}

/// An answer that shows something in this version, by which it can be changed (RFC 9110 section 8.8.3).
fn versioned(version: i64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Marks an answer that was given before.
fn mark(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

//! JSON bodies: bounded, strict, and with the digest that tells an idempotent repetition from a
//! different request.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::body::WholeBody;
use super::pointer::wrong;
use super::wrong_members;
use crate::http::problem::{Code, Problem};
use crate::service::Violation;

/// A JSON object as `T`, and the SHA-256 of the body as it was sent.
///
/// `T` should deny unknown fields.
#[derive(Debug, Clone)]
pub struct ApiJson<T> {
    /// What was sent.
    pub value: T,
    /// SHA-256 of the body's bytes.
    pub hash: [u8; 32],
}

/// The same where the body may be left out: then `T` is its default.
#[derive(Debug, Clone)]
pub struct OptionalJson<T> {
    /// What was sent, or the default.
    pub value: T,
    /// SHA-256 of the body's bytes.
    pub hash: [u8; 32],
}

impl<S: Send + Sync, T: DeserializeOwned + ToSchema> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let WholeBody(body) = WholeBody::from_request(request, state).await?;
        Ok(Self { value: decode(&body)?, hash: sha256(&body) })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default + ToSchema> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = check_media_type(request.headers());
        let WholeBody(body) = WholeBody::from_request(request, state).await?;
        let value = if body.is_empty() {
            T::default()
        } else {
            media_type?;
            decode(&body)?
        };
        Ok(Self { value, hash: sha256(&body) })
    }
}

/// Tells a field that is `null` from one that is not there (RFC 7396): use it with `default`.
///
/// # Errors
/// Those of the value.
pub(in crate::http) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    if is_json { Ok(()) } else { Err(Problem::of(Code::UnsupportedMediaType)) }
}

fn decode<T: DeserializeOwned + ToSchema>(body: &[u8]) -> Result<T, Problem> {
    // `serde` would also read a structure from an array, by position.
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') | None => {}
        Some(_) => return Err(not_an_object(body)),
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if error.inner().is_data() {
            Problem::invalid(wrong_members::all::<T>(body, wrong(&error)))
        } else {
            malformed(error.inner())
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn not_an_object(body: &[u8]) -> Problem {
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => Problem::invalid(vec![Violation::of("", "invalid", "must be an object")]),
        Err(error) => malformed(&error),
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::of(Code::MalformedJson).detail(error.to_string())
}

fn sha256(body: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(digest(&SHA256, body).as_ref()) {
        *to = *from;
    }
    hash
}

#[cfg(test)]
#[path = "json_test.rs"]
mod tests;

//! What is wrong with an owner's account: reading and setting it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{parsed, place, wrong};
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::smartcar::ErrorKind;

/// Body of `PUT /_sim/vehicles/{id}/account`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountError {
    error: String,
    #[serde(default)]
    code: Option<String>,
}

/// `GET /_sim/vehicles/{id}/account`: what is wrong.
pub(super) async fn get(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failure> {
    let error = cloud.account_error(place(&cloud, &id)?);
    let (error, code) = (error.map(ErrorKind::error_type), error.and_then(ErrorKind::code));
    Ok(Json(json!({ "error": error, "code": code })))
}

/// `PUT /_sim/vehicles/{id}/account`: from now on this is wrong.
pub(super) async fn set(
    State(cloud): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let place = place(&cloud, &id)?;
    let AccountError { error, code } = parsed(&body)?;
    let kind = ErrorKind::find(&error, code.as_deref())
        .ok_or_else(|| wrong("this error and code are not documented"))?;
    cloud.set_account_error(place, Some(kind));
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /_sim/vehicles/{id}/account`: nothing is wrong any more.
pub(super) async fn clear(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    cloud.set_account_error(place(&cloud, &id)?, None);
    Ok(StatusCode::NO_CONTENT)
}

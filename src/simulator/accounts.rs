//! What is wrong with owners' accounts with the makers of their cars. While it is, every request
//! about the car is answered with it; the owner mends it by logging in again. It knows no page.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Failure;
use super::state::Cloud;
use crate::smartcar::ErrorKind;
use crate::smartcar::webhook::EventError;

/// The family of errors that logging in again mends.
const ACCOUNT: &str = "CONNECTED_SERVICES_ACCOUNT";

type Shared = State<Arc<Cloud>>;

/// What is wrong, by the places of the cars.
#[derive(Debug, Default)]
pub(super) struct Accounts(RwLock<HashMap<usize, ErrorKind>>);

impl Cloud {
    /// What is wrong with the account of the car at this place.
    pub(super) fn account_error(&self, place: usize) -> Option<ErrorKind> {
        let errors = self.accounts.0.read().unwrap_or_else(PoisonError::into_inner);
        errors.get(&place).copied()
    }

    /// From now on this is wrong with it, or nothing is.
    fn set_account_error(&self, place: usize, error: Option<ErrorKind>) {
        let mut errors = self.accounts.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = match error {
            Some(kind) => errors.insert(place, kind),
            None => errors.remove(&place),
        };
        drop(errors);
        if before == error {
            return;
        }
        let resolved = before.map(|kind| (kind, EventError::RESOLVED));
        for (kind, state) in resolved.into_iter().chain(error.map(|kind| (kind, EventError::ERROR)))
        {
            self.account_changed(place, kind, state);
        }
    }

    /// The owner has logged in again: what that can mend is mended.
    pub(super) fn reauthenticated(&self, place: usize) {
        let mends = |kind: ErrorKind| kind.error_type() == ACCOUNT;
        if self.account_error(place).is_some_and(mends) {
            self.set_account_error(place, None);
        }
        self.consents
            .amend(place, |terms| terms.always = terms.always.filter(|kind| !mends(*kind)));
    }
}

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
    let wrong = |why: String| Failure::new(ErrorKind::ValidationParameter).describing(why);
    let AccountError { error, code } =
        serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    let kind = ErrorKind::find(&error, code.as_deref())
        .ok_or_else(|| wrong("this error and code are not documented".to_owned()))?;
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

fn place(cloud: &Cloud, id: &str) -> Result<usize, Failure> {
    let found = cloud.car(id).map(|(place, _)| place);
    found.ok_or_else(|| Failure::new(ErrorKind::ResourceNotFoundPath))
}

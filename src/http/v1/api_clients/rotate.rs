//! `POST /v1/api-clients/{api_client_id}/rotate-secret`: a new secret, and time to take it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::ApiClientCredentialsBody;
use crate::domain::id::ApiClientId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, IdempotencyKey, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::Violation;
use crate::service::api_clients::{self, OVERLAP_MAX};

/// In seconds.
const OVERLAP_USUAL: u64 = 24 * 60 * 60;

/// How long two secrets work.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::http) struct RotateSecret {
    /// So many seconds the secret of before works on: a day if not given, at most a week, 0 if somebody else may have it.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_s: Option<u64>,
}

/// Make a new secret for an API client; the one before works for a while, so that its program can take the new one.
#[utoipa::path(post, path = "/v1/api-clients/{api_client_id}/rotate-secret",
    operation_id = "api_clients.rotate_secret", tag = "api_clients", security(("session" = [])),
    request_body(content = Option<RotateSecret>, description = "May be left out."),
    params(("api_client_id" = ApiClientId, Path, description = "The API client."),
        ("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats give the same answer.")),
    responses((status = 201, description = "The credentials from now on.", body = ApiClientCredentialsBody)))]
pub(in crate::http) async fn rotate_secret(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(api_client_id): ApiPath<ApiClientId>,
    key: Option<IdempotencyKey>,
    body: OptionalJson<RotateSecret>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let overlap = Duration::from_secs(body.value.overlap_s.unwrap_or(OVERLAP_USUAL));
    if overlap > OVERLAP_MAX {
        let violation = Violation::of("/overlap_s", "out_of_range", "must be 0 to 604800");
        return Err(Problem::invalid(vec![violation]));
    }
    let base = &gateway.service.base;
    let answer =
        api_clients::rotate_secret(base, &caller, &idempotency, api_client_id, overlap).await?;
    Ok(created(answer, ApiClientCredentialsBody::from))
}

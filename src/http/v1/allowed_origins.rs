//! `/v1/organization/allowed-origins`: from which origins scripts may read what the service answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::allowed_origin::{ALLOWED_ORIGINS_MAX, AllowedOrigin};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::each;
use crate::service::allowed_origins;

/// The origins of web apps that call the API from browsers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AllowedOriginList {
    /// Origins as browsers send them: a scheme, a host and, unless it is the usual one, a port. By https, or by http on
    /// localhost, 127.0.0.1 or [::1]; without a path and without `*`.
    #[schema(max_items = 20, example = json!(["https://app.example"]))]
    allowed_origins: Vec<String>,
}

impl FromIterator<AllowedOrigin> for AllowedOriginList {
    fn from_iter<I: IntoIterator<Item = AllowedOrigin>>(origins: I) -> Self {
        Self { allowed_origins: origins.into_iter().map(|origin| origin.to_string()).collect() }
    }
}

/// List from which origins scripts may read what the service answers to the organization's people and programs.
#[utoipa::path(get, path = "/v1/organization/allowed-origins", operation_id = "allowed_origins.list", tag = "allowed_origins",
    security(("session" = [])),
    responses((status = 200, description = "The origins, in alphabetical order.", body = AllowedOriginList)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
) -> Result<Json<AllowedOriginList>, Problem> {
    let origins = allowed_origins::list(&gateway.service.base, &caller).await?;
    Ok(Json(origins.into_iter().collect()))
}

/// Say from which origins scripts may read what the service answers to the organization's people and programs, in place
/// of what was said before. Other instances know it within five seconds, and browsers remember a preflight for ten minutes.
#[utoipa::path(put, path = "/v1/organization/allowed-origins", operation_id = "allowed_origins.replace", tag = "allowed_origins",
    security(("session" = [])), request_body = AllowedOriginList,
    responses((status = 200, description = "The origins, in alphabetical order.", body = AllowedOriginList)))]
pub(in crate::http) async fn replace(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    body: ApiJson<AllowedOriginList>,
) -> Result<Json<AllowedOriginList>, Problem> {
    let origins = each("/allowed_origins", &body.value.allowed_origins, ALLOWED_ORIGINS_MAX)?;
    let base = &gateway.service.base;
    allowed_origins::replace(base, &gateway.origins, &caller, &origins).await?;
    Ok(Json(origins.into_iter().collect()))
}

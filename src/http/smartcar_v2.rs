//! The facade: Smartcar's API v2.0 with a grant token in the place of the access token, so that
//! an app that speaks it through its SDK works unchanged (protocol page, section 8.4). It passes
//! through the same gate as `/v1`. Vehicle ids are the UUIDs inside ours.

mod answer;
mod holder;
pub(super) mod security;
pub(super) mod vehicles;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};

use super::Gateway;
use answer::Refusal;

/// What the description does not list: the same paths with a slash at their end, as two SDKs send
/// them, and everything that is not there, in Smartcar's own words.
pub(super) fn variants() -> Router<Arc<Gateway>> {
    let security = get(security::read).post(security::command);
    Router::new()
        .route("/v2.0/vehicles/", get(vehicles::list))
        .route("/v2.0/vehicles/{id}/", get(vehicles::attributes))
        .route("/v2.0/vehicles/{id}/permissions/", get(vehicles::permissions))
        .route("/v2.0/vehicles/{id}/security/", security)
        .route("/v2.0/{*path}", any(async || Refusal::no_such_path()))
}

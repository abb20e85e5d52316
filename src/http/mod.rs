//! The interface for programs: every route in one list, and what surrounds them.
//!
//! Handlers turn requests into calls of the service and its answers into JSON. They decide
//! nothing, and they know no database and no vehicle cloud.

pub mod extract;
#[cfg(test)]
mod handler_test;
pub mod headers;
pub mod health;
mod jwks;
pub mod layers;
mod metrics;
mod oauth_token;
pub mod openapi;
pub mod problem;
mod problem_pages;
#[cfg(test)]
mod rehearsal;
pub mod request_id;
mod smartcar_v2;
mod v1;

use std::sync::Arc;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;

pub use layers::Edge;

/// What handlers work with.
pub struct Gateway {
    /// The use cases.
    pub service: Service,
    /// What must work before requests are taken.
    pub checks: Vec<Box<dyn health::HealthCheck>>,
    /// The measurements.
    pub metrics: PrometheusHandle,
}

/// Every route that is described.
fn routes() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(problem_pages::show))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(jwks::show))
        .routes(routes!(oauth_token::issue))
        .routes(routes!(v1::sessions::create::create))
        .routes(routes!(v1::sessions::refresh::refresh))
        .routes(routes!(v1::sessions::end::end))
        .routes(routes!(v1::users::create::create, v1::users::list::list))
        .routes(routes!(v1::users::get::me))
        .routes(routes!(v1::users::get::get))
        .routes(routes!(v1::users::disable::disable))
        .routes(routes!(v1::api_clients::create::create, v1::api_clients::list::list))
        .routes(routes!(v1::api_clients::revoke::revoke))
        .routes(routes!(v1::connections::start::start))
        .routes(routes!(v1::connections::callback::callback))
        .routes(routes!(v1::connections::get::get))
        .routes(routes!(v1::vehicles::list::list))
        .routes(routes!(v1::vehicles::get::get))
        .routes(routes!(v1::commands::list::list))
        .routes(routes!(v1::grants::issue::issue, v1::grants::list::list))
        .routes(routes!(v1::grants::get::get))
        .routes(routes!(v1::grants::token::mint))
        .routes(routes!(v1::grants::revoke::revoke))
        .routes(routes!(v1::grants::relinquish::relinquish))
        .routes(routes!(v1::commands::create::create))
        .routes(routes!(v1::commands::get::get))
        .routes(routes!(v1::access_checks::create::create))
        .routes(routes!(v1::audit_entries::list::list))
        .routes(routes!(smartcar_v2::vehicles::list))
        .routes(routes!(smartcar_v2::vehicles::attributes))
        .routes(routes!(smartcar_v2::vehicles::permissions))
        .routes(routes!(smartcar_v2::security::command, smartcar_v2::security::read))
}

/// The description of every route.
#[must_use]
pub fn api() -> utoipa::openapi::OpenApi {
    openapi::complete(routes().into_openapi())
}

/// The whole interface, ready to be served.
pub fn router(gateway: Arc<Gateway>, edge: Edge) -> Router {
    let (router, api) = routes().split_for_parts();
    let docs = openapi::routes(&openapi::complete(api));
    let router = router.merge(smartcar_v2::variants()).merge(docs).with_state(gateway);
    layers::layered(router, edge)
}

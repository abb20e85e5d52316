//! The interface for programs: every route in one list, and what surrounds them.
//!
//! Handlers turn requests into calls of the service and its answers into JSON. They decide
//! nothing, and they know no database and no vehicle cloud.

pub mod extract;
#[cfg(test)]
mod handler_test;
pub mod headers;
pub mod health;
pub mod layers;
mod metrics;
pub mod openapi;
pub mod problem;
mod problem_pages;
#[cfg(test)]
mod rehearsal;
pub mod request_id;

use std::sync::Arc;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use layers::Edge;

/// What handlers work with.
pub struct Gateway {
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
    let router = router.merge(docs).with_state(gateway);
    layers::layered(router, edge)
}

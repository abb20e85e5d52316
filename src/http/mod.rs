//! The interface for programs: every route in one list, and what surrounds them.
//!
//! Handlers turn requests into calls of the service and its answers into JSON. They decide
//! nothing, and they know no database and no vehicle cloud.

mod claim_page;
mod client_address;
mod cors;
mod docs;
pub mod extract;
#[cfg(test)]
mod handler_test;
pub mod headers;
pub mod health;
mod idleness;
mod jwks;
pub mod layers;
mod metrics;
mod oauth_token;
pub mod openapi;
mod places;
pub mod problem;
mod problem_pages;
pub mod request_id;
pub mod server;
mod smartcar_v2;
mod smartcar_v3;
#[cfg(test)]
mod test_requests;
mod transparency_log;
mod v1;
mod visitors;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware;
use axum::routing::post;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Visits;
use crate::service::Service;
use crate::service::allowed_origins::KnownOrigins;

pub use cors::Cors;
pub use health::Monitor;
pub use layers::Edge;
pub use v1::events::Streams;

/// What handlers work with.
pub struct Gateway {
    /// The use cases.
    pub service: Service,
    /// How the service is doing.
    pub monitor: Monitor,
    /// Who follows events at present.
    pub streams: Arc<Streams>,
    /// Ends what would go on for ever when the service stops.
    pub stop: CancellationToken,
    /// How often each address came without credentials.
    pub visits: Arc<Visits>,
    /// The origins that organizations list.
    pub origins: Arc<KnownOrigins>,
}

impl FromRef<Arc<Gateway>> for Monitor {
    fn from_ref(gateway: &Arc<Gateway>) -> Self {
        gateway.monitor.clone()
    }
}

/// Every described route that needs no use case; it needs no credentials either.
fn open_routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S>
where
    Monitor: FromRef<S>,
{
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(problem_pages::show))
        .routes(routes!(claim_page::page))
        .routes(routes!(claim_page::script))
        .routes(routes!(health::alive))
}

/// What tells operators how the service is doing.
fn operators_routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S>
where
    Monitor: FromRef<S>,
{
    OpenApiRouter::new().routes(routes!(health::ready)).routes(routes!(health::metrics))
}

/// Every described route for those who have no credentials yet: each address at a pace.
fn visitors_routes() -> OpenApiRouter<Arc<Gateway>> {
    open_routes()
        .routes(routes!(jwks::show))
        .routes(routes!(oauth_token::issue))
        // One of Smartcar's SDKs puts a slash at the end.
        .route("/oauth/token/", post(oauth_token::issue))
        .routes(routes!(v1::sessions::create::create))
        .routes(routes!(v1::sessions::refresh::refresh))
        .routes(routes!(v1::claims::redeem::redeem))
        .routes(routes!(v1::connections::callback::callback))
        .routes(routes!(transparency_log::checkpoint))
        .routes(routes!(transparency_log::newest_checkpoint))
        .merge(OpenApiRouter::from(transparency_log::tiles()))
}

/// Every described route about people and programs.
fn routes_of_people() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::new()
        .routes(routes!(v1::sessions::end::end))
        .routes(routes!(v1::users::create::create, v1::users::list::list))
        .routes(routes!(v1::users::get::me))
        .routes(routes!(v1::users::get::get, v1::users::name::name))
        .routes(routes!(v1::users::password::change))
        .routes(routes!(v1::users::sessions::list))
        .routes(routes!(v1::users::sessions::end_one))
        .routes(routes!(v1::users::sessions::end_all))
        .routes(routes!(v1::users::device_keys::list))
        .routes(routes!(v1::users::device_keys::revoke))
        .routes(routes!(v1::users::allowed_clients::list))
        .routes(routes!(v1::users::allowed_clients::allow, v1::users::allowed_clients::disallow))
        .routes(routes!(v1::users::claims::create))
        .routes(routes!(v1::users::disable::disable))
        .routes(routes!(v1::users::enable::enable))
        .routes(routes!(v1::users::erase::erase))
        .routes(routes!(v1::api_clients::create::create, v1::api_clients::list::list))
        .routes(routes!(v1::api_clients::revoke::revoke))
        .routes(routes!(v1::api_clients::replace::replace))
        .routes(routes!(v1::api_clients::rotate::rotate_secret))
        .routes(routes!(v1::return_urls::list, v1::return_urls::replace))
        .routes(routes!(v1::allowed_origins::list, v1::allowed_origins::replace))
}

/// Every other route that is described.
fn routes() -> OpenApiRouter<Arc<Gateway>> {
    routes_of_people()
        .routes(routes!(v1::connections::start::start, v1::connections::list::list))
        .routes(routes!(v1::connections::get::get, v1::connections::end::end))
        .routes(routes!(v1::connections::complete::complete))
        .routes(routes!(v1::connections::reauthenticate::reauthenticate))
        .routes(routes!(v1::vehicles::list::list))
        .routes(routes!(
            v1::vehicles::get::get,
            v1::vehicles::describe::describe,
            v1::vehicles::remove::remove
        ))
        .routes(routes!(v1::vehicles::holders::holders))
        .routes(routes!(v1::vehicles::read::read))
        .routes(routes!(v1::vehicles::transfer::transfer, v1::vehicles::transfer::withdraw))
        .routes(routes!(v1::commands::list::list))
        .routes(routes!(v1::grants::issue::issue, v1::grants::list::list))
        .routes(routes!(v1::grants::get::get, v1::grants::amend::amend))
        .routes(routes!(v1::grants::token::mint))
        .routes(routes!(v1::grants::tokens::list))
        .routes(routes!(v1::grants::tokens::end))
        .routes(routes!(v1::grants::revoke::revoke))
        .routes(routes!(v1::grants::switch::switch))
        .routes(routes!(v1::grants::extensions::request, v1::grants::extensions::list))
        .routes(routes!(v1::grants::extensions::approve))
        .routes(routes!(v1::grants::extensions::decline))
        .routes(routes!(v1::grants::end_check::check))
        .routes(routes!(v1::grants::statement::statement))
        .routes(routes!(v1::grants::relinquish::relinquish))
        .routes(routes!(v1::grants::confirm::confirm))
        .routes(routes!(v1::holds::place::place, v1::holds::list::list))
        .routes(routes!(v1::holds::lift::lift))
        .routes(routes!(v1::ends::create::create))
        .routes(routes!(v1::commands::create::create))
        .routes(routes!(v1::commands::get::get))
        .routes(routes!(v1::access_checks::create::create))
        .routes(routes!(v1::access_checks::who::who))
        .routes(routes!(v1::events::list::list))
        .routes(routes!(v1::webhook_endpoints::create::create, v1::webhook_endpoints::list::list))
        .routes(routes!(v1::webhook_endpoints::list::get, v1::webhook_endpoints::change::delete))
        .routes(routes!(v1::webhook_endpoints::change::pause))
        .routes(routes!(v1::webhook_endpoints::change::resume))
        .routes(routes!(v1::webhook_endpoints::change::rotate_secret))
        .routes(routes!(v1::webhook_endpoints::deliveries::list))
        .routes(routes!(v1::webhook_endpoints::deliveries::redeliver))
        .routes(routes!(v1::webhook_endpoints::deliveries::test))
        .routes(routes!(v1::audit_entries::list::list))
        .routes(routes!(v1::audit_entries::proof::prove))
        .routes(routes!(v1::smartcar::webhooks::receive))
        .merge(smartcar_v2::routes())
        .merge(smartcar_v3::routes())
}

/// The description of every route.
#[must_use]
pub fn api() -> utoipa::openapi::OpenApi {
    openapi::complete(described().into_openapi())
}

/// Every route.
fn described() -> OpenApiRouter<Arc<Gateway>> {
    visitors_routes().merge(operators_routes()).merge(routes())
}

/// Where operators ask how the service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorsDoor {
    /// Where everybody else asks, each address at a pace.
    Shared,
    /// At an address of their own, which has [`operators_router`].
    Separate,
}

/// The interface for clients, ready to be served.
pub fn router(gateway: Arc<Gateway>, edge: Edge, operators: OperatorsDoor) -> Router {
    let visitors = match operators {
        OperatorsDoor::Shared => visitors_routes().merge(operators_routes()),
        OperatorsDoor::Separate => visitors_routes(),
    };
    let paced = middleware::from_fn_with_state(Arc::clone(&gateway.visits), visitors::pace);
    let nonces = middleware::from_fn_with_state(Arc::clone(&gateway), extract::offer_nonce);
    served(visitors.layer(paced).merge(routes()).layer(nonces), gateway, edge)
}

/// What is served at the operators' own address: whether the service is alive, ready, and how it
/// is doing.
pub fn operators_router(monitor: Monitor, edge: Edge) -> Router {
    let described = operators_routes().routes(routes!(health::alive));
    let edge = Edge { cors: None, ..edge };
    layers::layered(Router::from(described).with_state(monitor), edge)
}

/// Routes and their description, with everything that surrounds a request.
fn served<S: Clone + Send + Sync + 'static>(
    described: OpenApiRouter<S>,
    state: S,
    edge: Edge,
) -> Router {
    let (router, api) = described.split_for_parts();
    let reference = openapi::routes(&openapi::complete(api));
    layers::layered(router.merge(docs::routes()).merge(reference).with_state(state), edge)
}

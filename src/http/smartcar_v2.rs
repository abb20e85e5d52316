//! The facade: Smartcar's API v2.0 with a grant token in the place of the access token, so that
//! an app that speaks it through its SDK works unchanged (protocol page, section 8.4). It passes
//! through the same gate as `/v1`. Vehicle ids are the UUIDs inside ours.

pub(super) mod answer;
mod application;
mod batch;
mod commands;
pub(super) mod holder;
mod lists;
mod management;
mod reads;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{MethodRouter, any, delete, get, post};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::Gateway;
use crate::connector::smartcar::v2_readings;
use crate::domain::reading::Observable;
use answer::Refusal;

/// Describes what [`routes`] serves; what has one shape has one description.
#[derive(OpenApi)]
#[openapi(paths(
    lists::user,
    lists::vehicles,
    lists::permissions,
    reads::attributes,
    reads::lock_status,
    reads::charge_state,
    reads::charge_limit,
    reads::reading,
    reads::reading_of_part,
    batch::batch,
    application::disconnect,
    management::connections,
    management::delete_connections,
    commands::security,
    commands::charge,
    commands::charge_limit,
    commands::destination
))]
struct DescriptionOfV2;

/// Every route of the facade. Two SDKs put a slash at the end of some paths, so each path is
/// served with and without.
pub(super) fn routes() -> OpenApiRouter<Arc<Gateway>> {
    let mut served: Vec<(&str, MethodRouter<Arc<Gateway>>)> = vec![
        ("/permissions", get(lists::permissions)),
        ("/batch", post(batch::batch)),
        ("/application", delete(application::disconnect)),
        ("/navigation/destination", post(commands::destination)),
    ];
    for &observable in Observable::ALL {
        let read = reads::route(observable);
        let methods = match observable {
            Observable::LockStatus => read.post(commands::security),
            Observable::Charge => read.post(commands::charge),
            Observable::ChargeLimit => read.post(commands::charge_limit),
            _ => read,
        };
        served.push((v2_readings::path(observable), methods));
    }
    let of_car = |(path, methods)| (format!("/v2.0/vehicles/{{id}}{path}"), methods);
    let of_user = [
        ("/v2.0/user".to_owned(), get(lists::user)),
        ("/v2.0/vehicles".to_owned(), get(lists::vehicles)),
        (
            "/v2.0/management/connections".to_owned(),
            get(management::connections).delete(management::delete_connections),
        ),
    ];
    let all = of_user.into_iter().chain(served.into_iter().map(of_car));
    let router = all.fold(Router::new(), |router, (path, methods)| {
        router.route(&format!("{path}/"), methods.clone()).route(&path, methods)
    });
    let router = router.route("/v2.0/{*path}", any(no_such_path));
    OpenApiRouter::with_openapi(DescriptionOfV2::openapi()).merge(router.into())
}

async fn no_such_path(State(gateway): State<Arc<Gateway>>) -> Refusal {
    Refusal::no_such_path().named(&answer::request_id(&gateway))
}

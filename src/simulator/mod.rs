//! A vehicle cloud of our own: it speaks the Smartcar protocol over HTTP, keeps cars that lock and
//! unlock, and misbehaves on request. Tests, the demo and benchmarks run it in place of the real
//! one. It knows nothing of Keylend: who borrows a car, and why, is not its business.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::entropy::Entropy;

mod answer;
mod asked;
mod bounded;
mod car;
mod connect;
mod controls;
mod faults;
mod fleet;
mod journal;
mod listener;
mod oauth;
mod state;
#[cfg(test)]
mod tests;
mod vehicles;

pub use faults::{Fault, FaultKind, FaultScript, Occasion};
pub use fleet::{Car as FleetCar, Fleet, FleetError};

use listener::{Peer, WireListener};
use state::Cloud;

/// Bodies beyond this are refused.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How long open answers may take once the simulator is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What a vehicle cloud starts with.
#[derive(Debug, Default)]
pub struct Options {
    /// The cars of the one owner that the cloud knows.
    pub fleet: Fleet,
    /// Whether the owner agrees to everything without being shown a page.
    pub auto_approve: bool,
    /// A file that gets one JSON line for each command that a car really executed.
    pub journal: Option<PathBuf>,
}

/// Answers requests until `shutdown` is cancelled.
///
/// # Errors
/// If the journal cannot be opened or the fleet cannot be given ids.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let cloud = Cloud::new(options, clock, entropy, shutdown.clone())?;
    let app = router(Arc::new(cloud)).into_make_service_with_connect_info::<Peer>();
    let server = axum::serve(WireListener::new(listener), app)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        result = server => result,
        () = overdue => Ok(()),
    }
}

fn router(cloud: Arc<Cloud>) -> Router {
    let control = Router::new()
        .route("/_sim/vehicles", get(controls::cars))
        .route(
            "/_sim/vehicles/{id}/faults",
            get(controls::faults).put(controls::set_faults).delete(controls::clear_faults),
        )
        .route("/_sim/journal", get(controls::journal))
        .route("/_sim/consents", axum::routing::delete(controls::forget_consents))
        .route_layer(from_fn(controls::only_this_machine));
    let api = [
        ("/oauth/authorize", get(connect::ask).post(connect::decide) as MethodRouter<Arc<Cloud>>),
        ("/oauth/token", post(oauth::token)),
        ("/v2.0/user", get(vehicles::user)),
        ("/v2.0/vehicles", get(vehicles::list)),
        ("/v2.0/vehicles/{id}", get(vehicles::attributes)),
        ("/v2.0/vehicles/{id}/vin", get(vehicles::vin)),
        ("/v2.0/vehicles/{id}/permissions", get(vehicles::permissions)),
        ("/v2.0/vehicles/{id}/security", get(vehicles::security).post(vehicles::command)),
    ];
    api.into_iter()
        .fold(control, |router, (path, methods)| {
            router.route(&format!("{path}/"), methods.clone()).route(path, methods)
        })
        .fallback(answer::no_such_path)
        .method_not_allowed_fallback(answer::no_such_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&cloud), answer::finish))
        .with_state(cloud)
}

//! A vehicle cloud of our own: it speaks the Smartcar protocol over HTTP, keeps cars that lock and
//! unlock, and misbehaves on request. Tests, the demo and benchmarks run it in place of the real
//! one. It knows nothing of Keylend: who borrows a car, and why, is not its business.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, patch, post};
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::entropy::Entropy;

mod accounts;
mod adjustment;
mod announcements;
mod answer;
mod asked;
mod batch;
mod bounded;
mod call;
mod car;
mod car_state;
mod commands;
mod compatibility;
mod connect;
mod connect_controls;
mod connect_error;
mod consent_controls;
mod consents;
mod controls;
mod courier;
mod events;
mod faults;
mod fleet;
mod journal;
mod listener;
mod logins;
mod management;
mod mishap;
mod oauth;
mod orders;
mod paging;
mod readings;
mod reads;
mod reauthenticate;
mod sharing;
mod shown;
mod spoilt;
mod state;
mod subscriptions;
#[cfg(test)]
mod tests;
mod token_faults;
mod v3;
mod vehicles;
mod webhook_controls;
mod webhooks;
mod workshop;

pub use adjustment::Adjustment;
pub use car_state::Powertrain;
pub use connect_controls::{ConnectOptions, ConnectResult};
pub use connect_error::ConnectError;
pub use faults::{Fault, FaultKind, FaultScript, LateOutcome, LateWord, Occasion};
pub use fleet::{Car as FleetCar, Fleet, FleetError};
pub use token_faults::{TokenFault, TokenFaultKind, TokenFaultScript, TokenOccasion};

use listener::{Peer, WireListener};
use readings::Reading;
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
    /// Whether cars behave as the official simulated ones: commands succeed and change nothing.
    pub as_official: bool,
    /// How owners come back from Connect.
    pub connect: ConnectOptions,
    /// The application management token; `sim-amt` if none is chosen.
    pub management_token: Option<String>,
    /// How long to wait before each further attempt to deliver an event; 25, 50 and 100 seconds if
    /// it is not said.
    pub webhook_retries: Option<Vec<Duration>>,
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
        .route("/_sim/vehicles/{id}", patch(controls::adjust))
        .route(
            "/_sim/vehicles/{id}/faults",
            get(controls::faults).put(controls::set_faults).delete(controls::clear_faults),
        )
        .route(
            "/_sim/token-faults",
            get(token_faults::get).put(token_faults::set).delete(token_faults::clear),
        )
        .route(
            "/_sim/vehicles/{id}/account",
            get(accounts::get).put(accounts::set).delete(accounts::clear),
        )
        .route("/_sim/webhooks", get(webhook_controls::list).post(webhook_controls::register))
        .route("/_sim/webhooks/{id}", delete(webhook_controls::end))
        .route("/_sim/webhooks/{id}/deliver", post(webhook_controls::deliver))
        .route("/_sim/connect", get(connect_controls::get).put(connect_controls::set))
        .route("/_sim/clock", get(controls::clock))
        .route("/_sim/journal", get(controls::journal))
        .route("/_sim/consents", get(consent_controls::list).delete(consent_controls::forget))
        .route(
            "/_sim/consents/{id}",
            patch(consent_controls::permit).delete(consent_controls::withdraw),
        )
        .route_layer(from_fn(controls::only_this_machine));
    let api = [
        ("/oauth/authorize", get(connect::ask).post(connect::decide) as MethodRouter<Arc<Cloud>>),
        ("/oauth/reauthenticate", get(reauthenticate::ask).post(reauthenticate::decide)),
        ("/oauth/token", token_faults::in_front_of(post(oauth::token), &cloud)),
        ("/oauth2/token", token_faults::in_front_of(post(v3::token::token), &cloud)),
        ("/v2.0/management/connections", get(management::list).delete(management::disconnect)),
        ("/v2.0/compatibility", get(compatibility::of_vin)),
        ("/v2.0/compatibility/matrix", get(compatibility::matrix)),
        ("/v2.0/user", get(vehicles::user)),
        ("/v2.0/vehicles", get(vehicles::list)),
    ];
    let commands = [
        ("/security", post(commands::security) as MethodRouter<Arc<Cloud>>),
        ("/charge", post(commands::charge)),
        ("/charge/limit", post(commands::charge_limit)),
        ("/navigation/destination", post(commands::destination)),
        ("/batch", post(batch::batch)),
        ("/application", delete(vehicles::disconnect)),
        (
            "/webhooks/{webhook_id}",
            post(subscriptions::subscribe).delete(subscriptions::unsubscribe),
        ),
    ];
    let below = |path: &str| format!("/v2.0/vehicles/{{id}}{path}");
    let reads = Reading::ALL.iter();
    let reads = reads.map(|reading| (reading.path(), get(reads::read).layer(Extension(*reading))));
    let cars = commands.into_iter().chain(reads).map(|(path, methods)| (below(path), methods));
    let api = api
        .into_iter()
        .map(|(path, methods)| (path.to_owned(), methods))
        .chain(cars)
        .chain(v3::routes());
    api.into_iter()
        .fold(control, |router, (path, methods)| {
            router.route(&format!("{path}/"), methods.clone()).route(&path, methods)
        })
        .fallback(answer::no_such_path)
        .method_not_allowed_fallback(answer::no_such_path)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&cloud), answer::finish))
        .with_state(cloud)
}

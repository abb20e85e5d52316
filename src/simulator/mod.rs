//! A vehicle cloud of our own: it speaks the Smartcar protocol over HTTP, keeps cars that lock and
//! unlock, and misbehaves on request. Tests, the demo and benchmarks run it in place of the real
//! one. It knows nothing of Keylend: who borrows a car, and why, is not its business.
//!
//! Its parts depend on each other in one direction: [`doors`] are the HTTP, [`cloud`] is what is
//! behind all of them, [`faults`] is what can be made to go wrong.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::entropy::Entropy;

mod cloud;
mod doors;
mod faults;
#[cfg(test)]
mod tests;

pub use cloud::adjustment::Adjustment;
pub use cloud::car_state::Powertrain;
pub use cloud::connect::{ConnectOptions, ConnectResult};
pub use cloud::fleet::{Fleet, FleetCar, FleetError};
pub use cloud::options::Options;
pub use faults::car_faults::{Fault, FaultKind, FaultScript, LateOutcome, LateWord, Occasion};
pub use faults::connect_error::ConnectError;
pub use faults::token_faults::{TokenFault, TokenFaultKind, TokenFaultScript, TokenOccasion};

use cloud::state::Cloud;
use doors::listener::{Peer, WireListener};

/// How long open answers may take once the simulator is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

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
    let app = doors::router(Arc::new(cloud)).into_make_service_with_connect_info::<Peer>();
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

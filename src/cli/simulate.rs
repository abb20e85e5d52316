//! `keylend simulate`: a vehicle cloud of its own, for development, demos and tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::settings::listen_address;
use crate::clock::SystemClock;
use crate::entropy::OsEntropy;
use crate::simulator::{self, Fleet, Options};

/// What the simulator is started with.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8090", value_parser = listen_address)]
    listen: SocketAddr,
    /// A JSON file with the cars; three cars without one.
    #[arg(long)]
    fleet: Option<PathBuf>,
    /// So many cars, if there is no file.
    #[arg(long, conflicts_with = "fleet")]
    vehicles: Option<usize>,
    /// Consent at once, without a page.
    #[arg(long)]
    auto_approve: bool,
    /// Values and ids of the cars that follow from this number.
    #[arg(long)]
    seed: Option<u64>,
    /// As the official simulated cars: stricter, and commands change nothing.
    #[arg(long)]
    state_fixed: bool,
    /// The application management token: the key of webhooks and of the list of connections.
    #[arg(long, default_value = "simulated-token-of-webhooks")]
    management_token: String,
    /// Append one JSON line for each command that a car really executed.
    #[arg(long)]
    journal: Option<PathBuf>,
}

/// Runs the simulator until the process is asked to end.
///
/// # Errors
/// [`Failure`] if the fleet cannot be read or the address is taken.
pub(super) async fn run(args: SimulateArgs) -> Result<(), Failure> {
    let fleet = match (&args.fleet, args.vehicles) {
        (Some(path), _) => read_fleet(path)?,
        (None, Some(count)) => Fleet::of_size(count),
        (None, None) => Fleet::default(),
    };
    let fleet = match args.seed {
        Some(seed) => fleet.seeded(seed),
        None => fleet,
    };
    let interrupted = super::serve::interrupted()?;
    let listener = crate::app::bind(args.listen, "--listen").await?;
    println!("simulated vehicle cloud at http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let options = Options {
        fleet,
        auto_approve: args.auto_approve,
        journal: args.journal,
        as_official: args.state_fixed,
        management_token: Some(args.management_token),
        ..Options::default()
    };
    let clock = Arc::new(SystemClock::start());
    let cloud =
        simulator::serve(listener, options, clock, Arc::new(OsEntropy::default()), stop.clone());
    tokio::select! {
        served = cloud => Ok(served?),
        () = interrupted => Ok(()),
    }
}

fn read_fleet(path: &Path) -> Result<Fleet, Failure> {
    let text = std::fs::read(path)
        .map_err(|error| Failure::because(format!("{}: {error}", path.display())))?;
    Ok(Fleet::from_json(&text)?)
}

//! `keylend serve`: the service, until it is asked to stop.

use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::settings::Settings;
use crate::app::{App, Listeners, Parts, vehicle_cloud};
use crate::clock::SystemClock;
use crate::entropy::OsEntropy;
use crate::http;
use crate::service::Service;
use crate::service::agreement::References;
use crate::signing::keyring_file;

/// The status of a process that ended because a disk failed (`EX_IOERR` of sysexits.h), or a task that
/// decides.
const HALTED: i32 = 74;

/// What the service is started with.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Make the database and the key file if they are not there, and update the schema.
    #[arg(long)]
    create: bool,
    /// Start although the database is older than what was signed: after restoring a backup. Keys
    /// that were revoked since the backup are alive again until you revoke them again.
    #[arg(long)]
    accept_rollback: bool,
    /// Trust this server's clock although it is behind the record: after it was ahead while
    /// something was recorded. On a database in a file alone; a server's clock is still compared.
    #[arg(long)]
    accept_clock: bool,
    /// Where the process ends or stands still, for tests.
    #[cfg(feature = "failpoints")]
    #[arg(long, env = "KEYLEND_FAILPOINT", hide = true)]
    failpoint: Option<crate::service::failpoint::Arming>,
}

/// Runs the service.
///
/// # Errors
/// [`Failure`] if it cannot start.
pub(super) async fn run(args: ServeArgs) -> Result<(), Failure> {
    #[cfg(feature = "failpoints")]
    if let Some(arming) = args.failpoint {
        crate::service::failpoint::arm(arming);
    }
    let mut config = args.settings.into_config()?;
    config.limits.connections_max = http::server::room_for(config.limits.connections_max)?;
    let clock = Arc::new(SystemClock::start());
    let entropy = Arc::new(OsEntropy::default());
    if args.create {
        let now = crate::clock::Clock::now(&*clock);
        if config.key_file.exists() {
            keyring_file::complete(&config.key_file, &*entropy, now)?;
        } else {
            keyring_file::create(&config.key_file, &*entropy, now)?;
        }
    }
    let stop = CancellationToken::new();
    let references =
        if args.accept_clock { References::NotTheRecord } else { References::Database };
    let parts = Parts { clock, entropy, create: args.create, references };
    let app = App::assemble(&config, parts, stop.clone()).await?;
    if args.create {
        app.migrate().await?;
    }
    app.must_be_ready(args.accept_rollback).await?;
    let interrupted = interrupted()?;
    let listeners = Listeners::bind(&config).await?;
    if let Some(operators) = &listeners.operators {
        tracing::info!(address = %operators.local_addr()?, "listening for operators");
    }
    if config.public_url.is_in_clear() {
        tracing::warn!(
            "passwords and tokens cross the network in clear: the public address is http://"
        );
    }
    let (name, begun) = (config.record.name.origin().as_str(), app.service.record.origin());
    if name != begun {
        tracing::info!(name = begun, "the record keeps the name with which it began");
    }
    let address = listeners.clients.local_addr()?;
    tracing::info!(%address, public_url = config.public_url.as_str(), "listening");
    let service = app.service.clone();
    let tasks = service.tasks.clone();
    let examined = config.clone();
    tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
        for wrong in vehicle_cloud::examine(&examined).await {
            tracing::warn!("{wrong}");
        }
    }));
    tasks.spawn(reload_on_hangup(service, config.key_file.clone(), stop.clone()));
    tasks.spawn(async move {
        interrupted.await;
        tracing::info!("stopping: no new commands, those in flight get their outcome");
        stop.cancel();
    });
    if let Err(halted) = app.serve(listeners).await {
        // At once, with nothing closed in order: closing a database file writes to it.
        Failure::from(halted).print();
        std::process::exit(HALTED)
    }
    tracing::info!("stopped");
    Ok(())
}

/// Listens from now on, and gives what ends when the process is asked to end.
///
/// # Errors
/// The system does not let the process listen for signals.
pub(super) fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Reads the key file again at each SIGHUP: after `keylend keys rotate`.
async fn reload_on_hangup(service: Service, key_file: std::path::PathBuf, stop: CancellationToken) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::error!("cannot listen for SIGHUP; restart after rotating keys");
        return;
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = hangup.recv() => {}
        }
        match keyring_file::load(&key_file) {
            Ok(keyring) => {
                service.base.replace_keys(keyring);
                tracing::info!("the key file was read again");
            }
            Err(error) => tracing::error!(error = %error, "the old keys stay in use"),
        }
    }
}

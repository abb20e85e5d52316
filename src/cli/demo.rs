//! `keylend demo`: the main job on a fresh SQLite file and the simulator, over real HTTP.
//! Each step is checked against what came back; with `--exit` the status says whether all held.

mod client;
mod story;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::settings::listen_address;
use crate::app::{App, Parts};
use crate::clock::SystemClock;
use crate::config::{
    ApiVersions, Config, Database, KEPT, Limits, LogName, LogOrigin, Networks, Origin, Origins,
    PublicUrl, Record, Smartcar, Witnesses,
};
use crate::connector::smartcar::SmartcarSettings;
use crate::domain::id::kind;
use crate::entropy::{Entropy, OsEntropy};
use crate::service::agreement::References;
use crate::service::organizations::{self, FirstCredentials};
use crate::signing::keyring_file;
use crate::simulator;
use crate::storage::Location;

/// What the demo is started with.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// End after the last step; the status is 0 only if all steps succeeded.
    #[arg(long)]
    exit: bool,
    /// Where the service listens; any free port if this one is taken.
    #[arg(long, default_value = "127.0.0.1:8080", value_parser = listen_address)]
    listen: SocketAddr,
    /// Where the simulator listens; any free port if this one is taken.
    #[arg(long, default_value = "127.0.0.1:8090", value_parser = listen_address)]
    simulator_listen: SocketAddr,
}

/// Runs the demo.
///
/// # Errors
/// [`Failure`] if something could not be started, or if a step failed.
pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock::start());
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy::default());
    let folder = fresh_folder(&*entropy, &*clock)?;
    let listener = bind(args.listen).await?;
    let simulator_listener = bind(args.simulator_listen).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let simulator_url = format!("http://{}", simulator_listener.local_addr()?);

    let stop = CancellationToken::new();
    let options = simulator::Options {
        fleet: simulator::Fleet::default(),
        auto_approve: true,
        journal: Some(folder.join("journal.jsonl")),
        ..simulator::Options::default()
    };
    let tasks = tokio_util::task::TaskTracker::new();
    let cloud = simulator::serve(
        simulator_listener,
        options,
        clock.clone(),
        Arc::clone(&entropy),
        stop.clone(),
    );
    tasks.spawn(cloud);

    let config = config(&folder, listener.local_addr()?, &public_url, &simulator_url)?;
    keyring_file::create(&config.key_file, &*entropy, crate::clock::Clock::now(&*clock))?;
    let parts = Parts { clock, entropy, create: true, references: References::Database };
    let app = App::assemble(&config, parts, stop.clone()).await?;
    app.migrate().await?;
    let service = app.service.clone();
    let people = story::Credentials::fresh(&*service.base.entropy)?;
    organizations::create_admin(
        &service,
        "Demo Drive",
        people.admin_email.parse()?,
        "Ada Admin".parse()?,
        FirstCredentials::Password(SecretString::from(people.password.clone())),
    )
    .await?;
    tasks.spawn(app.serve(listener));
    tasks.close();

    let outcome = story::tell(&public_url, &simulator_url, &people, &*service.base.clock).await;
    if let Err(error) = &outcome {
        println!("\n✗ {error}");
    }
    if !args.exit && outcome.is_ok() {
        let interrupted = super::serve::interrupted()?;
        story::print_farewell(&public_url, &simulator_url, &people, &folder);
        interrupted.await;
    }
    stop.cancel();
    tasks.wait().await;
    if args.exit {
        std::fs::remove_dir_all(&folder)?;
    }
    outcome
}

fn config(
    folder: &std::path::Path,
    listen: SocketAddr,
    public_url: &str,
    simulator_url: &str,
) -> Result<Config, Failure> {
    let simulator: Origin = simulator_url.parse()?;
    let public_url: PublicUrl = public_url.parse()?;
    Ok(Config {
        listen,
        operations_listen: None,
        record: Record {
            name: LogName::Following(LogOrigin::of(&public_url)?),
            reader_token: None,
            witnesses: Witnesses::default(),
        },
        database: Database {
            location: Location::Sqlite(folder.join("keylend.db")),
            connections_max: 10,
        },
        public_url,
        earlier_public_urls: Vec::new(),
        trusted_proxies: Networks::default(),
        webhook_networks: Networks::default(),
        key_file: folder.join("keylend.keys"),
        smartcar: Smartcar {
            client_id: "demo".to_owned(),
            client_secret: SecretString::from("demo"),
            origins: Origins::all_at(&simulator),
            timeout: SmartcarSettings::TIMEOUT_DEFAULT,
            api_versions: ApiVersions::V3First,
            v3_credentials: None,
            management_token: None,
        },
        kept: KEPT,
        limits: Limits::default(),
    })
}

fn fresh_folder(
    entropy: &dyn Entropy,
    clock: &dyn crate::clock::Clock,
) -> Result<PathBuf, Failure> {
    let name = entropy.id::<kind::Instance>(clock.now())?;
    let folder = std::env::temp_dir().join(format!("keylend-demo-{name}"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

async fn bind(wanted: SocketAddr) -> std::io::Result<TcpListener> {
    match TcpListener::bind(wanted).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            TcpListener::bind(SocketAddr::new(wanted.ip(), 0)).await
        }
        bound => bound,
    }
}

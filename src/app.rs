//! The composition root: from settings to a running service. The only place that chooses
//! implementations.

mod listeners;
mod readiness;
pub mod vehicle_cloud;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Visits;
use crate::auth::password::PasswordHasher;
use crate::auth::throttle::Throttle;
use crate::clock::{AgreedClock, Clock, SystemClock};
use crate::config::{Config, Limits, Networks};
use crate::connector::endpoint::EndpointClient;
use crate::connector::measured::Measured;
use crate::connector::smartcar::{Smartcar, SmartcarSettings};
use crate::connector::witness::WitnessClient;
use crate::disk::halt::Halt;
use crate::entropy::{Entropy, OsEntropy};
use crate::service::agreement::{self, References};
use crate::service::budget::Budget;
use crate::service::commands::{self, Gate, GateTask, Waiters};
use crate::service::connections::CloudTokens;
use crate::service::pace::Pace;
use crate::service::record::{self, Record, Witnesses};
use crate::service::vehicles::{ReadGate, ReadGateTask, Readings};
use crate::service::{Base, Service, Settings, refusals};
use crate::signing::last_signed::LastSigned;
use crate::signing::{Issuers, keyring_file};
use crate::storage::{Db, OpenError, PostgresSettings, Store};
use crate::{http, telemetry, worker};

pub use listeners::{CannotListen, Listeners, bind};

/// What is in flight when the service stops gets this long, beyond the connector's own limit.
const STOP_MARGIN: Duration = Duration::from_secs(10);

/// A request that takes longer than a drained revocation and this is given up.
const REQUEST_MARGIN: Duration = Duration::from_secs(20);

/// How often what was measured is folded.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// What differs between a real service and one under test.
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Whether the file of an SQLite database may be made.
    pub create: bool,
    /// What the clock is compared with.
    pub references: References,
}

impl Parts {
    /// The operating system's clock and randomness, on a database that exists.
    #[must_use]
    pub fn of_the_system() -> Self {
        Self {
            clock: Arc::new(SystemClock::start()),
            entropy: Arc::new(OsEntropy::default()),
            create: false,
            references: References::Database,
        }
    }
}

/// Why a service cannot be assembled.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The database.
    #[error("the database cannot be used")]
    Database(#[from] OpenError),
    /// The key file.
    #[error("the key file cannot be used")]
    Keys(#[from] keyring_file::KeyringFileError),
    /// The name of the record.
    #[error(transparent)]
    RecordName(#[from] record::OtherName),
    /// The vehicle cloud's settings.
    #[error("the vehicle cloud cannot be used")]
    Connector(#[from] crate::connector::smartcar::InvalidSettings),
    /// Asking witnesses.
    #[error("witnesses cannot be asked")]
    Witnesses(#[source] rustls::Error),
    /// Sending events.
    #[error("events cannot be sent to webhook endpoints")]
    Webhooks(#[source] rustls::Error),
    /// Hashing passwords.
    #[error("passwords cannot be hashed")]
    Passwords(#[from] crate::auth::password::PasswordError),
    /// Measuring.
    #[error("nothing can be measured")]
    Telemetry(#[from] telemetry::TelemetryError),
    /// Randomness.
    #[error(transparent)]
    Entropy(#[from] crate::entropy::NoEntropy),
    /// Something the service needs is not there.
    #[error("not ready: {0}")]
    NotReady(String),
}

/// A service with everything it needs.
pub struct App {
    /// What requests work with.
    pub service: Service,
    halt: Halt,
    gate: GateTask,
    reads: ReadGateTask,
    stop: CancellationToken,
    limits: Limits,
    trusted_proxies: Networks,
    visits: Arc<Visits>,
    metrics: PrometheusHandle,
}

/// A service ended without being asked to: what was said to be durable may not be, or nothing can be
/// decided any more. To close the database would write to it again, so the process must end as it is.
#[derive(Debug, thiserror::Error)]
#[error("stopped, because nothing more can be promised: {0}")]
pub struct Halted(String);

/// The one connector, as the settings say.
///
/// # Errors
/// An origin or the client id is not usable.
pub fn connector(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<Smartcar, crate::connector::smartcar::InvalidSettings> {
    let smartcar = &config.smartcar;
    let (v3_client_id, v3_client_secret) = match &smartcar.v3_credentials {
        Some(own) => (own.client_id.clone(), own.client_secret.clone()),
        None => (smartcar.client_id.clone(), smartcar.client_secret.clone()),
    };
    let settings = SmartcarSettings {
        client_id: smartcar.client_id.clone(),
        client_secret: smartcar.client_secret.clone(),
        api_origin: smartcar.origins.api.to_string(),
        api_v3_origin: smartcar.origins.api_v3.to_string(),
        iam_origin: smartcar.origins.iam.to_string(),
        v3_client_id,
        v3_client_secret,
        auth_origin: smartcar.origins.auth.to_string(),
        connect_origin: smartcar.origins.connect.to_string(),
        timeout: smartcar.timeout,
    };
    Smartcar::new(settings, clock)
}

/// Whose tokens are accepted.
fn issuers(config: &Config) -> Issuers {
    let earlier = config.earlier_public_urls.iter().map(|url| url.as_str().to_owned());
    Issuers::new(config.public_url.as_str().to_owned(), earlier.collect())
}

/// What sends events, to where the settings allow.
fn endpoints(config: &Config) -> Result<EndpointClient, AssembleError> {
    EndpointClient::new(config.webhook_networks.networks()).map_err(AssembleError::Webhooks)
}

/// The record, as the settings say who signs and watches it.
async fn record_of(config: &Config, base: &Base, halt: &Halt) -> Result<Record, AssembleError> {
    let client = WitnessClient::new().map_err(AssembleError::Witnesses)?;
    let (name, last_signed) = (&config.record.name, LastSigned::of_key_file(&config.key_file));
    let mut origin = record::kept_name(name, &last_signed)?;
    if origin.is_none() {
        let mut reader = base.store.read().await.map_err(OpenError::from)?;
        let published = record::published_name(&mut reader, &base.keys()).await;
        origin = published.map_err(OpenError::from)?;
    }
    Ok(Record::new(
        base.clone(),
        halt.clone(),
        origin.unwrap_or_else(|| name.origin().as_str().to_owned()),
        last_signed,
        config.record.reader_token.clone(),
        Witnesses::new(client, &config.record.witnesses),
    ))
}

impl App {
    /// Opens the database, reads the keys and puts everything together. Nothing runs yet.
    ///
    /// # Errors
    /// [`AssembleError`] says what cannot be used.
    pub async fn assemble(
        config: &Config,
        parts: Parts,
        stop: CancellationToken,
    ) -> Result<Self, AssembleError> {
        crate::signing::provider::install();
        let limits = PostgresSettings { connections_max: config.database.connections_max };
        let db = Db::open(&config.database.location, limits, parts.create).await?;
        let keyring = keyring_file::load(&config.key_file)?;
        let clock = Arc::new(AgreedClock::new(Arc::clone(&parts.clock)));
        let as_clock = || -> Arc<dyn Clock> { clock.clone() };
        let halt = db.halt();
        let (gate, gate_task) = Gate::new(config.limits.commands_waiting_max);
        let (reads, reads_task) = ReadGate::new();
        let settings = Settings {
            instance_id: parts.entropy.id(clock.now())?,
            public_url: config.public_url.as_str().to_owned(),
            issuers: issuers(config),
            connector_timeout: config.smartcar.timeout,
            api_versions: config.smartcar.api_versions,
            management_token: config.smartcar.management_token.clone(),
            kept: config.kept,
            grants_per_step: config.limits.grants_per_step.get(),
            references: parts.references,
        };
        let base = Base {
            store: Store::new(db),
            clock: Arc::clone(&clock),
            entropy: parts.entropy,
            pace: Arc::new(Pace::new(&config.limits, &as_clock())),
            keyring: Arc::new(RwLock::new(Arc::new(keyring))),
            settings: Arc::new(settings),
        };
        let record = record_of(config, &base, &halt).await?;
        let service = Service {
            known_tokens: Arc::default(),
            connector: Arc::new(Measured::new(connector(config, as_clock())?, as_clock())),
            access_tokens: Arc::new(CloudTokens::default()),
            endpoints: Arc::new(endpoints(config)?),
            delivery_lanes: Arc::default(),
            readings: Arc::new(Readings::default()),
            budget: Arc::new(Budget::new(
                config.limits.vehicle_requests,
                config.limits.application_requests,
                clock.monotonic(),
            )),
            passwords: Arc::new(PasswordHasher::new(config.limits.password_hashes_max)?),
            throttle: Arc::new(Throttle::new(as_clock())),
            refusals: Arc::default(),
            gate,
            reads,
            waiters: Arc::new(Waiters::default()),
            record: Arc::new(record),
            tasks: TaskTracker::new(),
            base,
        };
        let limits = config.limits;
        let visits = Arc::new(Visits::new(limits.visits_per_second, service.base.clock.clone()));
        Ok(Self {
            service,
            halt,
            gate: gate_task,
            reads: reads_task,
            stop,
            limits,
            trusted_proxies: config.trusted_proxies.clone(),
            visits,
            metrics: telemetry::measurements()?,
        })
    }

    /// Brings the schema to the newest version.
    ///
    /// # Errors
    /// [`AssembleError::Database`].
    pub async fn migrate(&self) -> Result<(), AssembleError> {
        Ok(self.service.base.store.db().migrate().await?)
    }

    /// Whether the schema is the one this program was built for, and whether the database
    /// continues what was signed, or somebody accepts that it does not.
    ///
    /// # Errors
    /// [`AssembleError::NotReady`] if it is not.
    pub async fn must_be_ready(&self, accept_rollback: bool) -> Result<(), AssembleError> {
        let not_ready = |why: &dyn std::fmt::Display| AssembleError::NotReady(why.to_string());
        match self.service.base.store.db().schema_fault().await {
            Ok(None) => {}
            Ok(Some(fault)) => return Err(not_ready(&fault)),
            Err(error) => return Err(not_ready(&error)),
        }
        let examined = record::examine(&self.service.record)
            .await
            .map_err(|error| not_ready(&error.for_operator()))?;
        match examined {
            None => Ok(()),
            Some(rolled_back) if accept_rollback => {
                let accepted = record::accept_rollback(&self.service.record, &rolled_back).await;
                accepted.map_err(|error| not_ready(&error.for_operator()))
            }
            Some(rolled_back) => Err(not_ready(&rolled_back)),
        }
    }

    /// Runs the service until `stop`; then takes no new commands, lets those in flight get their
    /// outcome, and closes the database.
    ///
    /// # Errors
    /// [`Halted`].
    pub async fn serve(self, listeners: impl Into<Listeners>) -> Result<(), Halted> {
        self.serve_with(listeners.into(), true).await
    }

    /// As [`App::serve`], with or without the workers: a test runs them by hand.
    ///
    /// # Errors
    /// [`Halted`].
    pub async fn serve_with(self, listeners: Listeners, workers: bool) -> Result<(), Halted> {
        let Self { service, halt, gate, reads, stop, limits, trusted_proxies, visits, metrics } =
            self;
        if let Err(error) = agreement::compare(&service.base).await {
            tracing::warn!(error = ?error, "the clock was compared with nothing yet");
        }
        let gate = gate.run(service.clone(), stop.clone());
        service.tasks.spawn(halting("the gate", gate, halt.clone()));
        let reads = reads.run(service.clone(), stop.clone());
        service.tasks.spawn(halting("the gate of reads", reads, halt.clone()));
        if workers {
            worker::start(&service, &stop);
        }
        service.tasks.spawn(keep_metrics_small(metrics.clone(), stop.clone()));
        let timeout = service.base.settings.connector_timeout;
        let origins = Arc::default();
        let edge = http::Edge {
            clock: service.base.clock.clone(),
            entropy: Arc::clone(&service.base.entropy),
            request_time_max: commands::drain_time_max(timeout).saturating_add(REQUEST_MARGIN),
            refusal_held_back: limits.refusal_held_back,
            cors: Some(Arc::new(http::Cors {
                base: service.base.clone(),
                origins: Arc::clone(&origins),
            })),
        };
        let monitor = http::Monitor { checks: readiness::checks(&service).into(), metrics };
        let (streams, stopped) = (Arc::default(), stop.clone());
        let gateway = http::Gateway {
            service: service.clone(),
            monitor,
            streams,
            stop: stopped,
            visits,
            origins,
        };
        let entrance = http::server::Entrance {
            connections_max: limits.connections_max,
            connections_per_address_max: limits.connections_per_address_max,
            trusted_proxies,
        };
        tokio::select! {
            () = listeners.serve(gateway, edge, entrance, stop) => {}
            why = halt.called() => {
                tracing::error!(why, "stopping at once");
                return Err(Halted(why));
            }
        }
        service.tasks.close();
        let patience = timeout.saturating_add(STOP_MARGIN);
        if tokio::time::timeout(patience, service.tasks.wait()).await.is_err() {
            tracing::error!("stopped with work left; the recovery of the next start takes it over");
        }
        if let Err(error) = refusals::record_the_rest(&service).await {
            tracing::error!(error = ?error, "the last refusals were not counted in the record");
        }
        service.base.store.db().close().await;
        Ok(())
    }

    /// Closes what was opened, when nothing was served.
    pub async fn close(self) {
        self.service.base.store.db().close().await;
    }
}

/// Runs a task without which nothing is decided. If it panics, the process ends: what it was at is taken
/// over at the next start, while a process without it would turn everybody away and look alive.
async fn halting(name: &'static str, task: impl Future<Output = ()>, halt: Halt) {
    if AssertUnwindSafe(task).catch_unwind().await.is_err() {
        halt.call(format!("{name} panicked"));
    }
}

/// Folds what was measured, every few seconds, so that it takes no more memory than its summary.
async fn keep_metrics_small(metrics: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(METRICS_UPKEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}

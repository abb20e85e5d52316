//! One process of the service: the shipped code over acted-out surroundings, with a clock that is
//! off by up to a second and a death that can come at any call to the outside. Inside a process
//! nothing else can be seen from outside, so nothing is lost by dying only there.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cars::{Cars, Cloud};
use super::surroundings::{CONNECTOR_TIMEOUT, Process};
use super::trace::Happening;
use super::world::World;
use crate::auth::password::PasswordHasher;
use crate::auth::throttle::Throttle;
use crate::clock::{AgreedClock, Clock, Reference};
use crate::config::{self, Allowance, ApiVersions, Limits};
use crate::connector::endpoint::EndpointClient;
use crate::connector::witness::WitnessClient;
use crate::disk::halt::Halt;
use crate::domain::time::Timestamp;
use crate::entropy::{Entropy, SeededEntropy};
use crate::service::agreement::References;
use crate::service::budget::Budget;
use crate::service::commands::{Gate, Waiters, reconcile, recover};
use crate::service::connections::CloudTokens;
use crate::service::pace::Pace;
use crate::service::record::{Record, Witnesses};
use crate::service::vehicles::{ReadGate, Readings};
use crate::service::{Base, Service, Settings};
use crate::signing::keyring::Keyring;
use crate::signing::last_signed::LastSigned;
use crate::storage::Store;
use crate::storage::db::rehearsal::{RehearsalDb, Surroundings};

/// How far a clock may be off, in milliseconds: two of them then disagree by as much as a ready
/// instance may.
const CLOCK_OFF_MS: usize = 1000;

/// The rehearsal asks faster than anybody may.
const UNPACED: Allowance = Allowance { burst: 1_000_000, per_minute: 60_000 };

/// A clock that is off by a fixed time.
struct OffClock {
    world: Arc<World>,
    ahead: Duration,
}

impl Clock for OffClock {
    fn now(&self) -> Timestamp {
        self.world.now().minus(Duration::from_millis(CLOCK_OFF_MS as u64)).plus(self.ahead)
    }

    fn monotonic(&self) -> Duration {
        self.world.elapsed()
    }
}

/// A running process.
#[derive(Clone)]
pub(super) struct Instance {
    pub(super) process: Arc<Process>,
    pub(super) service: Service,
    db: RehearsalDb,
}

/// What is costly to make and does not matter here.
fn keyring() -> Arc<Keyring> {
    static KEYRING: OnceLock<Arc<Keyring>> = OnceLock::new();
    let make = || {
        let now = Timestamp::from_unix_seconds(0).unwrap();
        Arc::new(Keyring::generate(&SeededEntropy::from_seed(0), now).unwrap())
    };
    Arc::clone(KEYRING.get_or_init(make))
}

fn passwords() -> Arc<PasswordHasher> {
    static PASSWORDS: OnceLock<Arc<PasswordHasher>> = OnceLock::new();
    let make = || Arc::new(PasswordHasher::new(Limits::default().password_hashes_max).unwrap());
    Arc::clone(PASSWORDS.get_or_init(make))
}

/// It has nothing to send, and is only slow to make.
fn endpoint_client() -> Arc<EndpointClient> {
    static CLIENT: OnceLock<Arc<EndpointClient>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| Arc::new(EndpointClient::new(Vec::new()).unwrap()));
    Arc::clone(client)
}

/// It has nobody to ask, and is only slow to make.
fn witness_client() -> WitnessClient {
    static CLIENT: OnceLock<WitnessClient> = OnceLock::new();
    CLIENT.get_or_init(|| WitnessClient::new().unwrap()).clone()
}

impl Instance {
    /// Starts a process with this number, which no other ever has.
    pub(super) fn start(
        world: &Arc<World>,
        db: &RehearsalDb,
        cars: &Arc<Cars>,
        number: u64,
    ) -> Self {
        let (dead, stop) = (CancellationToken::new(), CancellationToken::new());
        let stands_until = Mutex::new(Duration::ZERO);
        let world_ = Arc::clone(world);
        let process = Arc::new(Process { number, world: world_, dead, stop, stands_until });
        world.note(Happening::Began { process: number });
        let ahead = Duration::from_millis(world.below(2 * CLOCK_OFF_MS + 1) as u64);
        let off = Arc::new(OffClock { world: Arc::clone(world), ahead });
        let clock = Arc::new(AgreedClock::new(off));
        clock.compare(clock.reading(), Reference::Nothing);
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::from_seed(number));
        let limits = Limits::default();
        let (gate, gate_task) = Gate::new(limits.commands_waiting_max);
        let (reads, reads_task) = ReadGate::new();
        let db = db.seen_from(Arc::clone(&process) as Arc<dyn Surroundings>);
        let settings = Settings {
            instance_id: entropy.id(clock.now()).unwrap(),
            public_url: "http://localhost".to_owned(),
            issuers: "http://localhost".into(),
            connector_timeout: CONNECTOR_TIMEOUT,
            api_versions: ApiVersions::V3First,
            management_token: None,
            kept: Duration::from_secs(24 * 60 * 60),
            grants_per_step: world.one_of(&[1, 1, 1, 64]),
            references: References::NotTheRecord,
        };
        let unpaced = Limits { caller_requests: UNPACED, grant_requests: UNPACED, ..limits };
        let base = Base {
            store: Store::new(db.used_by(number)),
            clock: Arc::clone(&clock),
            entropy,
            pace: Arc::new(Pace::new(&unpaced, &(Arc::clone(&clock) as Arc<dyn Clock>))),
            keyring: Arc::new(RwLock::new(keyring())),
            settings: Arc::new(settings),
        };
        let service = Service {
            known_tokens: Arc::default(),
            connector: Arc::new(Cloud::new(Arc::clone(&process), Arc::clone(cars))),
            access_tokens: Arc::new(CloudTokens::default()),
            endpoints: endpoint_client(),
            delivery_lanes: Arc::default(),
            readings: Arc::new(Readings::default()),
            budget: Arc::new(Budget::new(
                limits.vehicle_requests,
                limits.application_requests,
                clock.monotonic(),
            )),
            passwords: passwords(),
            throttle: Arc::new(Throttle::new(clock.clone())),
            refusals: Arc::default(),
            gate,
            reads,
            waiters: Arc::new(Waiters::default()),
            record: Arc::new(Record::new(
                base.clone(),
                Halt::default(),
                "rehearsal/log".to_owned(),
                LastSigned::of_key_file(Path::new("/nonexistent/keys")),
                None,
                Witnesses::new(witness_client(), &config::Witnesses::default()),
            )),
            tasks: TaskTracker::new(),
            base,
        };
        service.tasks.spawn(gate_task.run(service.clone(), process.stop.clone()));
        service.tasks.spawn(reads_task.run(service.clone(), process.stop.clone()));
        service.tasks.spawn(reconcile_now_and_then(service.clone(), Arc::clone(&process)));
        Self { process, service, db }
    }

    /// The same process, at which everybody may ask once in a minute.
    pub(super) fn paced(mut self) -> Self {
        let once = Allowance { burst: 1, per_minute: 1 };
        let paced = Limits { caller_requests: once, grant_requests: once, ..Limits::default() };
        let clock = Arc::clone(&self.service.base.clock) as Arc<dyn Clock>;
        self.service.base.pace = Arc::new(Pace::new(&paced, &clock));
        self
    }

    /// Cuts the process off from the world in the middle of whatever it does. The database undoes
    /// its transactions; one that was being committed may be kept.
    pub(super) fn die(&self) {
        let world = &self.process.world;
        self.process.dead.cancel();
        world.note(Happening::Died { process: self.process.number });
        let open = self.db.open_transactions(self.process.number);
        self.db.abandon(&open, || world.below(2) == 0);
    }

    /// Asks the process to stop in order.
    pub(super) fn stop(&self) {
        self.process.world.note(Happening::Stopped { process: self.process.number });
        self.process.stop.cancel();
        self.service.tasks.close();
    }
}

/// What the workers do, at times that the seed chooses.
async fn reconcile_now_and_then(service: Service, process: Arc<Process>) {
    loop {
        let pause = Duration::from_millis(500 + process.world.below(6000) as u64);
        tokio::select! {
            biased;
            () = process.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        // A database that is away is asked again.
        drop(recover::recover(&service).await);
        drop(reconcile::reconcile(&service).await);
    }
}

//! One run: everything that a seed means, from the beginning until nothing is left to do.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::cars::Cars;
use super::process::Instance;
use super::promises::{self, Broken, Terms};
use super::story::{self, Act, Scene};
use super::trace::{Happening, Moment};
use super::world::{Planted, World};
use crate::domain::command::CommandStatus;
use crate::domain::id::Id;
use crate::domain::row_facts::{FactsRow, RowFacts};
use crate::service::commands::{reconcile, recover};
use crate::storage::db::rehearsal::{Kind, RehearsalDb, Surroundings, Table};
use crate::storage::meanings::meanings;
use crate::storage::{Store, row_facts};

/// How often the world is given five seconds to settle what is open: more than the time until an
/// abandoned command is taken over and checked for the last time.
const SETTLING_STEPS: usize = 60;
const SETTLING_STEP: Duration = Duration::from_secs(5);
/// Longer than a process ever stands still, and than it takes to answer what it began.
const STOP_MAX: Duration = Duration::from_secs(200);

/// What a run left.
pub(super) struct Outcome {
    pub(super) trace: Vec<Moment>,
    pub(super) broken: Vec<Broken>,
}

/// Plays a seed.
pub(super) fn play(seed: u64, planted: Option<Planted>) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let panicked_before = panics();
    let mut outcome = runtime.unwrap().block_on(async {
        let stage = Stage::set(seed, planted);
        let beginning = stage.facts().await;
        let unfinished = stage.play().await;
        let trace = stage.world.trace();
        let mut broken = promises::broken(&trace, stage.terms.clone(), &stage.world);
        broken.extend(promises::decided_otherwise(&beginning, &trace));
        broken.extend(unfinished.map(|what| Broken { promise: "P6", what }));
        Outcome { trace, broken }
    });
    if panics() != panicked_before {
        // A task that panics tells nobody.
        outcome.broken.push(Broken { promise: "none", what: "something panicked".to_owned() });
    }
    outcome
}

/// How often something panicked on this thread.
fn panics() -> u32 {
    thread_local! {
        static PANICS: Cell<u32> = const { Cell::new(0) };
    }
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            report(panic);
        }));
    });
    PANICS.get()
}

/// The processes of a run and what they share.
pub(super) struct Stage {
    pub(super) world: Arc<World>,
    db: RehearsalDb,
    pub(super) cars: Arc<Cars>,
    /// The process at each place; `None` while it is down.
    pub(super) places: Vec<Mutex<Option<Instance>>>,
    begun: Mutex<u64>,
    scenes: Vec<Scene>,
    /// The grants as they were at the beginning.
    terms: Vec<Terms>,
}

/// What the database is seen from before any process runs.
struct Nobody(Arc<World>);

impl Surroundings for Nobody {
    fn pass(&self) -> futures_util::future::BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn trouble(
        &self,
        _: crate::storage::db::rehearsal::Moment,
    ) -> Option<crate::storage::db::rehearsal::Trouble> {
        None
    }

    fn choose(&self, count: usize) -> usize {
        self.0.below(count)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    fn committed(&self, _: u64, _: &[crate::storage::db::rehearsal::Written]) {}
}

impl Stage {
    fn set(seed: u64, planted: Option<Planted>) -> Arc<Self> {
        let world = Arc::new(World::of_seed(seed, planted));
        let kind = if world.below(4) == 0 { Kind::Serial } else { Kind::Concurrent };
        // One file serves one process.
        let count = if kind == Kind::Serial { 1 } else { 1 + world.below(3) };
        let defect = if let Some(Planted::Store(defect)) = planted { Some(defect) } else { None };
        let nobody: Arc<dyn Surroundings> = Arc::new(Nobody(Arc::clone(&world)));
        let db = RehearsalDb::new(kind, defect, meanings(), nobody);
        let scenes = story::write(&world, &db, count);
        let terms = db.rows(Table::Grants).iter().map(|row| Terms::of(row)).collect();
        let places = (0..count).map(|_| Mutex::new(None)).collect();
        let (cars, begun) = (Arc::new(Cars::default()), Mutex::new(0));
        Arc::new(Self { world, db, cars, places, begun, scenes, terms })
    }

    /// What decisions read of each row before anything happens.
    async fn facts(&self) -> Vec<RowFacts> {
        let of = |table, row: fn(Uuid) -> FactsRow| {
            let rows = self.db.rows(table);
            rows.iter().map(|found| row(found.key())).collect::<Vec<_>>()
        };
        let rows = [
            of(Table::Organizations, |id| FactsRow::Organization(Id::from_uuid(id))),
            of(Table::Users, |id| FactsRow::User(Id::from_uuid(id))),
            of(Table::Connections, |id| FactsRow::Connection(Id::from_uuid(id))),
            of(Table::Vehicles, |id| FactsRow::Vehicle(Id::from_uuid(id))),
            of(Table::Grants, |id| FactsRow::Grant(Id::from_uuid(id))),
        ];
        let mut tx = Store::new(self.db.used_by(0)).begin().await.unwrap();
        row_facts::read(&mut tx, &rows.concat()).await.unwrap()
    }

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(&self, place: usize) {
        let number = {
            let mut begun = Self::lock(&self.begun);
            *begun += 1;
            *begun
        };
        let instance = Instance::start(&self.world, &self.db, &self.cars, number);
        *Self::lock(&self.places[place]) = Some(instance);
    }

    pub(super) fn at(&self, place: usize) -> Option<Instance> {
        Self::lock(&self.places[place]).clone()
    }

    /// Plays all scenes, then lets the world settle. Says what did not come to an end.
    #[expect(clippy::disallowed_methods, reason = "people do not end with a process")]
    async fn play(self: &Arc<Self>) -> Option<String> {
        (0..self.places.len()).for_each(|place| self.start(place));
        let mut playing = Vec::new();
        for scene in self.scenes.clone() {
            let stage = Arc::clone(self);
            playing.push(tokio::spawn(async move { stage.scene(scene).await }));
        }
        for scene in playing {
            if let Err(panicked) = scene.await {
                return Some(format!("a scene did not end: {panicked}"));
            }
        }
        self.world.settle();
        for place in 0..self.places.len() {
            if self.at(place).is_none() {
                self.start(place);
            }
        }
        self.settle().await
    }

    async fn settle(&self) -> Option<String> {
        let instance = self.at(0)?;
        // What a process stands still over is still decided on when it goes on.
        for place in 0..self.places.len() {
            if let Some(instance) = self.at(place) {
                instance.process.stands_no_more().await;
            }
        }
        let mut failed = None;
        for _ in 0..SETTLING_STEPS {
            tokio::time::sleep(SETTLING_STEP).await;
            let recovered = recover::recover(&instance.service).await;
            let reconciled = reconcile::reconcile(&instance.service).await;
            if let Ok(count) = reconciled {
                self.world.note(Happening::Reconciled { count });
            }
            failed = recovered.err().or(reconciled.err());
            let commands = self.db.rows(Table::Commands);
            let status = |row: &crate::storage::db::rehearsal::RehearsalRow| {
                row.text("status").unwrap().parse::<CommandStatus>().unwrap()
            };
            if commands.iter().all(|row| status(row).is_terminal()) {
                break;
            }
        }
        if let Some(unheard) = self.ask_again().await {
            return Some(unheard);
        }
        // Whoever has asked too often still learns what became of their requests.
        *Self::lock(&self.places[0]) = Some(instance.paced());
        if let Some(unheard) = self.ask_again().await {
            return Some(unheard);
        }
        for place in 0..self.places.len() {
            let Some(instance) = self.at(place) else { continue };
            instance.stop();
            let ends = tokio::time::timeout(STOP_MAX, instance.service.tasks.wait());
            if ends.await.is_err() {
                return Some(format!("process {} does not stop", instance.process.number));
            }
        }
        failed.map(|error| format!("a quiet database was not settled: {error:?}"))
    }

    /// Repeats every request whose key has a command, now that nothing fails. Says which was not answered.
    async fn ask_again(&self) -> Option<String> {
        const WAIT: Duration = Duration::from_secs(20);
        let commands = self.db.rows(Table::Commands);
        let decided: BTreeSet<&str> =
            commands.iter().map(|row| row.text("idempotency_key").unwrap()).collect();
        for scene in &self.scenes {
            let Act::Command { request, .. } = &scene.act else { continue };
            let key = request.idempotency_key.as_str();
            let began = self.world.elapsed();
            let is_late = || self.world.elapsed() - began >= WAIT;
            if decided.contains(key) && (!self.ask(0, request, WAIT, None).await || is_late()) {
                return Some(format!("{key} was not answered at once when it was asked again"));
            }
        }
        None
    }
}

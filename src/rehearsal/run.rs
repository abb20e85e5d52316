//! One run: everything that a seed means, from the beginning until nothing is left to do.

use std::cell::Cell;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use super::cars::Cars;
use super::process::Instance;
use super::promises::{self, Broken};
use super::story::{self, Act, Scene};
use super::trace::{Happening, Moment};
use super::world::{Planted, World};
use crate::domain::command::CommandStatus;
use crate::domain::id::{GrantId, UserId};
use crate::service::commands::{CommandRequest, Dispatched, dispatch, reconcile, recover};
use crate::service::grants::{AnswerWhen, EndedGrant, Ending, end};
use crate::service::users::disable;
use crate::service::{Caller, Error};
use crate::storage::db::rehearsal::{Kind, RehearsalDb, Surroundings, Table};
use crate::storage::meanings::meanings;

/// How often the world is given five seconds to settle what is open: more than the time until an
/// abandoned command is taken over and looked at for the last time.
const SETTLING_STEPS: usize = 60;
const SETTLING_STEP: Duration = Duration::from_secs(5);
/// Longer than a process ever stands still, and than it takes to answer what it began.
const STOP_MAX: Duration = Duration::from_secs(200);
/// How often a client asks again that was told nothing.
const ASKS_MAX: usize = 4;

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
        let unfinished = stage.play().await;
        let trace = stage.world.trace();
        let mut broken = promises::broken(&trace, &stage.terms());
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
struct Stage {
    world: Arc<World>,
    db: RehearsalDb,
    cars: Arc<Cars>,
    /// The process at each place; `None` while it is down.
    places: Vec<Mutex<Option<Instance>>>,
    begun: Mutex<u64>,
    scenes: Vec<Scene>,
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
        let places = (0..count).map(|_| Mutex::new(None)).collect();
        let (cars, begun) = (Arc::new(Cars::default()), Mutex::new(0));
        Arc::new(Self { world, db, cars, places, begun, scenes })
    }

    fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, place: usize) {
        let number = {
            let mut begun = Self::lock(&self.begun);
            *begun += 1;
            *begun
        };
        let instance = Instance::start(&self.world, &self.db, &self.cars, number);
        *Self::lock(&self.places[place]) = Some(instance);
    }

    fn at(&self, place: usize) -> Option<Instance> {
        Self::lock(&self.places[place]).clone()
    }

    /// The grants as they were at the beginning.
    fn terms(&self) -> Vec<promises::Terms> {
        let rows = self.db.rows(Table::Grants);
        rows.iter().map(|row| promises::Terms::of(row)).collect()
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
            failed = recovered.err().or(reconciled.err());
            let commands = self.db.rows(Table::Commands);
            let status = |row: &crate::storage::db::rehearsal::RehearsalRow| {
                row.text("status").unwrap().parse::<CommandStatus>().unwrap()
            };
            if commands.iter().all(|row| status(row).is_terminal()) {
                break;
            }
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

    async fn scene(&self, Scene { at, place, act }: Scene) {
        tokio::time::sleep(at).await;
        match act {
            Act::Command { request, wait, patience } => {
                self.command(place, request, wait, patience).await;
            }
            Act::End { grant_id, caller, gives_back, waits } => {
                self.end(place, grant_id, &caller, gives_back, waits).await;
            }
            Act::Close { user_id, caller } => self.close(place, user_id, &caller).await,
            Act::Death { after } => {
                let victim = Self::lock(&self.places[place]).take();
                let Some(victim) = victim else { return };
                victim.die();
                tokio::time::sleep(after).await;
                self.start(place);
            }
            Act::Stall { time } => {
                if let Some(instance) = self.at(place) {
                    instance.process.stand_still(time);
                }
            }
            Act::Restart => {
                let old = Self::lock(&self.places[place]).take();
                let Some(old) = old else { return };
                old.stop();
                self.start(place);
            }
        }
    }

    async fn command(
        &self,
        mut place: usize,
        request: CommandRequest,
        wait: Duration,
        patience: Option<Duration>,
    ) {
        for _ in 0..ASKS_MAX {
            let told = self.ask(place, &request, wait, patience).await;
            let key = request.idempotency_key.clone();
            match told {
                Ok(Dispatched { command, .. }) => {
                    let (command_id, status) = (command.command_id, command.status);
                    return self.world.note(Happening::Told { key, command_id, status });
                }
                Err(why) => self.world.note(Happening::NotTold { key, why }),
            }
            if self.world.below(3) == 0 {
                return;
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    /// One try, of which nothing is heard if the process dies or the client hangs up.
    async fn ask(
        &self,
        place: usize,
        request: &CommandRequest,
        wait: Duration,
        patience: Option<Duration>,
    ) -> Result<Dispatched, String> {
        let instance = self.at(place).ok_or("nobody is there")?;
        let (key, process) = (request.idempotency_key.clone(), instance.process.number);
        self.world.note(Happening::Asked { key, process });
        self.world.pass().await;
        let patience = patience.unwrap_or(Duration::from_secs(60));
        tokio::select! {
            biased;
            () = instance.process.dead.cancelled() => Err("the process died".to_owned()),
            told = dispatch(&instance.service, request.clone(), wait) => {
                told.map_err(|error| format!("{error:?}"))
            }
            () = tokio::time::sleep(patience) => Err("the client hung up".to_owned()),
        }
    }

    async fn end(
        &self,
        mut place: usize,
        grant_id: GrantId,
        caller: &Caller,
        gives_back: bool,
        waits: bool,
    ) {
        for _ in 0..ASKS_MAX {
            match self.try_to_end(place, grant_id, caller, gives_back, waits).await {
                Ok(EndedGrant { in_flight, .. }) => {
                    let in_flight = in_flight.len();
                    return self.world.note(Happening::Ended { grant_id, waits, in_flight });
                }
                Err(why) => self.world.note(Happening::NotEnded { grant_id, why }),
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    async fn close(&self, mut place: usize, user_id: UserId, caller: &Caller) {
        for _ in 0..ASKS_MAX {
            if let Some(instance) = self.at(place) {
                let closed = tokio::select! {
                    biased;
                    () = instance.process.dead.cancelled() => false,
                    closed = disable(&instance.service, caller, user_id) => closed.is_ok(),
                };
                if closed {
                    return;
                }
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    async fn try_to_end(
        &self,
        place: usize,
        grant_id: GrantId,
        caller: &Caller,
        gives_back: bool,
        waits: bool,
    ) -> Result<EndedGrant, String> {
        let instance = self.at(place).ok_or("nobody is there")?;
        let process = instance.process.number;
        self.world.note(Happening::EndAsked { grant_id, process, waits, gives_back });
        let wait = if waits { AnswerWhen::Drained } else { AnswerWhen::Ended };
        let service = &instance.service;
        let ending = if gives_back { Ending::Relinquish } else { Ending::Revoke { note: None } };
        tokio::select! {
            biased;
            () = instance.process.dead.cancelled() => Err("the process died".to_owned()),
            ended = end(service, caller, grant_id, ending, wait) => ended.map_err(|error: Error| format!("{error:?}")),
        }
    }
}

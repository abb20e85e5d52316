//! What all processes of a run share: the seed everything is drawn from, the pace, the weather and
//! the trace.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::trace::{Happening, Moment};
use crate::domain::time::Timestamp;
use crate::storage::db::rehearsal::Defect;

/// When every run begins, in seconds since 1970.
const BEGINNING: i64 = 1_800_000_000;

/// When every run begins.
pub(super) fn beginning() -> Timestamp {
    Timestamp::from_unix_seconds(BEGINNING).unwrap()
}

/// What is wrong on purpose, to show that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    /// Of the database.
    Store(Defect),
    /// The cloud is asked twice.
    SentTwice,
    /// The cloud says that it refused what the car did.
    FalseRefusal,
}

/// How fast things go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Most calls take no time at all: what is ready runs in turns.
    Quick,
    /// Calls take milliseconds.
    Even,
    /// Calls take anything up to longer than a command has to leave.
    Ragged,
}

/// What one wait comes to.
enum Wait {
    Not,
    Turns(usize),
    Time(Duration),
}

/// An outage of the database.
#[derive(Default)]
struct Outage {
    planned: Option<Duration>,
    /// On the clock of the run.
    until: Duration,
}

pub(super) struct World {
    random: Mutex<fastrand::Rng>,
    trace: Mutex<Vec<Moment>>,
    began: tokio::time::Instant,
    /// The database and the processes are well, and the cloud is as always: everybody is answered, and no
    /// answer of the cloud is lost.
    pub(super) calm: bool,
    pub(super) pace: Pace,
    /// How many of a thousand calls fail.
    pub(super) troubles: usize,
    pub(super) planted: Option<Planted>,
    outage: Mutex<Outage>,
    /// Nothing fails and nothing takes long any more.
    settles: AtomicBool,
}

impl World {
    /// A world whose choices follow from the seed. Must be made inside the run's runtime.
    #[expect(clippy::disallowed_methods, reason = "the time of a run is the paused one of tokio")]
    pub(super) fn of_seed(seed: u64, planted: Option<Planted>) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let calm = random.usize(..6) == 0;
        let pace =
            [Pace::Quick, Pace::Even, Pace::Ragged][random.usize(..if calm { 2 } else { 3 })];
        let troubles = if calm { 0 } else { [0, 5, 40][random.usize(..3)] };
        Self {
            random: Mutex::new(random),
            trace: Mutex::default(),
            began: tokio::time::Instant::now(),
            calm,
            pace,
            troubles,
            planted,
            outage: Mutex::default(),
            settles: AtomicBool::new(false),
        }
    }

    fn random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number below `count`.
    pub(super) fn below(&self, count: usize) -> usize {
        self.random(|random| random.usize(..count.max(1)))
    }

    /// Whether something happens that does so `share` times in a thousand.
    pub(super) fn happens(&self, share: usize) -> bool {
        share > 0 && self.below(1000) < share
    }

    /// Whether something fails; nothing does once the world settles.
    pub(super) fn fails(&self, share: usize) -> bool {
        !self.settles() && self.happens(share)
    }

    /// Takes the database away for so long, in the middle of the next commit.
    pub(super) fn plan_outage(&self, time: Duration) {
        self.outage().planned = Some(time);
    }

    /// Whether the database is away now; nothing is once the world settles. A commit is where a planned
    /// outage begins.
    pub(super) fn is_database_away(&self, commits: bool) -> bool {
        let (now, mut outage) = (self.elapsed(), self.outage());
        if let Some(time) = outage.planned.take_if(|_| commits) {
            outage.until = now + time;
            self.note(Happening::WentAway { time });
        }
        now < outage.until && !self.settles()
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of these.
    pub(super) fn one_of<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A time of up to so many milliseconds; short ones are as likely as long ones.
    pub(super) fn up_to(&self, most_ms: usize) -> Duration {
        let most_ms = if self.below(2) == 0 { most_ms } else { most_ms / 20 };
        Duration::from_millis(self.below(most_ms + 1) as u64)
    }

    pub(super) fn settle(&self) {
        self.settles.store(true, Ordering::Relaxed);
    }

    pub(super) fn settles(&self) -> bool {
        self.settles.load(Ordering::Relaxed)
    }

    /// Lets time pass, or others run, or neither.
    pub(super) async fn pass(&self) {
        match self.wait() {
            Wait::Not => {}
            Wait::Turns(turns) => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            }
            Wait::Time(time) => tokio::time::sleep(time).await,
        }
    }

    fn wait(&self) -> Wait {
        if self.settles() {
            return Wait::Not;
        }
        let draw = self.below(100);
        let time = |most| Wait::Time(Duration::from_millis(1 + self.below(most) as u64));
        let turns = || Wait::Turns(1 + self.below(3));
        match (self.pace, draw) {
            (Pace::Quick, 0..50) | (Pace::Even, 0..30) | (Pace::Ragged, 0..40) => Wait::Not,
            (Pace::Quick, 50..95) | (Pace::Even, 30..60) | (Pace::Ragged, 40..60) => turns(),
            (Pace::Quick, _) | (Pace::Even, 60..95) => time(5),
            (Pace::Even, _) | (Pace::Ragged, 60..90) => time(100),
            (Pace::Ragged, 90..98) => time(1000),
            (Pace::Ragged, _) => time(7000),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the time of a run is the paused one of tokio")]
    pub(super) fn elapsed(&self) -> Duration {
        tokio::time::Instant::now().duration_since(self.began)
    }

    /// The true time; clocks may be off.
    pub(super) fn now(&self) -> Timestamp {
        beginning().plus(self.elapsed())
    }

    pub(super) fn note(&self, happening: Happening) {
        let moment = Moment { at: self.elapsed(), happening };
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
    }

    pub(super) fn trace(&self) -> Vec<Moment> {
        std::mem::take(&mut self.trace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

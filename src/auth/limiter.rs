//! One limit on failures: governor's GCRA over a bounded store and the service's clock.
//!
//! governor counts what it admits; here a failure is counted after the fact and a check counts
//! nothing. Both ask the same limiter with the same key, and the key says whether the store
//! keeps the outcome. It does not know what its keys stand for.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use crate::auth::bounded::Bounded;
use crate::clock::Clock;

/// In keys per limiter: some ten megabytes.
pub(super) const KEYS_MAX: usize = 100_000;

/// No refusal lasts longer, however many failures came in while one was due.
const DEBT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The service's monotonic clock in the form governor asks for.
#[derive(Clone)]
struct Monotonic(Arc<dyn Clock>);

impl GovernorClock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

/// The key, and whether the question is to leave a trace.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question<K> {
    key: K,
    counts: bool,
}

/// When each key will have nothing on record any more, seen from the start of the limiter.
#[derive(Clone)]
struct Store<K> {
    clean_at: Arc<Mutex<Bounded<K, Nanos>>>,
    per_failure: Duration,
}

impl<K> Store<K> {
    fn lock(&self) -> MutexGuard<'_, Bounded<K, Nanos>> {
        self.clean_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> StateStore for Store<K> {
    type Key = Question<K>;

    fn measure_and_replace<T, F, E>(&self, question: &Question<K>, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut clean_at = self.lock();
        let recorded = clean_at.get(&question.key);
        let outcome = f(recorded);
        if question.counts {
            let next = match (&outcome, recorded) {
                (Ok((_, next)), _) => Some(*next),
                // Already at the limit: attempts that were under way together all count, or
                // else each pause would buy a whole volley. A fresh key shows what time it is.
                (Err(_), Some(then)) => {
                    f(None).ok().map(|(_, fresh)| (then + self.per_failure).min(fresh + DEBT_MAX))
                }
                (Err(_), None) => None,
            };
            if let Some(next) = next {
                clean_at.insert(question.key.clone(), next);
            }
        }
        outcome.map(|(answer, _)| answer)
    }
}

/// So many failures at once, and as many again evenly over each period.
pub struct Limiter<K: Clone + Eq + Hash> {
    limiter: RateLimiter<Question<K>, Store<K>, Monotonic, NoOpMiddleware<Duration>>,
    /// The limiter's own, for what governor does not offer: forgetting a key.
    store: Store<K>,
    clock: Arc<dyn Clock>,
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    /// A limit of `failures`; one of them is forgotten every `per_failure`.
    pub fn new(failures: NonZeroU32, per_failure: Duration, clock: Arc<dyn Clock>) -> Self {
        let per_failure = per_failure.max(Duration::from_millis(1));
        let quota = Quota::with_period(per_failure)
            .unwrap_or(Quota::per_second(NonZeroU32::MIN))
            .allow_burst(failures);
        let store = Store { clean_at: Arc::new(Mutex::new(Bounded::new(KEYS_MAX))), per_failure };
        Self {
            limiter: RateLimiter::new(quota, store.clone(), Monotonic(Arc::clone(&clock))),
            store,
            clock,
        }
    }

    /// How long this key is refused from now on; nothing is counted.
    #[must_use]
    pub fn refused_for(&self, key: &K) -> Option<Duration> {
        self.ask(key, false)
    }

    /// Counts one failure.
    pub fn count(&self, key: &K) {
        self.ask(key, true);
    }

    /// Takes everything counted under this key back.
    pub(super) fn forget(&self, key: &K) {
        self.store.lock().remove(key);
    }

    fn ask(&self, key: &K, counts: bool) -> Option<Duration> {
        let question = Question { key: key.clone(), counts };
        let refusal = self.limiter.check_key(&question).err()?;
        Some(refusal.wait_time_from(self.clock.monotonic()))
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.store.lock().len()
    }
}

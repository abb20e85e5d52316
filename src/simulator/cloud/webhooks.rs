//! The webhooks that applications have registered: what each of them was told last, what it is to
//! be told next, and telling it until it listens. Nobody waits for a webhook except who asks how a
//! delivery went.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::courier::{Answered, Courier, Letter, Seal};
use super::events::{self, Subject};
use super::webhook_endpoint::WebhookEndpoint;
use crate::clock::Clock;
use crate::entropy::{Entropy, NoEntropy};
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::signal::code;
use crate::smartcar::webhook::{EventSignal, FIRST_DELIVERY, Trigger};

/// More webhooks than any test needs.
const WEBHOOKS_MAX: usize = 100;
/// Letters of one webhook that are on their way at the same time.
const ON_THEIR_WAY_MAX: usize = 64;
/// Cars of which the last letter is kept, to be sent again by a hostile hand.
const LAST_MAX: usize = 1_000;

/// What all webhooks need to send letters.
pub(crate) struct PostOffice {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) seal: Seal,
    /// How long to wait before each further attempt.
    pub(crate) retry_after: Vec<Duration>,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

/// A webhook.
pub(crate) struct Webhook {
    pub(crate) endpoint: WebhookEndpoint,
    pub(crate) courier: Courier,
    pub(crate) office: Arc<PostOffice>,
    pub(crate) book: Book,
}

/// What a webhook was told.
pub(crate) struct Book {
    is_over: AtomicBool,
    pub(crate) delivered: AtomicU64,
    pub(crate) failed: AtomicU64,
    on_their_way: Semaphore,
    /// What each owner's car last said, by place and owner.
    told: Mutex<BTreeMap<(usize, String), Vec<EventSignal>>>,
    /// Cars that were unsubscribed.
    unsubscribed: Mutex<BTreeSet<String>>,
    /// The last letter about each car.
    last: Mutex<BTreeMap<String, Letter>>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            is_over: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            on_their_way: Semaphore::new(ON_THEIR_WAY_MAX),
            told: Mutex::default(),
            unsubscribed: Mutex::default(),
            last: Mutex::default(),
        }
    }
}

/// All webhooks that were verified.
#[derive(Default)]
pub(crate) struct Webhooks(RwLock<Vec<Arc<Webhook>>>);

impl Webhooks {
    pub(crate) fn all(&self) -> Vec<Arc<Webhook>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Webhook>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|webhook| webhook.endpoint.id == id).cloned()
    }

    /// Takes a webhook in; `false` if there are too many.
    pub(crate) fn admit(&self, webhook: Arc<Webhook>) -> bool {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= WEBHOOKS_MAX {
            return false;
        }
        all.push(webhook);
        true
    }

    /// Ends a webhook; what is on its way to it is not tried again.
    pub(crate) fn end(&self, id: &str) -> bool {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = all.iter().position(|webhook| webhook.endpoint.id == id) else {
            return false;
        };
        all.remove(found).book.is_over.store(true, Ordering::Release);
        true
    }
}

impl Webhook {
    /// Whether it hears of this car.
    fn hears_of(&self, vehicle_id: &str) -> bool {
        !locked(&self.book.unsubscribed).contains(vehicle_id)
    }

    /// From now on it hears of this car, or no longer does.
    pub(crate) fn subscribe(&self, vehicle_id: &str, place: usize, hears: bool) {
        let mut unsubscribed = locked(&self.book.unsubscribed);
        match hears {
            true => unsubscribed.remove(vehicle_id),
            false => unsubscribed.insert(vehicle_id.to_owned()),
        };
        drop(unsubscribed);
        locked(&self.book.told).retain(|(told, _), _| *told != place);
    }

    /// The owner of a car has taken it back: if it is shared again, it is a new car.
    pub(crate) fn forget(&self, place: usize, user_id: &str) {
        locked(&self.book.told).remove(&(place, user_id.to_owned()));
    }

    /// Tells what a car says, if it says anything new.
    pub(super) fn tell_state(self: &Arc<Self>, subject: Subject<'_>) {
        if !self.hears_of(&subject.car.id) {
            return;
        }
        let (signals, triggers) = self.news(subject);
        if let Some(triggers) = triggers {
            self.tell(subject.state(&self.endpoint, triggers, signals), &subject.car.id);
        }
    }

    /// What a car says, whether it is new or not.
    pub(crate) fn state_of(&self, subject: Subject<'_>) -> Value {
        let (signals, triggers) = self.news(subject);
        let unchanged = || {
            let known = |signal: &&EventSignal| signal.code == code::IS_LOCKED;
            let found = signals.iter().find(known).or(signals.first());
            found.map(trigger).into_iter().collect()
        };
        let triggers = triggers.unwrap_or_else(unchanged);
        subject.state(&self.endpoint, triggers, signals)
    }

    /// Tells what is wrong with a car, or no longer is.
    pub(super) fn tell_error(self: &Arc<Self>, subject: Subject<'_>, kind: ErrorKind, state: &str) {
        if self.hears_of(&subject.car.id) {
            self.tell(subject.error(&self.endpoint, kind, state), &subject.car.id);
        }
    }

    /// What a car says, and why that is worth telling; `None` if it was told before. From now on
    /// it was. The car is read while nobody else can note what it said: of two changes at the same
    /// time the later one is noted last.
    fn news(&self, subject: Subject<'_>) -> (Vec<EventSignal>, Option<Vec<Trigger>>) {
        let key = (subject.connection.place, subject.connection.user.id.clone());
        let mut told = locked(&self.book.told);
        let signals = subject.signals(&self.endpoint);
        let before = told.insert(key, signals.clone());
        drop(told);
        let Some(before) = before else {
            let code = Some(FIRST_DELIVERY.to_owned());
            return (signals, Some(vec![Trigger { code, ..Trigger::default() }]));
        };
        let is_new = |signal: &&EventSignal| {
            let same = |old: &&EventSignal| old.code == signal.code;
            before.iter().find(same).is_none_or(|old| old.body != signal.body)
        };
        let triggers: Vec<_> = signals.iter().filter(is_new).map(trigger).collect();
        (signals, (!triggers.is_empty()).then_some(triggers))
    }

    fn tell(self: &Arc<Self>, event: Value, vehicle_id: &str) {
        match self.named(event) {
            Ok(event) => self.keep_telling(event, vehicle_id.to_owned(), 0),
            Err(error) => tracing::error!(%error, "an event of the simulator has no name"),
        }
    }

    /// The same event with a name of its own.
    pub(crate) fn named(&self, mut event: Value) -> Result<Value, NoEntropy> {
        let id = self.office.entropy.uuid(self.office.clock.now())?;
        events::name(&mut event, &id.to_string());
        Ok(event)
    }

    /// Tries until it listens or all attempts are used up; `tried` of them are already.
    pub(crate) fn keep_telling(self: &Arc<Self>, event: Value, vehicle_id: String, tried: usize) {
        let webhook = Arc::clone(self);
        self.office.tasks.spawn(async move {
            let office = &webhook.office;
            let waits = std::iter::once(Duration::ZERO).chain(office.retry_after.iter().copied());
            for wait in waits.skip(tried) {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = office.shutdown.cancelled() => return,
                }
                if webhook.book.is_over.load(Ordering::Acquire) {
                    return;
                }
                let answered = webhook.deliver(event.clone(), &vehicle_id).await;
                if answered.is_ok_and(|it| it.is_some_and(|it| it.is_taken())) {
                    return;
                }
            }
            tracing::warn!(
                url = webhook.endpoint.url,
                "a webhook did not listen; its event is dropped"
            );
        });
    }

    /// One attempt.
    pub(crate) async fn deliver(
        &self,
        event: Value,
        vehicle_id: &str,
    ) -> Result<Option<Answered>, NoEntropy> {
        let letter = self.sealed(event)?;
        self.remember(vehicle_id, letter.clone());
        Ok(self.carry(letter).await)
    }

    fn remember(&self, vehicle_id: &str, letter: Letter) {
        let mut last = locked(&self.book.last);
        if last.len() >= LAST_MAX {
            last.clear();
        }
        last.insert(vehicle_id.to_owned(), letter);
    }

    /// A delivery of an event, ready to be sent.
    pub(crate) fn sealed(&self, mut event: Value) -> Result<Letter, NoEntropy> {
        let now = self.office.clock.now();
        events::mark(&mut event, &self.office.entropy.uuid(now)?.to_string(), now);
        let body = events::compact(&event);
        let signature = Some(self.office.seal.of(&body));
        Ok(Letter { body, signature })
    }

    /// The last letter about a car.
    pub(crate) fn last_letter(&self, vehicle_id: &str) -> Option<Letter> {
        locked(&self.book.last).get(vehicle_id).cloned()
    }

    /// Sends a letter as it is, once.
    pub(crate) async fn carry(&self, letter: Letter) -> Option<Answered> {
        let _permit = self.book.on_their_way.acquire().await.ok()?;
        let answered = self.courier.carry(&self.endpoint.url, letter).await;
        let is_taken = answered.as_ref().is_some_and(Answered::is_taken);
        let count = if is_taken { &self.book.delivered } else { &self.book.failed };
        count.fetch_add(1, Ordering::Relaxed);
        answered
    }
}

fn trigger(signal: &EventSignal) -> Trigger {
    Trigger {
        code: Some(signal.code.clone()),
        name: Some(signal.name.clone()),
        group: Some(signal.group.clone()),
        ..Trigger::default()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

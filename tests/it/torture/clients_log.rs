//! The clients' own log: what each asked for and when, and what it was told and when. It is
//! written by those who ask, and knows nothing of the service.

use std::sync::{Mutex, MutexGuard, PoisonError};

use keylend::audit::checkpoint::TreeHead;
use keylend::clock::{Clock, SystemClock};
use tokio::sync::watch;

use crate::checker::history::{Answer, Request};

/// How many answers there were.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Answers {
    pub(crate) all: u64,
    /// Those of success.
    pub(crate) well: u64,
    /// Those to come again later.
    pub(crate) turned_away: u64,
}

#[derive(Debug)]
pub(crate) struct ClientsLog {
    clock: SystemClock,
    requests: Mutex<Vec<Request>>,
    heads: Mutex<Vec<TreeHead>>,
    answers: watch::Sender<Answers>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientsLog {
    pub(crate) fn start() -> Self {
        Self {
            clock: SystemClock::start(),
            requests: Mutex::default(),
            heads: Mutex::default(),
            answers: watch::Sender::default(),
        }
    }

    /// The moment, on the clock of all moments of the log.
    pub(crate) fn now_us(&self) -> u64 {
        self.clock.monotonic().as_micros() as u64
    }

    /// Notes a request before its first byte leaves; returns its place.
    pub(crate) fn begin(&self, request: Request) -> usize {
        let mut requests = lock(&self.requests);
        requests.push(request);
        requests.len() - 1
    }

    /// Notes an answer after its last byte came.
    pub(crate) fn end(&self, place: usize, answer: Answer) {
        let (well, turned_away) = (answer.is_success(), answer.is_turning_away());
        lock(&self.requests)[place].answer = Some(answer);
        self.answers.send_modify(|answers| {
            answers.all += 1;
            answers.well += u64::from(well);
            answers.turned_away += u64::from(turned_away);
        });
    }

    /// Notes a checkpoint that was shown to a client.
    pub(crate) fn keep(&self, head: TreeHead) {
        let mut heads = lock(&self.heads);
        if heads.last() != Some(&head) {
            heads.push(head);
        }
    }

    /// How many answers there were.
    pub(crate) fn answered(&self) -> u64 {
        self.answers().all
    }

    /// Waits for so many answers in all.
    pub(crate) async fn until_answered(&self, count: u64) {
        self.until(|answers| answers.all >= count).await;
    }

    /// How many answers there were of each kind.
    pub(crate) fn answers(&self) -> Answers {
        *self.answers.borrow()
    }

    /// Waits until there were enough.
    pub(crate) async fn until(&self, enough: impl Fn(Answers) -> bool) {
        let mut answers = self.answers.subscribe();
        answers.wait_for(|so_far| enough(*so_far)).await.expect("the log sends them");
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    pub(crate) fn heads(&self) -> Vec<TreeHead> {
        lock(&self.heads).clone()
    }
}

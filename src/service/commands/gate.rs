//! The gate: every request for a command passes here. It takes whatever arrived while the last
//! batch was being committed, without any artificial delay, and decides on all of it in one
//! transaction ([`super::batch`]), in which it also writes the outcomes of commands that came in
//! meanwhile. Nothing leaves before that transaction is durable (P1).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::outcomes::{self, OutcomeQueue};
use super::request::{Batch, CommandRequest, Pending, Reply};
use super::ruling::Ruling;
use super::{count, decide, send};
use crate::domain::access::Sought;
use crate::domain::instruction::Action;
use crate::measures;
use crate::service::failpoint::{self, Failpoint};
use crate::service::refusals::{Asked, At};
use crate::service::{Base, Error, Limit, Service, budget};
use crate::storage::commands::Outcome;

/// At most so many requests, and so many outcomes, in one transaction.
const BATCH_MAX: usize = 256;
/// So many locks find room when everything else is turned away: a car that cannot be closed is worse
/// than one that cannot be opened.
const LOCKS_RESERVED: usize = 256;
/// Nothing is being decided on.
const NOTHING: u64 = u64::MAX;
/// How often the others get a turn before a batch that still grows is decided on.
const ROUNDS_MAX: usize = 16;

/// The queue of requests that wait for a decision.
#[derive(Debug, Clone)]
pub struct Gate {
    queue: mpsc::Sender<Pending>,
    decided: Arc<AtomicU64>,
    /// When the oldest request was made that is being decided on, in microseconds on the monotonic clock.
    deciding_since: Arc<AtomicU64>,
}

/// The task that decides: it takes what [`Gate::submit`] has queued.
#[derive(Debug)]
pub struct GateTask {
    queue: mpsc::Receiver<Pending>,
    decided: Arc<AtomicU64>,
    deciding_since: Arc<AtomicU64>,
}

impl Gate {
    /// A gate and the task that must run for it. Requests beyond `waiting_max` are turned away at
    /// once, so that the ones inside are answered in time; there is room for some locks beyond.
    #[must_use]
    pub fn new(waiting_max: usize) -> (Self, GateTask) {
        let (sender, receiver) = mpsc::channel(waiting_max.max(1).saturating_add(LOCKS_RESERVED));
        let (decided, deciding_since) = (Arc::default(), Arc::new(AtomicU64::new(NOTHING)));
        let gate = Self { queue: sender, decided, deciding_since };
        let (decided, deciding_since) = (gate.decided.clone(), gate.deciding_since.clone());
        (gate, GateTask { queue: receiver, decided, deciding_since })
    }

    /// Has a request decided on; `now` is on the monotonic clock.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many wait, its turn does not come in ten seconds or the service is
    /// stopping; otherwise what the decision came to.
    pub async fn submit(&self, request: CommandRequest, now: Duration) -> Result<Reply, Error> {
        let is_lock = request.instruction.action() == Action::Lock;
        if !is_lock && self.queue.capacity() <= LOCKS_RESERVED {
            return Err(Error::Overloaded);
        }
        let (reply, decided) = oneshot::channel();
        let pending = Pending { request_hash: request.hash(), request, asked_at: now, reply };
        self.queue.try_send(pending).map_err(|_| Error::Overloaded)?;
        decided.await.map_err(|_| Error::Overloaded)?
    }

    /// How many requests this process has decided on since it started.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.decided.load(Ordering::Relaxed)
    }

    /// How many requests wait to be decided on.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }

    /// How long the oldest request has waited that is being decided on, or the outcomes have been written for that
    /// come alone; those that wait came later. `now` is on the monotonic clock.
    #[must_use]
    pub fn oldest_wait(&self, now: Duration) -> Duration {
        match self.deciding_since.load(Ordering::Relaxed) {
            NOTHING => Duration::ZERO,
            since => now.saturating_sub(Duration::from_micros(since)),
        }
    }

    /// Whether requests wait to be decided on.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.waiting() > 0
    }
}

impl GateTask {
    /// Decides on batches until the service stops; what had arrived by then is still decided on,
    /// and the outcomes of what was sent are still written.
    pub async fn run(mut self, service: Service, stop: tokio_util::sync::CancellationToken) {
        let (sender, mut outcomes) = OutcomeQueue::new();
        loop {
            let mut batch = Batch::default();
            tokio::select! {
                biased;
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
                arrived = self.queue.recv_many(&mut batch.requests, BATCH_MAX) => {
                    if arrived == 0 {
                        break;
                    }
                }
                _ = outcomes.recv_many(&mut batch.outcomes, BATCH_MAX) => {}
            }
            self.gather(&mut batch, &mut outcomes).await;
            self.decided.fetch_add(batch.requests.len() as u64, Ordering::Relaxed);
            let since = since(&batch, service.base.clock.monotonic());
            self.deciding_since.store(since, Ordering::Relaxed);
            process(&service, &sender, batch).await;
            self.deciding_since.store(NOTHING, Ordering::Relaxed);
        }
        drop(sender);
        let mut last = Vec::new();
        while outcomes.recv_many(&mut last, BATCH_MAX).await > 0 {
            outcomes::keep_trying(&service, std::mem::take(&mut last));
        }
    }
}

impl GateTask {
    /// Takes what else has arrived, and what arrives while everybody who can run does. Nothing is
    /// waited for: whoever comes alone is decided on at once. But right after a transaction those
    /// whom it answered are about to come back, and would each get a transaction of their own.
    async fn gather(&mut self, batch: &mut Batch, outcomes: &mut mpsc::Receiver<Outcome>) {
        for _ in 0..ROUNDS_MAX {
            let before = batch.len();
            tokio::task::yield_now().await;
            fill(&mut batch.requests, &mut self.queue);
            fill(&mut batch.outcomes, outcomes);
            if batch.len() == before {
                return;
            }
        }
    }
}

/// When the oldest request of a batch was made: they come in order. Who comes while outcomes alone are
/// written waits for that from now on.
fn since(batch: &Batch, now: Duration) -> u64 {
    let since = batch.requests.first().map_or(now, |pending| pending.asked_at);
    u64::try_from(since.as_micros()).unwrap_or(NOTHING)
}

/// Takes what else has arrived.
fn fill<T>(batch: &mut Vec<T>, queue: &mut mpsc::Receiver<T>) {
    while batch.len() < BATCH_MAX
        && let Ok(arrived) = queue.try_recv()
    {
        batch.push(arrived);
    }
}

/// Those requests that can be decided on by the clock as it is; the others are answered.
fn refuse_if_clock_disputed(base: &Base, requests: Vec<Pending>) -> Vec<Pending> {
    let mut decidable = Vec::with_capacity(requests.len());
    for pending in requests {
        match base.require_trusted_clock_for(pending.request.instruction.action()) {
            Ok(()) => decidable.push(pending),
            Err(error) => drop(pending.reply.send(Err(error))),
        }
    }
    decidable
}

/// Decides a batch, answers its requests, starts the senders of what is allowed, and notifies those who
/// wait for the outcomes that were written.
async fn process(service: &Service, outcomes: &OutcomeQueue, mut batch: Batch) {
    batch.requests = refuse_if_clock_disputed(&service.base, batch.requests);
    if batch.len() == 0 {
        return;
    }
    metrics::histogram!(measures::GATE_BATCH_SIZE).record(batch.requests.len() as f64);
    match decide::decide_until_known(service, &batch).await {
        Ok(decided) => {
            if !decided.rulings.is_empty() {
                failpoint::reached(Failpoint::GateCommitted);
            }
            if !decided.written.is_empty() {
                failpoint::reached(Failpoint::OutcomesCommitted);
            }
            outcomes::notify_and_forget(service, &batch.outcomes, &decided.written);
            for (pending, ruling) in batch.requests.into_iter().zip(decided.rulings) {
                start_and_reply(service, outcomes, pending, ruling);
            }
        }
        Err(error) => {
            outcomes::keep_trying(service, batch.outcomes);
            for pending in batch.requests {
                drop(pending.reply.send(Err(error.into())));
            }
        }
    }
}

/// Sends the command of a request if it is allowed, notes it if it is refused, and replies.
fn start_and_reply(service: &Service, outcomes: &OutcomeQueue, pending: Pending, ruling: Ruling) {
    let reply = match ruling {
        Ruling::Send(order) => {
            let command = order.command.clone();
            count(&command);
            let outcome = service.waiters.register(command.command_id);
            send::spawn(service, outcomes, *order);
            Ok(Reply::Sending(command, outcome))
        }
        Ruling::Refused(refusal) => {
            service.refusals.note_recorded(
                pending.request.refused(),
                &pending.request.caller,
                At::of(&service.base),
            );
            count(&refusal.command);
            Ok(Reply::Refused(refusal.command))
        }
        Ruling::RefusedAgain(reasons) => {
            let (refused, caller) = (pending.request.refused(), &pending.request.caller);
            service.refusals.count(refused, caller, Asked::Command, At::of(&service.base));
            Err(Error::Refused(reasons))
        }
        Ruling::Replayed(command) => Ok(Reply::Replayed(*command)),
        Ruling::WaitedTooLong => Err(Error::Overloaded),
        Ruling::OverBudget(wait) => {
            budget::count_refused(pending.request.instruction.action().into());
            Err(Error::Throttled(Limit::Vehicle, wait))
        }
        Ruling::KeyReused => Err(Error::KeyReused),
        Ruling::TokenRefused(fault) => Err(Error::Unauthenticated(fault)),
        Ruling::NotFound => Err(Error::NotFound(Sought::VEHICLE_OR_GRANT)),
    };
    // Who hung up meanwhile does not stop what was decided.
    drop(pending.reply.send(reply));
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;

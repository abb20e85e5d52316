//! The gate: every request for a command passes here. It takes whatever arrived while the last
//! batch was being committed, without any artificial delay, and decides on all of it in one
//! transaction ([`super::batch`]). Nothing leaves before that transaction is durable (P1).

use tokio::sync::{mpsc, oneshot};

use super::batch::{self, Ruling};
use super::dispatch::DispatchCommand;
use super::outcomes::Outcomes;
use super::send;
use crate::domain::command::Command;
use crate::failpoint::{self, Failpoint};
use crate::service::{Error, Service};
use crate::storage::WorthRepeating;

/// At most so many requests in one transaction.
const BATCH_MAX: usize = 256;
/// How often a request is decided again because its grant was changed by somebody else.
const TRIES_MAX: u8 = 8;

/// What was decided on a request.
#[derive(Debug)]
pub enum Decided {
    /// Allowed and recorded; the receiver tells the outcome.
    Sending(Command, oneshot::Receiver<Command>),
    /// Refused and recorded.
    Refused(Command),
    /// The same request was decided on before.
    Replayed(Command),
}

/// A request on its way through the gate.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) request: DispatchCommand,
    reply: oneshot::Sender<Result<Decided, Error>>,
    tries: u8,
}

/// The way in.
#[derive(Debug, Clone)]
pub struct Gate {
    queue: mpsc::Sender<Pending>,
}

/// The other end, which [`GateTask::run`] works off.
#[derive(Debug)]
pub struct GateTask {
    queue: mpsc::Receiver<Pending>,
}

impl Gate {
    /// A gate and the task that must run for it. Requests beyond `waiting_max` are turned away at
    /// once, so that the ones inside are answered in time.
    #[must_use]
    pub fn new(waiting_max: usize) -> (Self, GateTask) {
        let (sender, receiver) = mpsc::channel(waiting_max.max(1));
        (Self { queue: sender }, GateTask { queue: receiver })
    }

    /// Has a request decided on.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many wait or the service is stopping; otherwise what the
    /// decision came to.
    pub async fn submit(&self, request: DispatchCommand) -> Result<Decided, Error> {
        let (reply, decided) = oneshot::channel();
        let pending = Pending { request, reply, tries: 0 };
        self.queue.try_send(pending).map_err(|_| Error::Overloaded)?;
        decided.await.map_err(|_| Error::Overloaded)?
    }
}

impl GateTask {
    /// Decides on batches until the service stops; what had arrived by then is still decided on.
    pub async fn run(mut self, service: Service, stop: tokio_util::sync::CancellationToken) {
        let outcomes = Outcomes::start(&service);
        let mut again = Vec::new();
        loop {
            let mut batch = std::mem::take(&mut again);
            if batch.is_empty() {
                let arrived = tokio::select! {
                    biased;
                    () = stop.cancelled(), if !self.queue.is_closed() => {
                        self.queue.close();
                        continue;
                    }
                    arrived = self.queue.recv_many(&mut batch, BATCH_MAX) => arrived,
                };
                if arrived == 0 {
                    return;
                }
            } else {
                while batch.len() < BATCH_MAX
                    && let Ok(pending) = self.queue.try_recv()
                {
                    batch.push(pending);
                }
            }
            again = decide(&service, &outcomes, batch).await;
        }
    }
}

/// Decides on one batch and answers everybody in it; returns those to be decided on again.
async fn decide(service: &Service, outcomes: &Outcomes, batch: Vec<Pending>) -> Vec<Pending> {
    metrics::histogram!(crate::telemetry::GATE_BATCH_SIZE).record(batch.len() as f64);
    let mut tries = 0;
    let rulings = loop {
        match batch::decide(service, &batch).await {
            Err(error) if error.is_worth_repeating() && tries < TRIES_MAX => tries += 1,
            decided => break decided,
        }
    };
    let rulings = match rulings {
        Ok(rulings) => rulings,
        Err(error) => {
            tracing::error!(error = ?error, requests = batch.len(), "a batch was not decided on");
            for pending in batch {
                drop(pending.reply.send(Err(Error::NotDurable)));
            }
            return Vec::new();
        }
    };
    failpoint::reached(Failpoint::GateCommitted);
    let mut again = Vec::new();
    for (mut pending, ruling) in batch.into_iter().zip(rulings) {
        let answer = match ruling {
            Ruling::Send(order) => {
                let command = order.command.clone();
                let outcome = service.waiters.register(command.command_id);
                send::spawn(service, outcomes, *order);
                Ok(Decided::Sending(command, outcome))
            }
            Ruling::Refused(command) => Ok(Decided::Refused(*command)),
            Ruling::Replayed(command) => Ok(Decided::Replayed(*command)),
            Ruling::KeyReused => Err(Error::KeyReused),
            Ruling::NotFound => Err(Error::NotFound),
            Ruling::Again if pending.tries < TRIES_MAX => {
                pending.tries += 1;
                again.push(pending);
                continue;
            }
            Ruling::Again => Err(Error::Overloaded),
        };
        // Who hung up meanwhile does not stop what was decided.
        drop(pending.reply.send(answer));
    }
    again
}

//! The gate of reads: it decides on those that arrived while its last transaction was being committed, in
//! one transaction, and records each decision (P1, P2). Nothing is asked of a car before that is durable.
//! It goes after commands: while they wait it takes fewer reads at a time.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::domain::access::Sought;
use crate::domain::event::Event;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::policy::{Decision, Reason, Request};
use crate::domain::reading::Observable;
use crate::domain::row_facts::RestsOn;
use crate::domain::time::Timestamp;
use crate::service::facts::{DecisionFacts, RequestFacts};
use crate::service::refusals::{Asked, At, Draft, Refusals, Refused};
use crate::service::shown_token::{CountingTokens, ShownToken};
use crate::service::{Base, Caller, Error, Service, Work};
use crate::storage::Priority;
use crate::storage::decisions::VehicleRow;

/// At most so many requests in one transaction.
const BATCH_MAX: usize = 128;
/// At most so many while commands wait for the database.
const BATCH_BESIDE_COMMANDS_MAX: usize = 16;
/// So many requests may wait; more are turned away.
const WAITING_MAX: usize = 2048;
/// How often others run before a batch that still grows is decided on.
const ROUNDS_MAX: usize = 16;

/// Whose right a read rests on, and which car it is about; without a grant the person must be the
/// owner.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// The person whose right is used.
    pub user_id: UserId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// The grant it rests on.
    pub grant_id: Option<GrantId>,
    /// The grant token that shows that it is theirs; without one they are signed in, or a program acts for them.
    pub token: Option<ShownToken>,
}

/// What was decided on the reads of one request.
#[derive(Debug)]
pub(super) struct DecidedReads {
    /// How the car is reached.
    pub(super) vehicle: Arc<VehicleRow>,
    /// For each read why it is refused, if it is.
    pub(super) refusals: Vec<Option<Vec<Reason>>>,
    /// How many of the refused have an entry of their own.
    recorded: usize,
}

#[derive(Debug)]
struct PendingRead {
    caller: Caller,
    read: Read,
    observables: Vec<Observable>,
    reply: oneshot::Sender<Result<DecidedReads, Error>>,
}

/// The queue of reads that wait for a decision.
#[derive(Debug, Clone)]
pub struct ReadGate {
    queue: mpsc::Sender<PendingRead>,
}

/// The task that decides: it takes what [`ReadGate::submit`] has queued.
#[derive(Debug)]
pub struct ReadGateTask {
    queue: mpsc::Receiver<PendingRead>,
}

impl ReadGate {
    /// A gate and the task that must run for it.
    #[must_use]
    pub fn new() -> (Self, ReadGateTask) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self { queue: sender }, ReadGateTask { queue: receiver })
    }

    /// Has the reads of one request decided on.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many wait or the service is stopping; [`Error::NotFound`] for a car
    /// or grant that is not there; [`Error::NotDurable`] if the database keeps nothing.
    pub(super) async fn submit(
        &self,
        caller: &Caller,
        read: Read,
        observables: &[Observable],
    ) -> Result<DecidedReads, Error> {
        let (reply, decided) = oneshot::channel();
        let (caller, observables) = (caller.clone(), observables.to_vec());
        let pending = PendingRead { caller, read, observables, reply };
        self.queue.try_send(pending).map_err(|_| Error::Overloaded)?;
        decided.await.map_err(|_| Error::Overloaded)?
    }
}

impl ReadGateTask {
    /// Decides on batches until the service stops; what had arrived by then is still decided on.
    pub async fn run(mut self, service: Service, stop: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
                arrived = self.queue.recv_many(&mut batch, batch_max(&service)) => {
                    if arrived == 0 {
                        return;
                    }
                }
            }
            self.gather(&mut batch, batch_max(&service)).await;
            process(&service, std::mem::take(&mut batch)).await;
        }
    }

    /// Takes what arrives while everybody who can run does, and waits for nothing: right after a
    /// transaction those whom it answered are about to come back.
    async fn gather(&mut self, batch: &mut Vec<PendingRead>, batch_max: usize) {
        for _ in 0..ROUNDS_MAX {
            let before = batch.len();
            tokio::task::yield_now().await;
            while batch.len() < batch_max
                && let Ok(arrived) = self.queue.try_recv()
            {
                batch.push(arrived);
            }
            if batch.len() == before {
                return;
            }
        }
    }
}

fn batch_max(service: &Service) -> usize {
    if service.gate.is_waited_for() { BATCH_BESIDE_COMMANDS_MAX } else { BATCH_MAX }
}

/// Decides on a batch and answers everybody in it.
async fn process(service: &Service, batch: Vec<PendingRead>) {
    let base = &service.base;
    let decided = match base.require_trusted_clock() {
        Ok(()) => decide(base, &service.refusals, &batch).await,
        Err(error) => Err(error),
    };
    match decided {
        Ok(decided) => {
            let at = At::of(base);
            for (pending, decided) in batch.into_iter().zip(decided) {
                if let Ok(decided) = &decided {
                    pending.note_refusals(&service.refusals, decided, at);
                }
                // A client that hung up does not need to know.
                drop(pending.reply.send(decided));
            }
        }
        Err(error) => {
            tracing::error!(error = ?error, requests = batch.len(), "reads were not decided on");
            for pending in batch {
                let error = match error {
                    Error::ClockDisagrees => Error::ClockDisagrees,
                    _ => Error::NotDurable,
                };
                drop(pending.reply.send(Err(error)));
            }
        }
    }
}

/// Decides on all requests in one transaction and records each decision; [`Error::NotFound`] for a car or grant that
/// is not there, [`Error::Unauthenticated`] for a token that does not count.
async fn decide(
    base: &Base,
    refusals: &Refusals,
    batch: &[PendingRead],
) -> Result<Vec<Result<DecidedReads, Error>>, Error> {
    let decided = base.transact("vehicles.read", Priority::Ordinary, |work| {
        Box::pin(async move {
            let named: Vec<_> = batch.iter().map(|pending| pending.read.named()).collect();
            let known = DecisionFacts::lock(&mut work.tx, &named).await?;
            let shown: Vec<_> = batch.iter().filter_map(|pending| pending.read.token).collect();
            let tokens = CountingTokens::lock(&mut work.tx, &shown).await?;
            // After the rows are locked: no decision rests on a time before its facts.
            let at = At::of(base);
            let mut draft = Draft::new(refusals, at.elapsed);
            let decided = batch.iter().map(|pending| {
                match pending.read.token.and_then(|shown| tokens.fault(&shown)) {
                    Some(fault) => Ok(Err(Error::Unauthenticated(fault))),
                    None => pending.decide(&known, work, &mut draft, at.now),
                }
            });
            decided.collect()
        })
    });
    decided.await
}

impl PendingRead {
    /// Decides on the reads of one request and records each.
    fn decide(
        &self,
        known: &DecisionFacts,
        work: &mut Work<'_>,
        draft: &mut Draft<'_>,
        now: Timestamp,
    ) -> Result<Result<DecidedReads, Error>, Error> {
        let Self { caller, read, observables, .. } = self;
        let Some(facts) = known.of(caller.actor.organization_id, read.named()) else {
            return Ok(Err(Error::NotFound(Sought::VEHICLE_OR_GRANT)));
        };
        let refusals: Vec<Option<Vec<Reason>>> =
            observables.iter().map(|&observable| read.refusal(facts, observable, now)).collect();
        let (refused, mut recorded) = (self.refused(), 0);
        for (&observable, refusal) in observables.iter().zip(&refusals) {
            if refusal.is_none() || draft.is_recorded(&refused) {
                recorded += usize::from(refusal.is_some());
                let token_id = read.token.map(|shown| shown.token_id);
                let rests_on = facts.rests_on(&read.request(observable));
                let rests_on = rests_on.map(|rests_on| rests_on.by_token(token_id));
                let event = read.event(observable, refusal.clone(), rests_on);
                work.record_at(caller, event, now)?;
            }
        }
        Ok(Ok(DecidedReads { vehicle: Arc::clone(facts.vehicle), refusals, recorded }))
    }

    /// Notes the refusals once they are durable.
    fn note_refusals(&self, refusals: &Refusals, decided: &DecidedReads, at: At) {
        let (refused, caller) = (self.refused(), &self.caller);
        let count = decided.refusals.iter().flatten().count();
        for number in 0..count {
            if number < decided.recorded {
                refusals.note_recorded(refused, caller, at);
            } else {
                refusals.count(refused, caller, Asked::Read, at);
            }
        }
    }

    /// What its refusals and others have in common.
    const fn refused(&self) -> Refused {
        let Self { caller, read, .. } = self;
        Refused {
            organization_id: caller.actor.organization_id,
            principal: caller.actor.principal_id(),
            user_id: read.user_id,
            vehicle_id: read.vehicle_id,
            grant_id: read.grant_id,
        }
    }
}

impl Read {
    const fn named(&self) -> (VehicleId, Option<GrantId>) {
        (self.vehicle_id, self.grant_id)
    }

    fn request(&self, observable: Observable) -> Request {
        let Self { user_id, vehicle_id, token, .. } = *self;
        let device_key = token.and_then(|shown| shown.device_key);
        let entitlement = observable.entitlement();
        Request { user_id, vehicle_id, entitlement, spends_use: false, device_key }
    }

    fn refusal(
        &self,
        facts: RequestFacts<'_>,
        observable: Observable,
        now: Timestamp,
    ) -> Option<Vec<Reason>> {
        match facts.decide(&self.request(observable), now) {
            Decision::Allow(_) => None,
            Decision::Deny(reasons) => Some(reasons),
        }
    }

    fn event(
        &self,
        observable: Observable,
        refusal: Option<Vec<Reason>>,
        rests_on: Option<RestsOn>,
    ) -> Event {
        let Self { user_id, vehicle_id, grant_id, .. } = *self;
        match refusal {
            None => Event::VehicleRead { vehicle_id, grant_id, user_id, observable, rests_on },
            Some(reasons) => Event::VehicleReadRefused {
                vehicle_id,
                grant_id,
                user_id,
                observable,
                reasons,
                rests_on,
            },
        }
    }
}

//! Deciding a batch until it is known whether the decision is durable. A transaction that others were
//! in the way of is repeated. If the connection was lost between the commit and its answer, the commit
//! is unknown, and the batch is decided on again. Its idempotency keys make that conclusive:
//! a transaction that is still under way is waited for, one that happened is found, and one that
//! did not can never happen any more. What is found is this process's own to send, once, within the
//! time it had from the start (P4); nobody else sends it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::{self, AttemptError, DecidedBatch};
use super::outcomes;
use super::request::Batch;
use super::ruling::{Ruling, SendOrder};
use crate::domain::cause::{Cause, NotSent};
use crate::domain::command::{Command, CommandStatus, SEND_TIME};
use crate::domain::id::CommandId;
use crate::domain::time::Timestamp;
use crate::service::{Error, Service};
use crate::storage::StorageError;
use crate::storage::commands::Outcome;

/// How often a batch is decided again because others were in the way.
const REPEATS_MAX: u8 = 8;
/// How often, and on the monotonic clock how long, an unknown commit is searched for before those who
/// wait get [`BatchError::MaybeDurable`].
const SEARCHES_MAX: u32 = 20;
const SEARCH_TIME_MAX: Duration = Duration::from_secs(10);
const SEARCH_AGAIN: Duration = Duration::from_millis(250);
/// How often it is found out whether a batch that was given up is durable after all.
const WITHDRAW_AGAIN: Duration = Duration::from_secs(1);

/// Why a batch was not decided: nothing of it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BatchError {
    /// Nothing of it is kept.
    NotDurable,
    /// It could not be found out. What turns out to be durable later is withdrawn.
    MaybeDurable,
}

impl BatchError {
    /// Why a batch was not decided, if its commit was not asked for or was answered. What a file holds that
    /// turned out to be broken is found out at the next start.
    const fn of_failure(error: &Error) -> Self {
        match error {
            Error::Storage(StorageError::Broken(_)) => Self::MaybeDurable,
            _ => Self::NotDurable,
        }
    }
}

impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::NotDurable => Self::NotDurable,
            BatchError::MaybeDurable => Self::MaybeDurable,
        }
    }
}

/// The rulings of unknown commits: each may be durable.
#[derive(Default)]
struct UnansweredRulings(BTreeMap<CommandId, Ruling>);

/// Decides a batch; when this returns one, its rulings are durable, and so are the outcomes.
///
/// # Errors
/// [`BatchError`]; then nothing is known of its outcomes either.
pub(super) async fn decide_until_known(
    service: &Service,
    batch: &Batch,
) -> Result<DecidedBatch, BatchError> {
    let limits = (&*service.budget, &*service.refusals);
    let mut unanswered = UnansweredRulings::default();
    let (mut repeats, mut search) = (Repeats::default(), None);
    loop {
        let error = match (batch::decide_once(&service.base, limits, batch).await, &search) {
            (Ok(decided), None) => return Ok(decided),
            (Ok(DecidedBatch { rulings, written }), Some(_)) => {
                // The outcomes may have been written by the commit that was not answered.
                match outcomes::with_earlier(&service.base, &batch.outcomes, written).await {
                    Ok(written) => {
                        return Ok(DecidedBatch {
                            rulings: unanswered.recognize(rulings),
                            written,
                        });
                    }
                    Err(error) => {
                        unanswered.remember(rulings);
                        error
                    }
                }
            }
            (Err(AttemptError::Failed(error)), _) => {
                if repeats.allow(&error) {
                    continue;
                }
                error
            }
            (Err(AttemptError::CommitUnknown(decided, error)), _) => {
                unanswered.remember(decided.rulings);
                search.get_or_insert_with(|| Search::start(service.base.clock.monotonic()));
                error.into()
            }
        };
        let requests = batch.requests.len();
        let Some(search) = &mut search else {
            tracing::error!(error = ?error, requests, "a batch was not decided on");
            return Err(BatchError::of_failure(&error));
        };
        if !search.goes_on(service.base.clock.monotonic()) {
            tracing::error!(error = ?error, requests, "whether a batch is durable could not be found out");
            unanswered.withdraw_later(service);
            return Err(BatchError::MaybeDurable);
        }
        tracing::warn!(error = ?error, requests, "searching for an unknown commit");
        tokio::time::sleep(SEARCH_AGAIN).await;
    }
}

/// How often a batch was decided again because others were in the way.
#[derive(Default)]
struct Repeats(u8);

impl Repeats {
    /// Whether to decide once more, after this error.
    fn allow(&mut self, error: &Error) -> bool {
        let allowed = error.is_worth_repeating() && self.0 < REPEATS_MAX;
        self.0 += u8::from(allowed);
        allowed
    }
}

/// The search for an unknown commit: each attempt after it is one.
struct Search {
    searches: u32,
    /// On the monotonic clock.
    give_up_at: Duration,
}

impl Search {
    fn start(now: Duration) -> Self {
        Self { searches: 0, give_up_at: now.saturating_add(SEARCH_TIME_MAX) }
    }

    /// Whether to try once more.
    fn goes_on(&mut self, now: Duration) -> bool {
        if self.searches >= SEARCHES_MAX || now >= self.give_up_at {
            return false;
        }
        self.searches += 1;
        true
    }
}

impl UnansweredRulings {
    fn remember(&mut self, rulings: Vec<Ruling>) {
        for ruling in rulings {
            let command_id = match &ruling {
                Ruling::Send(order) => order.command.command_id,
                Ruling::Refused(refusal) => refusal.command.command_id,
                _ => continue,
            };
            self.0.insert(command_id, ruling);
        }
    }

    /// What looks like the repetition of an earlier request may be what an attempt before decided here. A
    /// command that the recovery has made `unknown` meanwhile is not sent any more.
    fn recognize(&mut self, rulings: Vec<Ruling>) -> Vec<Ruling> {
        let recognized = |ruling| match ruling {
            Ruling::Replayed(command) if is_as_decided(&command) => {
                self.0.remove(&command.command_id).unwrap_or(Ruling::Replayed(command))
            }
            other => other,
        };
        rulings.into_iter().map(recognized).collect()
    }

    /// Withdraws, in a task of its own, what turns out to be durable after all. It never left and never
    /// will, so it is cancelled, unless the recovery makes it `unknown` first.
    fn withdraw_later(self, service: &Service) {
        let orders: Vec<SendOrder> = self
            .0
            .into_values()
            .filter_map(|ruling| match ruling {
                Ruling::Send(order) => Some(*order),
                _ => None,
            })
            .collect();
        let (withdrawing, patience) = (service.clone(), service.base.settings.connector_timeout);
        service.tasks.spawn(async move {
            let attempts = patience.saturating_add(SEND_TIME).as_secs();
            for _ in 0..attempts {
                tokio::time::sleep(WITHDRAW_AGAIN).await;
                let now = withdrawing.base.clock.now();
                let outcomes = orders.iter().map(|order| withdrawn(&order.command, now));
                let outcomes: Vec<Outcome> = outcomes.collect();
                match outcomes::write(&withdrawing.base, &outcomes).await {
                    Ok(written) => outcomes::notify(&withdrawing, &outcomes, &written),
                    Err(error) => tracing::warn!(error = ?error, "nothing could be withdrawn"),
                }
            }
        });
    }
}

fn is_as_decided(command: &Command) -> bool {
    matches!(command.status, CommandStatus::Sending | CommandStatus::Refused)
}

fn withdrawn(command: &Command, now: Timestamp) -> Outcome {
    let mut after = command.clone();
    after.status = CommandStatus::Cancelled;
    after.causes = vec![Cause::NotSent(NotSent::CommitUnknown)];
    after.changed_at = command.next_moment(now);
    Outcome { from: command.status, command: after, check_at: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::commands::ruling::Refusal;

    #[test]
    fn only_a_broken_file_may_hold_what_was_not_decided() {
        let failures = [
            (StorageError::Broken("I/O error".into()), BatchError::MaybeDurable),
            (StorageError::Unavailable("locked".into()), BatchError::NotDurable),
            (StorageError::LostRace, BatchError::NotDurable),
        ];
        for (error, expected) in failures {
            assert_eq!(BatchError::of_failure(&Error::Storage(error)), expected);
        }
    }

    #[test]
    fn a_batch_is_repeated_eight_times_and_only_where_others_were_in_the_way() {
        let lost = Error::Storage(StorageError::LostRace);
        let away = Error::Storage(StorageError::Unavailable("away".into()));
        let mut repeats = Repeats::default();
        assert!(!repeats.allow(&away));
        assert_eq!((0..100).filter(|_| repeats.allow(&lost)).count(), 8);
    }

    #[test]
    fn what_an_unanswered_commit_kept_is_ours_unless_the_recovery_came_first() {
        let decided = Command::example(CommandStatus::Refused);
        let recovered = Command { status: CommandStatus::Unknown, ..decided.clone() };
        let recognized = |found: &Command| {
            let mut unanswered = UnansweredRulings::default();
            let refusal = Refusal { command: decided.clone(), rests_on: None };
            unanswered.remember(vec![Ruling::Refused(Box::new(refusal))]);
            unanswered.recognize(vec![Ruling::Replayed(Box::new(found.clone()))])
        };
        assert!(matches!(recognized(&decided)[..], [Ruling::Refused(_)]));
        assert!(matches!(recognized(&recovered)[..], [Ruling::Replayed(_)]));
    }

    #[test]
    fn an_unknown_commit_is_searched_for_as_often_and_as_long_as_is_said() {
        let mut search = Search::start(Duration::from_secs(1));
        let searches = (0..100).take_while(|_| search.goes_on(Duration::from_secs(2))).count();
        assert_eq!(searches, 20);
        let mut search = Search::start(Duration::from_secs(1));
        assert!(search.goes_on(Duration::from_millis(10_999)));
        assert!(!search.goes_on(Duration::from_secs(11)));
    }
}

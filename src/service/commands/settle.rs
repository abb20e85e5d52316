//! A batch of which it is not known whether its commit happened: the connection was lost between
//! the question and the answer. It is decided on again. Its idempotency keys make that conclusive:
//! a transaction that is still under way is waited for, one that happened is found, and one that
//! did not can never happen any more. What is found is this process's own to send, once, within the
//! time it had from the start (P4); nobody else sends it.

use std::collections::HashMap;
use std::time::Duration;

use super::batch::{self, Undecided, Written};
use super::outcomes;
use super::request::Batch;
use super::ruling::{Ruling, SendOrder};
use crate::domain::cause::{Cause, NotSent};
use crate::domain::command::{Command, CommandStatus, SEND_TIME};
use crate::domain::id::CommandId;
use crate::domain::time::Timestamp;
use crate::service::{Error, Service};
use crate::storage::commands::Change;

/// How often a batch is decided again because others were in the way.
const TRIES_MAX: u8 = 8;
/// How often, and on the monotonic clock how long, an unknown commit is looked for before those who
/// wait are told that nobody knows.
const LOOKS_MAX: u32 = 20;
const LOOK_TIME_MAX: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How often it is looked whether a batch that was given up is there after all.
const WITHDRAW_AGAIN: Duration = Duration::from_secs(1);

/// Why nothing is sent of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsettled {
    /// Nothing of it is kept.
    NotDurable,
    /// Nobody knows. What is found later is withdrawn.
    MaybeDurable,
}

impl From<Unsettled> for Error {
    fn from(unsettled: Unsettled) -> Self {
        match unsettled {
            Unsettled::NotDurable => Self::NotDurable,
            Unsettled::MaybeDurable => Self::MaybeDurable,
        }
    }
}

/// Rulings that may be durable.
#[derive(Default)]
struct UnconfirmedRulings(HashMap<CommandId, Ruling>);

/// Works off a batch, and finds out what became of it.
///
/// # Errors
/// [`Unsettled`]; then nothing is known of its outcomes either.
pub(super) async fn write(service: &Service, batch: &Batch) -> Result<Written, Unsettled> {
    let mut unconfirmed = UnconfirmedRulings::default();
    let (mut tries, mut looks) = (0, 0);
    let give_up_at = service.clock.monotonic().saturating_add(LOOK_TIME_MAX);
    loop {
        let error = match batch::write(service, batch).await {
            Ok(written) if looks == 0 => return Ok(written),
            Ok(Written { rulings, outcomes }) => {
                // The outcomes may have been written by the commit that was not answered.
                match outcomes::with_earlier(service, &batch.outcomes, outcomes).await {
                    Ok(outcomes) => {
                        return Ok(Written { rulings: unconfirmed.recognize(rulings), outcomes });
                    }
                    Err(error) => {
                        unconfirmed.remember(rulings);
                        error
                    }
                }
            }
            Err(Undecided::Failed(error)) if error.is_worth_repeating() && tries < TRIES_MAX => {
                tries += 1;
                continue;
            }
            Err(Undecided::Failed(error)) => error,
            Err(Undecided::Unknown(written, error)) => {
                unconfirmed.remember(written.rulings);
                looks += 1;
                error.into()
            }
        };
        let requests = batch.requests.len();
        if looks == 0 {
            tracing::error!(error = ?error, requests, "a batch was not decided on");
            return Err(Unsettled::NotDurable);
        }
        looks += 1;
        if looks >= LOOKS_MAX || service.clock.monotonic() >= give_up_at {
            tracing::error!(error = ?error, requests, "what was decided is not known");
            unconfirmed.withdraw_later(service);
            return Err(Unsettled::MaybeDurable);
        }
        tracing::warn!(error = ?error, requests, "looking for an unknown commit");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

impl UnconfirmedRulings {
    fn remember(&mut self, rulings: Vec<Ruling>) {
        for ruling in rulings {
            let command_id = match &ruling {
                Ruling::Send(order) => order.command.command_id,
                Ruling::Refused(command) => command.command_id,
                _ => continue,
            };
            self.0.insert(command_id, ruling);
        }
    }

    /// What looks like a repetition of somebody else's request may be what was decided here. One
    /// that another instance has taken over meanwhile is not sent any more.
    fn recognize(&mut self, rulings: Vec<Ruling>) -> Vec<Ruling> {
        let recognized = |ruling| match ruling {
            Ruling::Replayed(command) if is_as_decided(&command) => {
                self.0.remove(&command.command_id).unwrap_or(Ruling::Replayed(command))
            }
            other => other,
        };
        rulings.into_iter().map(recognized).collect()
    }

    /// Whatever of it turns out to be durable never left and never will: it is withdrawn, as long
    /// as the recovery does not call it unknown.
    fn withdraw_later(self, service: &Service) {
        let orders: Vec<SendOrder> = self
            .0
            .into_values()
            .filter_map(|ruling| match ruling {
                Ruling::Send(order) => Some(*order),
                _ => None,
            })
            .collect();
        let (withdrawing, patience) = (service.clone(), service.settings.connector_timeout);
        service.tasks.spawn(async move {
            let attempts = patience.saturating_add(SEND_TIME).as_secs();
            for _ in 0..attempts {
                tokio::time::sleep(WITHDRAW_AGAIN).await;
                let now = withdrawing.clock.now();
                let changes = orders.iter().map(|order| withdrawn(&order.command, now));
                let changes: Vec<Change> = changes.collect();
                match outcomes::write(&withdrawing, &changes).await {
                    Ok(written) => outcomes::tell(&withdrawing, &changes, &written),
                    Err(error) => tracing::warn!(error = ?error, "nothing could be withdrawn"),
                }
            }
        });
    }
}

fn is_as_decided(command: &Command) -> bool {
    matches!(command.status, CommandStatus::Sending | CommandStatus::Refused)
}

fn withdrawn(command: &Command, now: Timestamp) -> Change {
    let mut after = command.clone();
    after.status = CommandStatus::Cancelled;
    after.causes = vec![Cause::NotSent(NotSent::CommitUnknown)];
    after.changed_at = command.next_moment(now);
    Change { from: command.status, command: after, check_at: None }
}

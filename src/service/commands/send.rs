//! Sending one command, once, in a task of its own: a client that hangs up cancels nothing.

use std::sync::Arc;
use std::time::Duration;

use super::outcomes::OutcomeQueue;
use super::ruling::SendOrder;
use crate::connector::{Acknowledgement, ConnectorError, Happened};
use crate::domain::cause::{Cause, NotSent};
use crate::domain::command::{Command, CommandStatus, Evidence};
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::service::budget::Purpose;
use crate::service::connections::{CloudToken, faults};
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Error, Service};
use crate::storage::commands::Outcome;

/// The first check of the car after an acknowledgement or an unknown outcome.
const FIRST_CHECK: Duration = Duration::from_secs(2);
/// The consent is gone, which is known without asking the cloud.
const CONSENT_LOST: Cause = Cause::Connector { fault: Fault::ConsentLost, code: None };

/// Starts the task that sends a command.
pub(super) fn spawn(service: &Service, outcomes: &OutcomeQueue, order: SendOrder) {
    let (service, outcomes) = (service.clone(), outcomes.clone());
    let tasks = service.tasks.clone();
    tasks.spawn(async move {
        let (sent, token) = attempt(&service, &order).await;
        failpoint::reached(Failpoint::SendAnswered);
        let about_consent = sent.about_consent().zip(token);
        if let Some(((error, Heed::BeforeOutcome), token)) = &about_consent {
            drop(faults::handle(&service, &order.vehicle, token, error).await);
        }
        // A read that was under way meanwhile may have seen the car as it was before.
        service.readings.forget(order.command.vehicle_id);
        outcomes.submit(outcome(&order.command, &sent, service.base.clock.now())).await;
        if let Some(((error, Heed::AfterOutcome), token)) = &about_consent {
            drop(faults::handle(&service, &order.vehicle, token, error).await);
        }
    });
}

/// When the service heeds what a failure says about the owner's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heed {
    BeforeOutcome,
    AfterOutcome,
}

/// What became of the one attempt.
#[derive(Debug)]
enum Sent {
    Acknowledged,
    Failed(ConnectorError),
    /// It did not leave in time, and never will.
    TooLate,
    /// The owner's consent is gone, or its tokens cannot be read: it never left.
    NoToken(Cause),
}

impl Sent {
    /// What the cloud's answer means, which came at the deadline or later if `is_late`.
    fn of(answer: Result<Acknowledgement, ConnectorError>, is_late: bool) -> Self {
        match answer {
            Ok(Acknowledgement { .. }) => Self::Acknowledged,
            Err(error) if error.happened == Happened::NotSent && is_late => Self::TooLate,
            Err(error) => Self::Failed(error),
        }
    }

    /// The answer of a cloud that did not accept the access token, and did nothing.
    fn refused_token(&self) -> Option<&ConnectorError> {
        let refused = |error: &&ConnectorError| {
            error.fault == Fault::Authentication && error.happened == Happened::Refused
        };
        self.error().filter(refused)
    }

    /// The answer of a cloud that no longer lets the owner's cars be used. An account that is refused suspends the
    /// car before the outcome is written. A permission that is said to be missing is looked up, which may take the
    /// cloud as long as the command: afterwards.
    fn about_consent(&self) -> Option<(&ConnectorError, Heed)> {
        let error = self.error()?;
        match error.fault {
            Fault::Account => Some((error, Heed::BeforeOutcome)),
            Fault::Permission | Fault::ConsentLost => Some((error, Heed::AfterOutcome)),
            _ => None,
        }
    }

    const fn error(&self) -> Option<&ConnectorError> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Acknowledged | Self::TooLate | Self::NoToken(_) => None,
        }
    }
}

/// The one attempt, and the right by which it was made.
async fn attempt(service: &Service, order: &SendOrder) -> (Sent, Option<Arc<CloudToken>>) {
    let vehicle_id = order.command.vehicle_id;
    let purpose = Purpose::from(order.command.action());
    let (spender, now) = (order.command.grant_id.into(), service.base.clock.monotonic());
    let within = service.budget.take(vehicle_id, spender, 1, purpose, now);
    if let Err(Error::Connector(error)) = within {
        return (Sent::Failed(*error), None);
    }
    service.readings.forget(vehicle_id);
    let connection_id = order.vehicle.connection_id;
    let token = match service.access_tokens.get(service, connection_id).await {
        Ok(token) => token,
        Err(Error::Connector(error)) => return (Sent::Failed(error.before_sending()), None),
        Err(Error::State(_)) => return (Sent::NoToken(CONSENT_LOST), None),
        Err(error) => {
            tracing::error!(error = ?error, command_id = %order.command.command_id, "no access token");
            return (Sent::NoToken(Cause::NotSent(NotSent::AccessTokenUnavailable)), None);
        }
    };
    failpoint::reached(Failpoint::SendToken);
    let sent = transmit(service, order, &token).await;
    let Some(error) = sent.refused_token() else { return (sent, Some(token)) };
    // A token that is not accepted means that nothing was done: one repetition with a new
    // one, within the same time to leave, is still at most one that can have an effect (P4).
    match faults::handle(service, &order.vehicle, &token, error).await {
        Some(fresh) => (transmit(service, order, &fresh).await, Some(fresh)),
        None => (sent, None),
    }
}

/// Keep the look at the clock right before the request: it is what [`crate::domain::command::SEND_TIME`]
/// and a drained revocation rest on.
async fn transmit(service: &Service, order: &SendOrder, token: &Arc<CloudToken>) -> Sent {
    if is_late(&service.base, order) {
        return Sent::TooLate;
    }
    failpoint::reached(Failpoint::SendChecked);
    let vehicle = &order.vehicle.provider_vehicle_id;
    let Command { instruction, command_id, .. } = &order.command;
    let sending =
        service.connector.send(&token.access, vehicle, instruction, *command_id, order.deadline);
    let answer = sending.await;
    if let Ok(Acknowledgement { provider_request_id }) = &answer {
        tracing::debug!(%command_id, provider_request_id, "acknowledged");
    }
    Sent::of(answer, is_late(&service.base, order))
}

fn is_late(base: &Base, order: &SendOrder) -> bool {
    base.clock.monotonic() >= order.deadline
}

/// The outcome of the command that follows from the attempt.
fn outcome(command: &Command, sent: &Sent, now: Timestamp) -> Outcome {
    let mut command = command.clone();
    let from = command.status;
    command.changed_at = command.next_moment(now);
    match sent {
        Sent::Acknowledged => {
            command.status = CommandStatus::Acknowledged;
            command.evidence = Evidence::ProviderAck;
        }
        Sent::TooLate => {
            command.status = CommandStatus::Expired;
            command.causes = vec![Cause::NotSent(NotSent::TooLate)];
        }
        Sent::NoToken(cause) => {
            command.status = CommandStatus::Failed;
            command.causes = vec![cause.clone()];
        }
        Sent::Failed(error) => {
            command.status = match error.happened {
                Happened::NotSent | Happened::Refused => CommandStatus::Failed,
                Happened::Maybe => CommandStatus::Unknown,
            };
            let (fault, code) = (error.fault, error.provider_code.clone());
            command.causes = vec![Cause::Connector { fault, code }];
            command.user_message = error.user_message.clone();
            command.retry_after_ms =
                error.retry_after.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
            tracing::warn!(command_id = %command.command_id, error = %error, "a command was not acknowledged");
        }
    }
    let check_at = (!command.status.is_terminal()).then(|| now.plus(FIRST_CHECK));
    Outcome { from, command, check_at }
}

#[cfg(test)]
#[path = "send_test.rs"]
mod tests;

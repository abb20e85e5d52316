//! Sending one command, once, in a task of its own: a client that hangs up cancels nothing.

use std::sync::Arc;
use std::time::Duration;

use super::batch::SendOrder;
use super::outcomes::Outcomes;
use crate::connector::{Acknowledgement, ConnectorError, Fault, Happened};
use crate::domain::command::{Command, CommandStatus, Evidence};
use crate::domain::time::Timestamp;
use crate::service::connections::AccessToken;
use crate::service::{Error, Service};
use crate::storage::commands::Change;

/// The first look at the car after an acknowledgement or an unknown outcome.
const FIRST_CHECK: Duration = Duration::from_secs(2);

/// Starts the task that sends a command.
pub(super) fn spawn(service: &Service, outcomes: &Outcomes, order: SendOrder) {
    let (service, outcomes) = (service.clone(), outcomes.clone());
    let tasks = service.tasks.clone();
    tasks.spawn(async move {
        let sent = attempt(&service, &order).await;
        outcomes.submit(change(&order.command, &sent, service.clock.now())).await;
    });
}

/// What became of the one attempt.
#[derive(Debug)]
enum Sent {
    Acknowledged,
    Failed(ConnectorError),
    /// It did not leave in time, and never will.
    TooLate,
    /// The owner's consent is gone, or its tokens cannot be read: it never left.
    NoToken(&'static str),
}

async fn attempt(service: &Service, order: &SendOrder) -> Sent {
    let token = match service.access_tokens.get(service, order.connection_id).await {
        Ok(token) => token,
        Err(Error::Connector(error)) => return Sent::Failed(*error),
        Err(Error::State(_)) => return Sent::NoToken("consent_lost"),
        Err(error) => {
            tracing::error!(error = ?error, command_id = %order.command.command_id, "no access token");
            return Sent::NoToken("access_token_unavailable");
        }
    };
    match transmit(service, order, &token).await {
        // A token that is not accepted means that nothing was done: one repetition with a new
        // one, within the same time to leave, is still at most one send that counts (P4).
        Sent::Failed(error) if is_refused_token(&error) => {
            let tokens = &service.access_tokens;
            match tokens.notice(service, order.connection_id, &token, &error).await {
                Some(fresh) => transmit(service, order, &fresh).await,
                None => Sent::Failed(error),
            }
        }
        sent => sent,
    }
}

fn is_refused_token(error: &ConnectorError) -> bool {
    error.fault == Fault::Authentication && error.happened == Happened::Refused
}

/// Keep the look at the clock right before the request: it is what [`crate::domain::command::SEND_TIME`]
/// and a drained revocation rest on.
async fn transmit(service: &Service, order: &SendOrder, token: &Arc<AccessToken>) -> Sent {
    if service.clock.monotonic() >= order.send_by {
        return Sent::TooLate;
    }
    let vehicle = &order.provider_vehicle_id;
    match service.connector.send(&token.access_token, vehicle, order.command.action).await {
        Ok(Acknowledgement { provider_request_id }) => {
            tracing::debug!(command_id = %order.command.command_id, provider_request_id, "acknowledged");
            Sent::Acknowledged
        }
        Err(error) => Sent::Failed(error),
    }
}

/// The step that the attempt's result means for the command.
fn change(command: &Command, sent: &Sent, now: Timestamp) -> Change {
    let mut command = command.clone();
    let from = command.status;
    command.changed_at = now;
    match sent {
        Sent::Acknowledged => {
            command.status = CommandStatus::Acknowledged;
            command.evidence = Evidence::ProviderAck;
        }
        Sent::TooLate => {
            command.status = CommandStatus::Expired;
            command.reasons = vec!["not_sent_in_time".to_owned()];
        }
        Sent::NoToken(reason) => {
            command.status = CommandStatus::Failed;
            command.reasons = vec![(*reason).to_owned()];
        }
        Sent::Failed(error) => {
            command.status = match error.happened {
                Happened::NotSent | Happened::Refused => CommandStatus::Failed,
                Happened::Maybe => CommandStatus::Unknown,
            };
            command.reasons = reasons(error);
            command.user_message = error.user_message.clone();
            command.retry_after_ms =
                error.retry_after.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
            tracing::warn!(command_id = %command.command_id, error = %error, "a command was not acknowledged");
        }
    }
    let check_at = (!command.status.is_terminal()).then(|| now.plus(FIRST_CHECK));
    Change { from, command, check_at }
}

/// Our word for what went wrong, then the cloud's own.
fn reasons(error: &ConnectorError) -> Vec<String> {
    let word = match error.fault {
        Fault::Unavailable => "connector_unavailable",
        Fault::TimedOut => "connector_timed_out",
        Fault::Garbled => "connector_garbled",
        Fault::Authentication | Fault::ConsentLost => "consent_lost",
        Fault::Permission => "permission_missing",
        Fault::Account => "account_needs_attention",
        Fault::VehicleState => "vehicle_unreachable",
        Fault::NotCapable => "not_capable",
        Fault::RateLimited => "rate_limited",
        Fault::Upstream => "upstream_failed",
        Fault::Rejected => "connector_rejected",
        Fault::Billing => "connector_billing",
    };
    std::iter::once(word.to_owned()).chain(error.provider_code.clone()).collect()
}

//! One request for a command: has it decided, and waits for the outcome as long as the client
//! wants to.

use std::time::Duration;

use tokio::sync::oneshot;

use super::is_in_flight;
use super::request::{CommandRequest, Reply};
use crate::domain::access::Sought;
use crate::domain::command::Command;
use crate::domain::id::{CommandId, OrganizationId};
use crate::service::failpoint::{self, Failpoint};
use crate::service::pace::Lane;
use crate::service::{Base, Error, Service};
use crate::storage::commands;

/// Another instance may be sending: its outcome is looked for in the database this often.
const POLL_AGAIN: Duration = Duration::from_millis(250);

/// What became of a request.
#[derive(Debug)]
pub struct Dispatched {
    /// The command as it is now.
    pub command: Command,
    /// Whether it was asked for before with the same key.
    pub replayed: bool,
}

/// Has a command decided on, sent if it is allowed, and waits for its outcome up to `wait`.
///
/// # Errors
/// [`Error::NotFound`] for a car or grant that is not there for the caller, [`Error::KeyReused`],
/// [`Error::Throttled`], [`Error::Overloaded`]. A refusal by the policy is a command with the status `refused`;
/// one of many in a minute is [`Error::Refused`], without a command.
pub async fn dispatch(
    service: &Service,
    request: CommandRequest,
    wait: Duration,
) -> Result<Dispatched, Error> {
    let organization_id = request.caller.actor.organization_id;
    let lane = request.instruction.action().into();
    let reply = match service.base.pace.admit_use(request.used(), lane) {
        Ok(()) => service.gate.submit(request, service.base.clock.monotonic()).await?,
        Err(throttled) => {
            let reply = replay(&service.base, &request).await?.ok_or(throttled)?;
            if let Some(shown) = &request.token {
                shown.counts(&service.base, request.used(), Lane::Show).await?;
            }
            reply
        }
    };
    match reply {
        Reply::Sending(command, outcome) => {
            let command = outcome_of(service, organization_id, command, outcome, wait).await;
            failpoint::reached(Failpoint::DispatchAnswers);
            Ok(Dispatched { command, replayed: false })
        }
        Reply::Refused(command) => Ok(Dispatched { command, replayed: false }),
        Reply::Replayed(command) => {
            let command = follow(service, organization_id, command, wait).await?;
            Ok(Dispatched { command, replayed: true })
        }
    }
}

/// What becomes of a command that this process sends, or the command as it was sent if nothing is known in time.
async fn outcome_of(
    service: &Service,
    organization_id: OrganizationId,
    sent: Command,
    outcome: oneshot::Receiver<Command>,
    wait: Duration,
) -> Command {
    let known = tokio::time::timeout(wait, async {
        match outcome.await {
            Ok(done) => Ok(done),
            // It was written elsewhere, or the sender is gone and the recovery will write it.
            Err(_) => follow(service, organization_id, sent.clone(), wait).await,
        }
    });
    match known.await {
        Ok(Ok(command)) => command,
        Ok(Err(error)) => {
            tracing::warn!(error = ?error, command_id = %sent.command_id, "what became of a command was not read");
            sent
        }
        Err(_) => sent,
    }
}

/// What was decided on the same request before: whoever repeats it must learn what became of it, however often
/// they have asked.
async fn replay(base: &Base, request: &CommandRequest) -> Result<Option<Reply>, Error> {
    let key = (request.caller.principal_id(), request.idempotency_key.as_str());
    let mut reader = base.store.read_urgent().await?;
    match commands::find_by_key(&mut reader, key).await? {
        None => Ok(None),
        Some(known) if known.request_hash != request.hash() => Err(Error::KeyReused),
        Some(known) => Ok(Some(Reply::Replayed(known.command))),
    }
}

/// Waits until a command that somebody else sent is no longer in flight.
async fn follow(
    service: &Service,
    organization_id: OrganizationId,
    mut command: Command,
    wait: Duration,
) -> Result<Command, Error> {
    let _pruning = service.waiters.prune_later(command.command_id);
    let waited = tokio::time::timeout(wait, async {
        while is_in_flight(&command) {
            let outcome = service.waiters.register(command.command_id);
            // The outcome may have been written before the registration.
            command = reread(&service.base, organization_id, command.command_id).await?;
            if is_in_flight(&command)
                && let Ok(Ok(done)) = tokio::time::timeout(POLL_AGAIN, outcome).await
            {
                command = done;
            }
        }
        Ok::<_, Error>(())
    })
    .await;
    if let Ok(finished) = waited {
        finished?;
    }
    Ok(command)
}

async fn reread(
    base: &Base,
    organization_id: OrganizationId,
    command_id: CommandId,
) -> Result<Command, Error> {
    let mut reader = base.store.read_urgent().await?;
    let found = commands::find(&mut reader, organization_id, command_id).await?;
    found.ok_or(Error::NotFound(Sought::VEHICLE_OR_GRANT))
}

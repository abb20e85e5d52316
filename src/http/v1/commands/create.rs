//! `POST /v1/commands`: asking a car to do something.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CommandBody;
use crate::domain::cause::Cause;
use crate::domain::command::{Command, CommandStatus, Known};
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::instruction::{Action, ChargeLimit, Instruction};
use crate::domain::policy::Reason;
use crate::domain::reading::Coordinates;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, Decided, IdempotencyKey, TokenCaller, Wait};
use crate::http::problem::{Code, Problem};
use crate::http::v1::mark;
use crate::service::commands::{self, CommandRequest, Dispatched};
use crate::service::{Error, vehicles};
use crate::signing::digest;
use crate::signing::grant_token::GrantClaims;

/// What to ask of which car.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateCommand {
    /// The car.
    vehicle_id: VehicleId,
    /// `lock`, `unlock`, `start_charge`, `stop_charge`, `set_charge_limit` or `set_destination`.
    action: Action,
    /// For `set_charge_limit`, and only for it: the level at which charging ends, a whole
    /// percentage from 0.5 to 1.
    #[schema(minimum = 0.5, maximum = 1.0)]
    limit: Option<f64>,
    /// For `set_destination`, and only for it: degrees, positive to the north.
    #[schema(minimum = -90.0, maximum = 90.0)]
    latitude: Option<f64>,
    /// For `set_destination`, and only for it: degrees, positive to the east.
    #[schema(minimum = -180.0, maximum = 180.0)]
    longitude: Option<f64>,
    /// The grant to use; not needed with a grant token or for one's own car. Without it the best
    /// of one's grants is used.
    grant_id: Option<GrantId>,
}

/// What the car is to be told, if the request has what the action needs and nothing else.
fn instruction(request: &CreateCommand) -> Result<Instruction, Error> {
    let CreateCommand { action, limit, latitude, longitude, .. } = request;
    let required = |field: &str| Error::invalid(field, "required", "is needed for this action");
    let takes = |field: &str, taken: bool, given: &Option<f64>| match (taken, given) {
        (false, Some(_)) => {
            Err(Error::invalid(field, "unknown_field", "does not belong to this action"))
        }
        _ => Ok(()),
    };
    takes("/limit", *action == Action::SetChargeLimit, limit)?;
    takes("/latitude", *action == Action::SetDestination, latitude)?;
    takes("/longitude", *action == Action::SetDestination, longitude)?;
    Ok(match action {
        Action::Lock => Instruction::Lock,
        Action::Unlock => Instruction::Unlock,
        Action::StartCharge => Instruction::StartCharge,
        Action::StopCharge => Instruction::StopCharge,
        Action::SetChargeLimit => {
            let fraction = limit.ok_or_else(|| required("/limit"))?;
            let limit = ChargeLimit::from_fraction(fraction)
                .map_err(|why| Error::invalid("/limit", "out_of_range", why))?;
            Instruction::SetChargeLimit(limit)
        }
        Action::SetDestination => {
            let latitude = latitude.ok_or_else(|| required("/latitude"))?;
            let longitude = longitude.ok_or_else(|| required("/longitude"))?;
            let place = Coordinates::new(latitude, longitude).ok_or_else(|| {
                Error::invalid("/latitude", "out_of_range", "must be a place on earth")
            })?;
            Instruction::SetDestination(place)
        }
    })
}

/// Ask a car to do something, with a session, a grant token, or an API client for somebody.
///
/// 200 says that the car's maker took it; 202 that it may have happened, or still may, and where to look;
/// a problem that it did not happen, or that the car was seen in another state, with the command in `command`.
#[utoipa::path(post, path = "/v1/commands", operation_id = "commands.create", tag = "commands",
    security(("session" = []), ("api_client" = ["commands:write"]), ("grant_token" = [])),
    request_body = CreateCommand,
    params(
        ("Idempotency-Key" = IdempotencyKey, Header, description = "Required. Repeats give the same answer and never act twice."),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: how many seconds to wait for the outcome; 10 if not given, 60 at most."),
    ),
    responses(
        (status = 200, description = "It was done, as far as the car's maker says or the car was seen.", body = CommandBody),
        (status = 202, description = "It is not known whether it happened.", body = CommandBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Decided(caller): Decided,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Wait(wait): Wait,
    body: ApiJson<CreateCommand>,
) -> Result<Response, Problem> {
    let instruction = instruction(&body.value)?;
    let CreateCommand { vehicle_id, action, grant_id, .. } = body.value;
    let service = &gateway.service;
    let mut asked_hash = body.hash;
    let shown = caller.token();
    let (caller, user_id, grant_id) = match caller {
        TokenCaller::SignedIn(caller) => {
            vehicles::choose_grant(&service.base, &caller, vehicle_id, action.into(), grant_id)
                .await?
        }
        TokenCaller::Holder(caller, token, _) => {
            // A token speaks for its own grant alone.
            if grant_id.is_some_and(|named| named != token.claims().grant_id) {
                return Err(Error::Refused(vec![Reason::NotTheGrantee]).into());
            }
            let GrantClaims { grant_id, grantee_id, .. } = token.claims();
            // The same body with another of the person's tokens is another request.
            asked_hash =
                digest::sha256(&[&asked_hash, &grant_id.as_uuid().as_bytes()[..]].concat());
            (caller, *grantee_id, Some(*grant_id))
        }
    };
    let request = CommandRequest {
        caller,
        user_id,
        vehicle_id,
        grant_id,
        token: shown,
        instruction,
        idempotency_key,
        asked_hash,
    };
    let dispatched = commands::dispatch(service, request, wait).await?;
    let replayed = dispatched.replayed;
    Ok(mark(answer(dispatched).unwrap_or_else(IntoResponse::into_response), replayed))
}

fn answer(dispatched: Dispatched) -> Result<Response, Problem> {
    let command = dispatched.command;
    if let Some(reasons) = command.refusal() {
        return Err(Error::Refused(reasons.to_vec()).into());
    }
    let location = format!("/v1/commands/{}", command.command_id);
    let status = match command.status.known() {
        Known::Done => StatusCode::OK,
        Known::Open => StatusCode::ACCEPTED,
        Known::NotDone => return Err(not_done(command)),
    };
    let mut response = (status, Json(CommandBody::from(command))).into_response();
    if let (StatusCode::ACCEPTED, Ok(location)) = (status, HeaderValue::from_str(&location)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// That a command did not happen, or that the car was seen in another state afterwards.
fn not_done(command: Command) -> Problem {
    let problem = match (command.status, command.causes.first()) {
        (CommandStatus::Contradicted, _) => Problem::of(Code::CommandContradicted),
        (CommandStatus::Failed, Some(Cause::Connector { fault, code })) => {
            Problem::of_fault(*fault, code.as_ref())
        }
        _ => Problem::of(Code::CommandNotSent),
    };
    let wait = command.retry_after_now_ms().and_then(|wait| u64::try_from(wait).ok());
    let sentence = command.sentence().map(str::to_owned);
    let title = problem.code().entry().title;
    let problem = problem
        .detail(format!(
            "{title}. Ask again with another `Idempotency-Key`: the same one gets this answer."
        ))
        .of_command(&CommandBody::from(command), sentence.as_deref());
    match wait {
        Some(wait) => problem.retry_after(Duration::from_millis(wait)),
        None => problem,
    }
}

#[cfg(test)]
#[path = "create_test.rs"]
mod tests;

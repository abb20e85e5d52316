//! `POST /v1/commands`: asking a car to do something.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CommandBody;
use crate::domain::command::{Action, CommandStatus};
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::policy::Reason;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, Commander, IdempotencyKey, Wait};
use crate::http::problem::Problem;
use crate::http::v1::mark;
use crate::service::Error;
use crate::service::commands::{self, DispatchCommand, Dispatched};

/// What to ask of which car.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateCommand {
    /// The car.
    #[schema(value_type = String, example = "veh_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    vehicle_id: VehicleId,
    /// `lock` or `unlock`.
    #[schema(value_type = String, example = "unlock")]
    action: Action,
    /// The grant to use; not needed with a grant token or for one's own car. Without it the best
    /// of one's grants is used.
    #[schema(value_type = Option<String>, example = "grt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    grant_id: Option<GrantId>,
}

/// Ask a car to lock or unlock, with a session, a grant token, or a machine for somebody.
///
/// 200 tells the outcome; 202 says that it is not known yet and where to look.
#[utoipa::path(post, path = "/v1/commands", operation_id = "commands.create", tag = "commands",
    security(("session" = []), ("api_client" = ["commands:write"]), ("grant_token" = [])),
    request_body = CreateCommand,
    params(
        ("Idempotency-Key" = String, Header, description = "Required. Repeats give the same answer and never act twice."),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: how many seconds to wait for the outcome; 10 if not given, 60 at most."),
    ),
    responses(
        (status = 200, description = "The command and its outcome.", body = CommandBody),
        (status = 202, description = "The outcome is not known yet.", body = CommandBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    commander: Commander,
    IdempotencyKey(idempotency_key): IdempotencyKey,
    Wait(wait): Wait,
    body: ApiJson<CreateCommand>,
) -> Result<Response, Problem> {
    let CreateCommand { vehicle_id, action, grant_id } = body.value;
    let service = &gateway.service;
    let (caller, user_id, grant_id) = match commander {
        Commander::SignedIn(caller) => {
            commands::choose_grant(service, &caller, vehicle_id, action, grant_id).await?
        }
        Commander::Holder(caller, token) => {
            // A token speaks for its own grant alone.
            if grant_id.is_some_and(|named| named != token.claims().grant_id) {
                return Err(Error::Refused(vec![Reason::NotTheGrantee]).into());
            }
            (caller, token.claims().grantee_id, Some(token.claims().grant_id))
        }
    };
    let request = DispatchCommand {
        caller,
        user_id,
        vehicle_id,
        grant_id,
        action,
        idempotency_key,
        request_hash: body.hash,
    };
    let dispatched = commands::dispatch(service, request, wait).await?;
    let replayed = dispatched.replayed;
    Ok(mark(answer(dispatched)?, replayed))
}

fn answer(dispatched: Dispatched) -> Result<Response, Problem> {
    if let Some(reasons) = dispatched.refusal() {
        return Err(Error::Refused(reasons).into());
    }
    let command = dispatched.command;
    let location = format!("/v1/commands/{}", command.command_id);
    let status = if command.status == CommandStatus::Sending {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let mut response = (status, Json(CommandBody::from(command))).into_response();
    if let (StatusCode::ACCEPTED, Ok(location)) = (status, HeaderValue::from_str(&location)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

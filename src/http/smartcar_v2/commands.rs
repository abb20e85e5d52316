//! `POST /v2.0/vehicles/{id}/…`: what a car is told. Every one goes through the gate.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::answer::{Refusal, success};
use super::holder::{Holder, HolderOfVehicle};
use crate::domain::cause::Cause;
use crate::domain::command::{Command, CommandStatus, SEND_TIME};
use crate::domain::fault::Fault;
use crate::domain::instruction::{ChargeLimit, Instruction};
use crate::domain::reading::Coordinates;
use crate::http::Gateway;
use crate::http::extract::IdempotencyKey;
use crate::service::commands::{self, CommandRequest};
use crate::signing::digest;
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::commands::{DestinationRequest, LimitRequest};
use crate::smartcar::v2::{ActionAnswer, ActionRequest, ChargeAction, SecurityAction};

/// Beyond the command's time to leave and the cloud's to answer; the SDKs wait 310 s.
const WAIT_MARGIN: Duration = Duration::from_secs(5);

/// Smartcar's lock and unlock.
#[utoipa::path(post, path = "/v2.0/vehicles/{id}/security", operation_id = "smartcar_v2.security",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    request_body(content = Object, description = "`{\"action\": \"LOCK\"}` or `{\"action\": \"UNLOCK\"}`."),
    responses((status = 200, description = "The vehicle cloud took it.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn security(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked =
        read(&holder, &body, r#"The body must be {"action":"LOCK"} or {"action":"UNLOCK"}."#);
    let instruction = match asked? {
        ActionRequest { action: SecurityAction::Lock } => Instruction::Lock,
        ActionRequest { action: SecurityAction::Unlock } => Instruction::Unlock,
    };
    dispatch(&gateway, &holder, key, &body, instruction).await
}

/// Smartcar's start and stop of charging.
#[utoipa::path(post, path = "/v2.0/vehicles/{id}/charge", operation_id = "smartcar_v2.charge",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    request_body(content = Object, description = "`{\"action\": \"START\"}` or `{\"action\": \"STOP\"}`."),
    responses((status = 200, description = "The vehicle cloud took it.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn charge(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked =
        read(&holder, &body, r#"The body must be {"action":"START"} or {"action":"STOP"}."#);
    let instruction = match asked? {
        ActionRequest { action: ChargeAction::Start } => Instruction::StartCharge,
        ActionRequest { action: ChargeAction::Stop } => Instruction::StopCharge,
    };
    dispatch(&gateway, &holder, key, &body, instruction).await
}

/// Smartcar's limit of charging.
#[utoipa::path(post, path = "/v2.0/vehicles/{id}/charge/limit", operation_id = "smartcar_v2.charge_limit",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    request_body(content = Object, description = "`{\"limit\": 0.8}`, a whole percentage from 0.5 to 1; one SDK sends it as a text."),
    responses((status = 200, description = "The vehicle cloud took it.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn charge_limit(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let why = r#"The body must be {"limit":0.8} with a whole percentage from 0.5 to 1."#;
    let LimitRequest { limit } = read(&holder, &body, why)?;
    let limit = ChargeLimit::from_fraction(limit).map_err(|_| invalid(&holder, why))?;
    dispatch(&gateway, &holder, key, &body, Instruction::SetChargeLimit(limit)).await
}

/// Smartcar's destination of the navigation.
#[utoipa::path(post, path = "/v2.0/vehicles/{id}/navigation/destination", operation_id = "smartcar_v2.destination",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    request_body(content = Object, description = "`{\"latitude\": 47.6, \"longitude\": -122.3}`."),
    responses((status = 200, description = "The vehicle cloud took it.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn destination(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let why = r#"The body must be {"latitude":…,"longitude":…} and name a place on earth."#;
    let DestinationRequest { latitude, longitude } = read(&holder, &body, why)?;
    let place = Coordinates::new(latitude, longitude).ok_or_else(|| invalid(&holder, why))?;
    dispatch(&gateway, &holder, key, &body, Instruction::SetDestination(place)).await
}

fn invalid(holder: &Holder, why: &str) -> Refusal {
    Refusal::of("VALIDATION", None).describing(why).named(&holder.request_id)
}

/// The body, if it is an object: `serde` would also read one from an array, by position.
fn read<T: DeserializeOwned>(holder: &Holder, body: &[u8], why: &str) -> Result<T, Refusal> {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let read = serde_json::from_slice(body).ok().filter(|_| is_object);
    read.ok_or_else(|| invalid(holder, why))
}

async fn dispatch(
    gateway: &Gateway,
    holder: &Holder,
    key: Option<IdempotencyKey>,
    body: &[u8],
    instruction: Instruction,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let service = &gateway.service;
    // The SDKs send no key and never repeat a request by themselves: each one is new.
    let idempotency_key =
        key.map_or_else(|| format!("smartcar_v2:{}", holder.request_id), |key| key.0);
    // The same body means different things at different paths, and for different grants.
    let grant_id = holder.token.claims().grant_id;
    let action = instruction.action().as_str().as_bytes();
    let hashed = [action, b" ", grant_id.as_uuid().as_bytes(), body].concat();
    let request = CommandRequest {
        caller: holder.caller.clone(),
        user_id: holder.token.claims().grantee_id,
        vehicle_id: holder.token.claims().vehicle_id,
        grant_id: Some(grant_id),
        token: Some(holder.shown),
        instruction,
        idempotency_key,
        asked_hash: digest::sha256(&hashed),
    };
    let wait = SEND_TIME
        .saturating_add(service.base.settings.connector_timeout)
        .saturating_add(WAIT_MARGIN);
    let dispatched = commands::dispatch(service, request, wait).await;
    let dispatched = dispatched.map_err(|error| named(error.into()))?;
    if let Some(reasons) = dispatched.command.refusal() {
        return Err(named(Refusal::denied(reasons)));
    }
    match failure(&dispatched.command) {
        None => Ok(success(&holder.request_id, &ActionAnswer::success(), None, None)),
        Some(refusal) => Err(named(refusal)),
    }
}

/// What an SDK is told of a command that the cloud did not acknowledge. What may have happened is
/// `UPSTREAM/NO_RESPONSE`, after which its documentation asks to read the state first.
fn failure(command: &Command) -> Option<Refusal> {
    let refusal = match command.status {
        CommandStatus::Acknowledged | CommandStatus::Confirmed | CommandStatus::Unconfirmed => {
            return None;
        }
        CommandStatus::Failed => {
            command.causes.first().map_or_else(|| Refusal::new(ErrorKind::ServerInternal), of_cause)
        }
        CommandStatus::Refused
        | CommandStatus::Sending
        | CommandStatus::Unknown
        | CommandStatus::Contradicted
        | CommandStatus::Unresolved => Refusal::of("UPSTREAM", Some("NO_RESPONSE")),
        CommandStatus::Cancelled | CommandStatus::Expired => {
            Refusal::new(ErrorKind::ServerInternal)
        }
    };
    let refusal = refusal.with_retry_after_ms(command.retry_after_now_ms());
    Some(match command.sentence() {
        Some(message) => refusal.with_user_message(Some(message.to_owned())),
        None => refusal,
    })
}

/// Why a command provably did not happen: in the cloud's own words, where these are documented.
fn of_cause(cause: &Cause) -> Refusal {
    match cause {
        Cause::Refused(reasons) => Refusal::denied(reasons),
        Cause::Connector { fault, code } => {
            let told = code.as_ref().and_then(Refusal::of_provider_code);
            told.unwrap_or_else(|| of_failed_call(*fault))
        }
        Cause::NotSent(_) | Cause::Abandoned | Cause::Unseen(_) => {
            Refusal::new(ErrorKind::ServerInternal)
        }
    }
}

/// A call that did nothing and of which the cloud said nothing that is documented.
fn of_failed_call(fault: Fault) -> Refusal {
    match fault {
        Fault::Authentication | Fault::ConsentLost | Fault::Permission => {
            Refusal::of("PERMISSION", None)
        }
        Fault::Unavailable => Refusal::of("UPSTREAM", Some("NO_RESPONSE")),
        Fault::TimedOut
        | Fault::Garbled
        | Fault::Account
        | Fault::VehicleState
        | Fault::NotCapable
        | Fault::RateLimited
        | Fault::Upstream
        | Fault::Rejected
        | Fault::Billing => Refusal::new(ErrorKind::ServerInternal),
    }
}

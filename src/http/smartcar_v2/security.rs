//! `/v2.0/vehicles/{id}/security`: locking, unlocking, and whether the car is locked.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;

use super::answer::{Refusal, success};
use super::holder::HolderOfVehicle;
use crate::connector::Opening;
use crate::domain::command::{Action, Command, CommandStatus, SEND_TIME};
use crate::domain::entitlement::Entitlement;
use crate::http::Gateway;
use crate::http::extract::IdempotencyKey;
use crate::service::commands::{self, DispatchCommand};
use crate::service::vehicles;
use crate::signing::digest;
use crate::smartcar::v2::{ActionAnswer, ActionRequest, Part, Security, SecurityAction};

/// Beyond the command's time to leave and the cloud's to answer; the SDKs wait 310 s.
const WAIT_MARGIN: Duration = Duration::from_secs(5);

/// Smartcar's lock and unlock.
#[utoipa::path(post, path = "/v2.0/vehicles/{id}/security", operation_id = "smartcar_v2.security",
    tag = "smartcar", security(("grant_token" = [])),
    params(("id" = String, Path, description = "The UUID inside the vehicle's id.")),
    request_body(content = Object, description = "`{\"action\": \"LOCK\"}` or `{\"action\": \"UNLOCK\"}`."),
    responses((status = 200, description = "The vehicle cloud took it.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(in crate::http) async fn command(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    key: Option<IdempotencyKey>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let request = action_request(&body).ok_or_else(|| {
        let why = r#"The body must be {"action":"LOCK"} or {"action":"UNLOCK"}."#;
        named(Refusal::of("VALIDATION", None).describing(why))
    })?;
    let action = match request.action {
        SecurityAction::Lock => Action::Lock,
        SecurityAction::Unlock => Action::Unlock,
    };
    let service = &gateway.service;
    // The SDKs send no key and never repeat a request by themselves: each one is new.
    let idempotency_key =
        key.map_or_else(|| format!("smartcar_v2:{}", holder.request_id), |key| key.0);
    let request = DispatchCommand {
        caller: holder.caller.clone(),
        user_id: holder.token.claims().grantee_id,
        vehicle_id: holder.token.claims().vehicle_id,
        grant_id: Some(holder.token.claims().grant_id),
        action,
        idempotency_key,
        request_hash: digest::sha256(&body),
    };
    let wait =
        SEND_TIME.saturating_add(service.settings.connector_timeout).saturating_add(WAIT_MARGIN);
    let dispatched = commands::dispatch(service, request, wait).await;
    let dispatched = dispatched.map_err(|error| named(error.into()))?;
    if let Some(reasons) = dispatched.refusal() {
        return Err(named(Refusal::denied(&reasons)));
    }
    match failure(&dispatched.command) {
        None => Ok(success(&holder.request_id, &ActionAnswer::success(), None, None)),
        Some(refusal) => Err(named(refusal)),
    }
}

/// The action, if the body is an object: `serde` would also read one from an array, by position.
fn action_request(body: &[u8]) -> Option<ActionRequest<SecurityAction>> {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    serde_json::from_slice(body).ok().filter(|_| is_object)
}

/// What an SDK is told of a command that the cloud did not acknowledge. What may have happened is
/// `UPSTREAM/NO_RESPONSE`, after which its documentation asks to read the state first.
fn failure(command: &Command) -> Option<Refusal> {
    let refusal = match command.status {
        CommandStatus::Acknowledged | CommandStatus::Confirmed | CommandStatus::Unconfirmed => {
            return None;
        }
        CommandStatus::Failed => {
            let told = command.reasons.iter().find_map(|word| Refusal::of_provider_code(word));
            match command.reasons.first().map(String::as_str) {
                _ if told.is_some() => told?,
                Some("consent_lost" | "permission_missing") => Refusal::of("PERMISSION", None),
                Some("connector_unavailable") => Refusal::of("UPSTREAM", Some("NO_RESPONSE")),
                _ => Refusal::of("SERVER", Some("INTERNAL")),
            }
        }
        CommandStatus::Refused
        | CommandStatus::Sending
        | CommandStatus::Unknown
        | CommandStatus::Contradicted
        | CommandStatus::Unresolved => Refusal::of("UPSTREAM", Some("NO_RESPONSE")),
        CommandStatus::Cancelled | CommandStatus::Expired => {
            Refusal::of("SERVER", Some("INTERNAL"))
        }
    };
    let refusal = refusal.with_retry_after_ms(command.retry_after_ms);
    Some(match &command.user_message {
        Some(message) => refusal.with_user_message(Some(message.clone())),
        None => refusal,
    })
}

/// Smartcar's lock status.
#[utoipa::path(get, path = "/v2.0/vehicles/{id}/security", operation_id = "smartcar_v2.lock_status",
    tag = "smartcar", security(("grant_token" = [])),
    params(("id" = String, Path, description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "The lock status.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(in crate::http) async fn read(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
) -> Result<Response, Refusal> {
    let service = &gateway.service;
    let read = holder.read(Entitlement::ReadLockStatus);
    let seen = vehicles::read_lock_status(service, &holder.caller, read).await;
    let seen = seen.map_err(|error| Refusal::from(error).named(&holder.request_id))?;
    let parts = |openings: Vec<Opening>| {
        openings
            .into_iter()
            .map(|opening| Part { kind: opening.place, status: opening.status })
            .collect()
    };
    let body = Security {
        is_locked: seen.is_locked,
        doors: parts(seen.doors),
        windows: parts(seen.windows),
        sunroof: parts(seen.sunroof),
        storage: parts(seen.storage),
        charging_port: parts(seen.charging_port),
    };
    Ok(success(&holder.request_id, &body, Some(service.clock.now()), seen.observed_at))
}

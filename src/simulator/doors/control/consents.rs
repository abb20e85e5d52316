//! The strings behind the consents: who gave what, giving less or more of it, and taking it back,
//! as owners do in their account with the vehicle cloud, without any application being asked.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{parsed, place, unknown, wrong};
use crate::simulator::cloud::consents::Connection;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::smartcar::permission;

/// `GET /_sim/consents`: what stands, the oldest first.
pub(super) async fn list(State(cloud): Shared) -> Json<Value> {
    let consents = cloud.consents.find(|_| true);
    shown(&cloud, &consents)
}

/// `DELETE /_sim/consents`: the owners take back what was given to any client, and no token lives
/// on.
pub(super) async fn forget(State(cloud): Shared) -> StatusCode {
    cloud.forget_consents();
    StatusCode::NO_CONTENT
}

/// `DELETE /_sim/consents/{vehicle_id}`: the owners take back this car. Tokens live on, and find
/// that the car is no longer theirs.
pub(super) async fn withdraw(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let place = place(&cloud, &id)?;
    cloud.withdraw(|one| one.place == place);
    Ok(StatusCode::NO_CONTENT)
}

/// Body of `PATCH /_sim/consents/{vehicle_id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permitted {
    permissions: Vec<String>,
}

/// `PATCH /_sim/consents/{vehicle_id}`: the owners give exactly this of the car from now on.
pub(super) async fn permit(
    State(cloud): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    let place = place(&cloud, &id)?;
    let Permitted { permissions } = parsed(&body)?;
    let known = |name: &String| {
        permission::find(name).ok_or_else(|| wrong(format!("{name} is no permission")))
    };
    let permissions = permissions.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    let amended = cloud.permit(place, &permissions);
    match amended.is_empty() {
        true => Err(unknown()),
        false => Ok(shown(&cloud, &amended)),
    }
}

fn shown(cloud: &Cloud, consents: &[Arc<Connection>]) -> Json<Value> {
    let shown = |one: &Arc<Connection>| {
        let (car, terms) = (cloud.cars().get(one.place)?, one.terms()?);
        Some(json!({
            "id": one.id,
            "user_id": one.user.id,
            "external_id": one.user.external_id,
            "client_id": one.client_id,
            "vehicle_id": car.id,
            "permissions": terms.permissions,
            "mode": one.mode,
            "connected_at": one.connected_at,
        }))
    };
    let consents: Vec<Value> = consents.iter().filter_map(shown).collect();
    Json(json!({ "consents": consents }))
}

//! `POST /v1/connections/{connection_id}/complete`: the owner's word that the consent was theirs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConnectionBody;
use crate::domain::id::{ConnectionId, GrantId, VehicleId};
use crate::domain::vehicle::Vehicle;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::connections::{self, Completed, Completion, StayingCar};

/// What a connection is completed with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CompleteConnection {
    /// The code that the consenting browser was given; spaces in it do not count.
    #[schema(max_length = 32, example = "1234 5678")]
    completion_code: String,
    /// Whether the owner stands by the keys that were lent of these cars before the consent to them was lost; `false`
    /// if not given. An API client needs `grants:write` for it. Those that wait otherwise are in `waiting_grant_ids`.
    #[serde(default)]
    keep_grants: bool,
}

/// A car that came with a consent.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ConsentedCarBody {
    /// The car; `null` if it stays with another owner.
    vehicle_id: Option<VehicleId>,
    /// Its maker.
    make: String,
    /// Its model.
    model: String,
    /// Its model year.
    year: i64,
}

impl From<Vehicle> for ConsentedCarBody {
    fn from(vehicle: Vehicle) -> Self {
        let Vehicle { vehicle_id, make, model, year, .. } = vehicle;
        Self { vehicle_id: Some(vehicle_id), make, model, year }
    }
}

impl From<StayingCar> for ConsentedCarBody {
    fn from(StayingCar { make, model, year }: StayingCar) -> Self {
        Self { vehicle_id: None, make, model, year }
    }
}

/// A connection that is complete.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct CompletedConnectionBody {
    #[serde(flatten)]
    connection: ConnectionBody,
    /// The owner's cars that came with it.
    vehicle_ids: Vec<VehicleId>,
    /// The same with their names.
    vehicles: Vec<ConsentedCarBody>,
    /// Cars that came with it and stay with another owner in the organization, who consents to them still.
    not_connected: Vec<ConsentedCarBody>,
    /// Grants for these cars from before the consent was lost. They wait with `consent_returned` until the owner
    /// confirms each (`POST /v1/grants/{grant_id}/confirm`).
    waiting_grant_ids: Vec<GrantId>,
}

impl From<Completed> for CompletedConnectionBody {
    fn from(completed: Completed) -> Self {
        let ids = completed.vehicles.iter().map(|vehicle| vehicle.vehicle_id);
        Self {
            connection: completed.connection.into(),
            vehicle_ids: ids.collect(),
            vehicles: completed.vehicles.into_iter().map(Into::into).collect(),
            waiting_grant_ids: completed.waiting_grants,
            not_connected: completed.others.into_iter().map(Into::into).collect(),
        }
    }
}

/// Complete a connection with the code that the consenting browser was given, within five minutes: for who started
/// it, or an API client for them. A backend completes for the user whose browser arrived with the code, never for one
/// whom it remembers having sent. The same code has the same answer while it lives, and five are heard in all.
#[utoipa::path(post, path = "/v1/connections/{connection_id}/complete", operation_id = "connections.complete",
    tag = "connections", security(("session" = []), ("api_client" = ["connections:write"])),
    request_body = CompleteConnection,
    params(("connection_id" = ConnectionId, Path, description = "The connection.")),
    responses((status = 200, description = "The cars are the owner's.", body = CompletedConnectionBody)))]
pub(in crate::http) async fn complete(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(connection_id): ApiPath<ConnectionId>,
    body: ApiJson<CompleteConnection>,
) -> Result<Json<CompletedConnectionBody>, Problem> {
    let code: String = body.value.completion_code.split_whitespace().collect();
    let completion = Completion { code: &code, keeps_grants: body.value.keep_grants };
    let completed =
        connections::complete(&gateway.service, &caller, connection_id, completion).await?;
    Ok(Json(completed.into()))
}

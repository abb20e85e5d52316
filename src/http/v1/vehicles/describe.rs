//! `PATCH /v1/vehicles/{vehicle_id}`: what people call a car, how they find it, and how many may hold it at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::VehicleBody;
use crate::domain::calendar::{Buffer, Sharing};
use crate::domain::id::VehicleId;
use crate::domain::user::ShortText;
use crate::domain::vehicle::IdentificationNumber;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, IfMatch, SignedIn, given};
use crate::http::problem::Problem;
use crate::http::v1::{FreeMap, metadata_text, versioned};
use crate::service::Violation;
use crate::service::vehicles::{self, VehicleChanges};

/// What describes a car. What is left out stays; `null` takes it away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct DescribeVehicle {
    /// What people call it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    label: Option<Option<ShortText>>,
    /// The text of its number plate.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    plate: Option<Option<ShortText>>,
    /// Its colour.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    colour: Option<Option<ShortText>>,
    /// Its identification number: 17 letters and digits (ISO 3779). What its maker says, a read of `vin` tells.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<IdentificationNumber>)]
    vin: Option<Option<IdentificationNumber>>,
    /// Your own data: at most 4 KiB of JSON, in the place of what was there.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<FreeMap>)]
    metadata: Option<Option<Map<String, Value>>>,
    /// Your own name for it, which no other car of the organization has. For administrators, and API clients that act for
    /// nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    external_ref: Option<Option<ShortText>>,
    /// `exclusive`: two grants that unlock it never overlap. `shared`, as every car is at first: any number may.
    sharing: Option<Sharing>,
    /// How many minutes must be between two grants that unlock an exclusive car.
    buffer_minutes: Option<Buffer>,
}

impl DescribeVehicle {
    fn check(self) -> Result<VehicleChanges, Problem> {
        let mut violations = Vec::new();
        let text = |text: Option<Option<ShortText>>| text.map(|text| text.map(String::from));
        let metadata = self
            .metadata
            .map(|metadata| metadata.map(|metadata| metadata_text(metadata, &mut violations)));
        let changes = VehicleChanges {
            label: text(self.label),
            plate: text(self.plate),
            colour: text(self.colour),
            vin: self.vin,
            metadata,
            external_ref: text(self.external_ref),
            sharing: self.sharing,
            buffer: self.buffer_minutes,
        };
        if changes == VehicleChanges::default() {
            violations.push(Violation::of("", "empty", "must name what is to change"));
        }
        if violations.is_empty() { Ok(changes) } else { Err(Problem::invalid(violations)) }
    }
}

/// Describe a car, and say whether one person at a time may hold it: for its owner, administrators and API clients. Guests
/// see the label, the plate and the colour. What grants allow does not change.
#[utoipa::path(patch, path = "/v1/vehicles/{vehicle_id}", operation_id = "vehicles.describe", tag = "vehicles",
    security(("session" = []), ("api_client" = ["vehicles:write"])), request_body = DescribeVehicle,
    params(("vehicle_id" = VehicleId, Path, description = "The car."), IfMatch),
    responses((status = 200, description = "The car as it is now, with its version as `ETag`.", body = VehicleBody)))]
pub(in crate::http) async fn describe(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
    IfMatch(expected): IfMatch,
    body: ApiJson<DescribeVehicle>,
) -> Result<Response, Problem> {
    let (base, changes) = (&gateway.service.base, body.value.check()?);
    let vehicle = vehicles::describe(base, &caller, vehicle_id, &expected, &changes).await?;
    Ok(versioned(vehicle.version, Json(VehicleBody::from(vehicle))))
}

//! API v3, reading: what a car is, all of its signals, or one of them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::access::{Given, Owner};
use crate::domain::time::Timestamp;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::car_state::CarState;
use crate::simulator::cloud::readings::Readable;
use crate::simulator::cloud::signals;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::{Failure, as_json};
use crate::simulator::doors::call::{Call, Shared};
use crate::simulator::doors::fault_injection::{self, Right, mistaken};
use crate::simulator::faults::car_faults::Occasion;
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::signal::Included;
use crate::smartcar::v3::{Document, SelfLink, SignalList, Vehicle, VehicleAttributes};

/// `GET /vehicles/{id}`.
pub(super) async fn vehicle(State(cloud): Shared, call: Call) -> Result<Response, Failure> {
    let given = Given::to(&cloud, &call, Owner::Anyone)?;
    let car = given.car(&cloud, &call, Readable::Attributes.permission())?;
    let body = |car: &Car, state: &CarState, _| as_json(Document { data: described(car, state) });
    answer(&cloud, &call, &car, body).await
}

/// `GET /vehicles/{id}/signals`: all of them; those that cannot be read say why.
pub(super) async fn list(State(cloud): Shared, call: Call) -> Result<Response, Failure> {
    let given = Given::to(&cloud, &call, Owner::NamedByApplications)?;
    let car = given.car(&cloud, &call, None)?;
    let is_given = |needed| given.permits(&cloud, &call.vehicle_id, needed).is_some();
    let body = |car: &Car, state: &CarState, now| {
        let itself = format!("/vehicles/{}/signals", car.id);
        as_json(SignalList {
            data: signals::all(car, state, now, is_given),
            links: Some(SelfLink { itself }),
            included: Some(Included { vehicle: described(car, state) }),
        })
    };
    answer(&cloud, &call, &car, body).await
}

/// `GET /vehicles/{id}/signals/{code}`.
pub(super) async fn one(State(cloud): Shared, call: Call) -> Result<Response, Failure> {
    let given = Given::to(&cloud, &call, Owner::NamedByApplications)?;
    let unknown = || Failure::new(ErrorKind::ResourceNotFoundPath);
    let kind = signals::find(&call.code).ok_or_else(unknown)?;
    let car = given.car(&cloud, &call, kind.reading.permission())?;
    let body = |car: &Car, state: &CarState, now| match kind.refused(state) {
        Some(error) => Err(Failure::new(error)),
        None => as_json(Document { data: kind.read(car, state, now, None) }),
    };
    answer(&cloud, &call, &car, body).await
}

async fn answer(
    cloud: &Cloud,
    call: &Call,
    car: &Arc<Car>,
    body: impl FnOnce(&Car, &CarState, Timestamp) -> Result<Value, Failure>,
) -> Result<Response, Failure> {
    let fault = car.next_fault(Occasion::Read);
    if let Some(instead) = fault_injection::before(cloud, fault.as_ref()).await? {
        return Ok(instead);
    }
    let car = mistaken(cloud, car, fault.as_ref());
    let now = cloud.clock.now();
    let state = car.state_at(now);
    let right = Right { body: body(&car, &state, now)?, headers: HeaderMap::new() };
    fault_injection::after(cloud, &call.peer, fault, right).await
}

fn described(car: &Car, state: &CarState) -> Vehicle {
    Vehicle {
        id: car.id.to_string(),
        kind: "vehicle".to_owned(),
        attributes: VehicleAttributes {
            make: car.make.clone(),
            model: car.model.clone(),
            year: car.year,
            powertrain_type: Some(state.powertrain.as_str().to_owned()),
            mode: Some("simulated".to_owned()),
        },
        links: Some(SelfLink { itself: format!("/vehicles/{}", car.id) }),
    }
}

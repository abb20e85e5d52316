//! API v2.0, reading: one car at a time, one reading or several in a batch. A read passes the token,
//! the consent and the permission, then the car's queue of faults has its say.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::answer::Failure;
use super::call::Call;
use super::car::Car;
use super::car_state::CarState;
use super::consents::Terms;
use super::faults::{FaultKind, Occasion};
use super::mishap::{self, Right};
use super::paging;
use super::readings::Reading;
use super::state::Cloud;
use crate::domain::time::Timestamp;
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::{self, InUnits, UnitSystem};

/// `GET /vehicles/{id}` and everything below it.
pub(super) async fn read(
    State(cloud): State<Arc<Cloud>>,
    Extension(reading): Extension<Reading>,
    call: Call,
) -> Result<Response, Failure> {
    let (car, terms) = call.allowed(&cloud, reading.permission())?;
    let fault = car.next_fault(Occasion::Read);
    if let Some(instead) = mishap::before(&cloud, fault.as_ref()).await? {
        return Ok(instead);
    }
    let car = mistaken(&cloud, &car, fault.as_ref());
    let now = cloud.clock.now();
    let state = car.state_at(now);
    let body = body(reading, &car, &state, &terms, &call)?;
    let right = Right { body, headers: headers(reading, &state, now, call.units()) };
    mishap::after(&cloud, &call.peer, fault, right).await
}

/// The car that is read: another one, if that is what goes wrong.
pub(super) fn mistaken(cloud: &Cloud, car: &Arc<Car>, fault: Option<&FaultKind>) -> Arc<Car> {
    if fault != Some(&FaultKind::WrongVehicle) {
        return Arc::clone(car);
    }
    let mut others = cloud.cars().iter().filter(|other| other.id != car.id);
    Arc::clone(others.next().unwrap_or(car))
}

/// When what is read was last changed, as the car tells.
pub(super) fn data_age(reading: Reading, state: &CarState) -> Timestamp {
    match reading {
        Reading::Security => state.lock_changed_at,
        _ => state.changed_at,
    }
}

fn headers(reading: Reading, state: &CarState, now: Timestamp, units: UnitSystem) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(v2::HEADER_UNIT_SYSTEM, HeaderValue::from_static(units.as_str()));
    let times = [(v2::HEADER_DATA_AGE, data_age(reading, state)), (v2::HEADER_FETCHED_AT, now)];
    for (name, at) in times {
        if let Ok(value) = HeaderValue::try_from(at.to_string()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What the car says.
pub(super) fn body(
    reading: Reading,
    car: &Car,
    state: &CarState,
    terms: &Terms,
    call: &Call,
) -> Result<Value, Failure> {
    if !reading.is_had_by(state.powertrain) {
        return Err(Failure::new(ErrorKind::CompatibilityVehicleNotCapable));
    }
    let units = call.units();
    match reading {
        Reading::Attributes => json(car.attributes()),
        Reading::Permissions => {
            let name = |name: &&str| Some((*name).to_owned());
            let (permissions, paging) = paging::cut(&terms.permissions, &call.query, name)?;
            json(v2::PermissionList { permissions, paging })
        }
        Reading::Vin => json(car.vin()),
        Reading::Location => json(state.location()),
        Reading::Odometer => json(state.odometer().in_units(units)),
        Reading::Battery => json(state.battery().in_units(units)),
        Reading::BatteryCapacity => json(state.battery_capacity()),
        Reading::NominalCapacity => json(car.nominal_capacity(state)),
        Reading::Charge => json(state.charge()),
        Reading::ChargeLimit => json(state.limit()),
        Reading::Fuel => json(state.fuel().in_units(units)),
        Reading::TirePressure => json(state.tire_pressure().in_units(units)),
        Reading::EngineOil => json(state.engine_oil()),
        Reading::Security => json(state.security()),
        Reading::SystemStatus => json(state.system_status()),
        Reading::TroubleCodes => json(car.trouble_codes(state)),
        Reading::ServiceHistory => {
            let from = paging::date(call, ["start_date", "startDate"], false)?;
            let to = paging::date(call, ["end_date", "endDate"], true)?;
            let records = car.service_history(from, to).into_iter();
            json(records.map(|record| record.in_units(units)).collect::<Vec<_>>())
        }
    }
}

pub(super) fn json(body: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(body).map_err(|_| Failure::new(ErrorKind::ServerInternal))
}

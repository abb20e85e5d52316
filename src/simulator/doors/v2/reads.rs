//! API v2.0, reading: one car at a time, one reading or several in a batch. A read passes the token,
//! the consent and the permission, then the car's queue of faults has its say.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde_json::Value;

use super::paging;
use crate::domain::time::Timestamp;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::car_state::CarState;
use crate::simulator::cloud::consents::Terms;
use crate::simulator::cloud::readings::Readable;
use crate::simulator::doors::answer::{Failure, as_json};
use crate::simulator::doors::call::{Call, Shared};
use crate::simulator::doors::fault_injection::{self, Right, mistaken};
use crate::simulator::faults::car_faults::Occasion;
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::{self, InUnits, UnitSystem};

/// `GET /vehicles/{id}` and everything below it.
pub(super) async fn read(
    State(cloud): Shared,
    Extension(reading): Extension<Readable>,
    call: Call,
) -> Result<Response, Failure> {
    let (car, terms) = call.allowed(&cloud, reading.permission())?;
    let fault = car.next_fault(Occasion::Read);
    if let Some(instead) = fault_injection::before(&cloud, fault.as_ref()).await? {
        return Ok(instead);
    }
    let car = mistaken(&cloud, &car, fault.as_ref());
    let now = cloud.clock.now();
    let state = car.state_at(now);
    let body = body(reading, &car, &state, &terms, &call)?;
    let right = Right { body, headers: headers(reading, &state, now, call.units()) };
    fault_injection::after(&cloud, &call.peer, fault, right).await
}

fn headers(reading: Readable, state: &CarState, now: Timestamp, units: UnitSystem) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(v2::HEADER_UNIT_SYSTEM, HeaderValue::from_static(units.as_str()));
    let times = [(v2::HEADER_DATA_AGE, reading.changed_at(state)), (v2::HEADER_FETCHED_AT, now)];
    for (name, at) in times {
        if let Ok(value) = HeaderValue::try_from(at.to_string()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What the car says.
pub(super) fn body(
    reading: Readable,
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
        Readable::Permissions => {
            let name = |name: &&str| Some((*name).to_owned());
            let (permissions, paging) = paging::cut(&terms.permissions, &call.query, name)?;
            as_json(v2::PermissionList { permissions, paging })
        }
        Readable::ServiceHistory => {
            let from = paging::date(call, ["start_date", "startDate"], false)?;
            let to = paging::date(call, ["end_date", "endDate"], true)?;
            let records = car.service_history(from, to).into_iter();
            as_json(records.map(|record| record.in_units(units)).collect::<Vec<_>>())
        }
        reading => Ok(reading.said(car, state, units)),
    }
}

//! Letting a car do what it is told, whichever version of the API it came through: at once or later,
//! and with what goes wrong before and after.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::answer::Failure;
use super::call::Call;
use super::fault_injection::{self, Right};
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::journal::{Cause, Moment};
use crate::simulator::cloud::orders::Order;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::faults::car_faults::FaultKind;
use crate::smartcar::ErrorKind;

/// Lets the car do it, unless and until what goes wrong says otherwise. `right` is asked for the
/// body of the answer when the car has done it.
pub(super) async fn carry_out(
    cloud: &Arc<Cloud>,
    call: &Call,
    car: Arc<Car>,
    order: Order,
    fault: Option<FaultKind>,
    right: impl FnOnce() -> Value,
) -> Result<Response, Failure> {
    if let Some(FaultKind::Delay { delay_ms }) = fault {
        delayed(cloud, car, order, call.cause(), delay_ms).await?;
    } else {
        if let Some(instead) = fault_injection::before(cloud, fault.as_ref()).await? {
            return Ok(instead);
        }
        if fault != Some(FaultKind::AcknowledgedNotExecuted) {
            execute(cloud, &car, order, call.cause())?;
        }
    }
    let right = Right { body: right(), headers: HeaderMap::new() };
    fault_injection::after(cloud, &call.peer, fault, right).await
}

/// Lets the car do it now.
pub(super) fn execute(cloud: &Cloud, car: &Car, order: Order, cause: Cause) -> Result<(), Failure> {
    car.execute(order, Moment::of(&*cloud.clock), cause, &cloud.journal, cloud.manners)
        .map_err(Failure::new)?;
    cloud.changed(car);
    Ok(())
}

/// Executes later, also if the client does not wait for it: the request has been taken.
pub(super) async fn delayed(
    cloud: &Arc<Cloud>,
    car: Arc<Car>,
    order: Order,
    cause: Cause,
    delay_ms: u64,
) -> Result<(), Failure> {
    let inside = Arc::clone(cloud);
    let task = cloud.tasks.spawn(async move {
        if !inside.pause(delay_ms).await {
            return Err(Failure::unavailable());
        }
        execute(&inside, &car, order, cause)
    });
    task.await.unwrap_or_else(|_| Err(Failure::new(ErrorKind::ServerInternal)))
}

//! Telling a car to do something. A command passes the token, the consent, the permission and the
//! body, in this order; then the car's queue of faults has its say; then the car does it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Failure;
use super::call::Call;
use super::car::Car;
use super::faults::{FaultKind, Occasion};
use super::journal::{Cause, Moment};
use super::mishap::{self, Right};
use super::orders::Order;
use super::reads;
use super::state::Cloud;
use crate::smartcar::v2::commands::{DestinationRequest, LimitRequest};
use crate::smartcar::v2::{ActionAnswer, ActionRequest, ChargeAction, SecurityAction};
use crate::smartcar::{ErrorKind, permission};

type Shared = State<Arc<Cloud>>;

/// `POST /vehicles/{id}/security`.
pub(super) async fn security(
    State(cloud): Shared,
    call: Call,
    body: Bytes,
) -> Result<Response, Failure> {
    let (car, _) = call.allowed(&cloud, Some(permission::CONTROL_SECURITY))?;
    let ActionRequest { action } = parsed(&body, "`action` must be `LOCK` or `UNLOCK`.")?;
    let order = match action {
        SecurityAction::Lock => Order::Lock,
        SecurityAction::Unlock => Order::Unlock,
    };
    command(cloud, call, car, order).await
}

/// `POST /vehicles/{id}/charge`.
pub(super) async fn charge(
    State(cloud): Shared,
    call: Call,
    body: Bytes,
) -> Result<Response, Failure> {
    let (car, _) = call.allowed(&cloud, Some("control_charge"))?;
    let ActionRequest { action } = parsed(&body, "`action` must be `START` or `STOP`.")?;
    let order = match action {
        ChargeAction::Start => Order::StartCharge,
        ChargeAction::Stop => Order::StopCharge,
    };
    command(cloud, call, car, order).await
}

/// `POST /vehicles/{id}/charge/limit`.
pub(super) async fn charge_limit(
    State(cloud): Shared,
    call: Call,
    body: Bytes,
) -> Result<Response, Failure> {
    let (car, _) = call.allowed(&cloud, Some("control_charge"))?;
    let why = "`limit` must be a number between 0.5 and 1.";
    let LimitRequest { limit } = parsed(&body, why)?;
    if !(0.5..=1.0).contains(&limit) {
        return Err(invalid(why));
    }
    command(cloud, call, car, Order::SetChargeLimit { limit }).await
}

/// `POST /vehicles/{id}/navigation/destination`.
pub(super) async fn destination(
    State(cloud): Shared,
    call: Call,
    body: Bytes,
) -> Result<Response, Failure> {
    let (car, _) = call.allowed(&cloud, Some("control_navigation"))?;
    let why = "`latitude` and `longitude` must be degrees.";
    let DestinationRequest { latitude, longitude } = parsed(&body, why)?;
    let order = destined(latitude, longitude).ok_or_else(|| invalid(why))?;
    command(cloud, call, car, order).await
}

/// A destination that is on the earth.
pub(super) fn destined(latitude: f64, longitude: f64) -> Option<Order> {
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    on_earth.then_some(Order::SetDestination { latitude, longitude })
}

fn parsed<T: DeserializeOwned>(body: &[u8], why: &str) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| invalid(why))
}

fn invalid(why: &str) -> Failure {
    Failure::new(ErrorKind::ValidationParameter).describing(why)
}

async fn command(
    cloud: Arc<Cloud>,
    call: Call,
    car: Arc<Car>,
    order: Order,
) -> Result<Response, Failure> {
    let fault = car.next_fault(Occasion::Command);
    let right = reads::json(ActionAnswer::success())?;
    carry_out(&cloud, &call, car, order, fault, || right).await
}

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
        if let Some(instead) = mishap::before(cloud, fault.as_ref()).await? {
            return Ok(instead);
        }
        if fault != Some(FaultKind::AcknowledgedNotExecuted) {
            execute(cloud, &car, order, call.cause())?;
        }
    }
    let right = Right { body: right(), headers: HeaderMap::new() };
    mishap::after(cloud, &call.peer, fault, right).await
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

//! Telling a car to do something. A command passes the token, the consent, the permission and the
//! body, in this order; then the car's queue of faults has its say; then the car does it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::orders::Order;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::{Failure, as_json};
use crate::simulator::doors::call::{Call, Shared};
use crate::simulator::doors::execution::carry_out;
use crate::simulator::faults::car_faults::Occasion;
use crate::smartcar::v2::commands::{DestinationRequest, LimitRequest};
use crate::smartcar::v2::{ActionAnswer, ActionRequest, ChargeAction, SecurityAction};
use crate::smartcar::{ErrorKind, permission};

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
    let order = Order::destination(latitude, longitude).ok_or_else(|| invalid(why))?;
    command(cloud, call, car, order).await
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
    let right = as_json(ActionAnswer::success())?;
    carry_out(&cloud, &call, car, order, fault, || right).await
}

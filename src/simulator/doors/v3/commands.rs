//! API v3, telling a car to do something. The answer tells how it ended; a 202 tells it later, in
//! a body that is streamed when the car's cloud has answered.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use super::access::{Given, Owner};
use crate::domain::time::Timestamp;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::orders::Order;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{Call, Shared};
use crate::simulator::doors::execution::{carry_out, execute};
use crate::simulator::doors::fault_injection;
use crate::simulator::faults::car_faults::{FaultKind, LateOutcome, LateWord, Occasion};
use crate::smartcar::v3::command::{
    DestinationAttributes, ExecutionAttributes, ExecutionData, ExecutionMeta, ExecutionStatus,
    LimitAttributes,
};
use crate::smartcar::v3::{CommandBody, CommandKind, Execution};
use crate::smartcar::{ErrorKind, permission};

/// `POST /vehicles/{id}/commands/…`.
pub(super) async fn command(
    State(cloud): Shared,
    Extension(kind): Extension<CommandKind>,
    call: Call,
    body: Bytes,
) -> Result<Response, Failure> {
    let given = Given::to(&cloud, &call, Owner::Named)?;
    let car = given.car(&cloud, &call, Some(needed(kind)))?;
    let order = order(kind, &body)?;
    let began_at = cloud.clock.now();
    let fault = car.next_fault(Occasion::Command);
    if let Some(FaultKind::AcceptedLate { after_ms, outcome }) = fault {
        let late = Late { kind, order, began_at, after_ms, outcome };
        return Ok(late.accepted(&cloud, &call, car));
    }
    let right = || execution(&cloud, &call, kind, began_at, "sync", succeeded());
    carry_out(&cloud, &call, car, order, fault, right).await
}

fn needed(kind: CommandKind) -> &'static str {
    match kind {
        CommandKind::Lock | CommandKind::Unlock => permission::CONTROL_SECURITY,
        CommandKind::StartCharge | CommandKind::StopCharge | CommandKind::SetChargeLimit => {
            "control_charge"
        }
        CommandKind::SetDestination => "control_navigation",
    }
}

fn order(kind: CommandKind, body: &[u8]) -> Result<Order, Failure> {
    let invalid = |why: &str| Failure::new(ErrorKind::Validation).describing(why);
    Ok(match kind {
        CommandKind::Lock => Order::Lock,
        CommandKind::Unlock => Order::Unlock,
        CommandKind::StartCharge => Order::StartCharge,
        CommandKind::StopCharge => Order::StopCharge,
        CommandKind::SetChargeLimit => {
            let body: Option<CommandBody<LimitAttributes>> = serde_json::from_slice(body).ok();
            let percent = body.map(|body| body.data.attributes.percent);
            let percent = percent.filter(|percent| (50..=100).contains(percent));
            let why = "`percent` must be a whole number between 50 and 100.";
            let percent = percent.ok_or_else(|| invalid(why))?;
            Order::SetChargeLimit { limit: f64::from(percent) / 100.0 }
        }
        CommandKind::SetDestination => {
            let body: Option<CommandBody<DestinationAttributes>> =
                serde_json::from_slice(body).ok();
            let to = body.map(|body| body.data.attributes);
            let to = to.and_then(|to| Order::destination(to.latitude, to.longitude));
            to.ok_or_else(|| invalid("`latitude` and `longitude` must be degrees."))?
        }
    })
}

/// A command that is answered before it has ended.
struct Late {
    kind: CommandKind,
    order: Order,
    began_at: Timestamp,
    after_ms: u64,
    outcome: LateOutcome,
}

impl Late {
    /// The headers leave at once. The command goes on also if the client does not wait.
    fn accepted(self, cloud: &Arc<Cloud>, call: &Call, car: Arc<Car>) -> Response {
        let (inside, call) = (Arc::clone(cloud), call.clone());
        let task = cloud.tasks.spawn(async move { self.ended(&inside, &call, &car).await });
        let lost = || json!({ "errors": [] });
        fault_injection::later(StatusCode::ACCEPTED, async move {
            task.await.unwrap_or_else(|_| lost())
        })
    }

    async fn ended(self, cloud: &Cloud, call: &Call, car: &Car) -> Value {
        if !cloud.pause(self.after_ms).await {
            return listed(Failure::unavailable(), call);
        }
        match self.outcome {
            LateOutcome::Word(LateWord::Success) => {
                match execute(cloud, car, self.order, call.cause()) {
                    Ok(()) => self.execution(cloud, call, succeeded()),
                    Err(failure) => listed(failure, call),
                }
            }
            LateOutcome::Word(LateWord::Failure) => {
                let error = json!({ "type": "UPSTREAM", "code": "NO_RESPONSE" });
                let status = ExecutionStatus { value: "FAILURE".to_owned(), error: Some(error) };
                self.execution(cloud, call, status)
            }
            LateOutcome::Error { .. } => {
                let kind = self.outcome.documented().unwrap_or(ErrorKind::ServerInternal);
                listed(Failure::new(kind), call)
            }
        }
    }

    fn execution(&self, cloud: &Cloud, call: &Call, status: ExecutionStatus) -> Value {
        execution(cloud, call, self.kind, self.began_at, "async", status)
    }
}

fn listed(failure: Failure, call: &Call) -> Value {
    json!(failure.listed(&call.request_id.to_string()))
}

fn succeeded() -> ExecutionStatus {
    ExecutionStatus { value: ExecutionStatus::SUCCESS.to_owned(), error: None }
}

fn execution(
    cloud: &Cloud,
    call: &Call,
    kind: CommandKind,
    began_at: Timestamp,
    mode: &str,
    status: ExecutionStatus,
) -> Value {
    let ended_at = cloud.clock.now();
    json!(Execution {
        data: ExecutionData {
            id: format!("exec_{}", call.request_id.simple()),
            kind: "command-execution".to_owned(),
            attributes: ExecutionAttributes {
                command_type: kind.command_type().to_owned(),
                status,
                execution_mode: Some(mode.to_owned()),
            },
            meta: ExecutionMeta {
                executed_at: Some(began_at.to_string()),
                completed_at: Some(ended_at.to_string()),
                duration_in_seconds: Some(ended_at.since(began_at).as_secs_f64()),
            },
        },
    })
}

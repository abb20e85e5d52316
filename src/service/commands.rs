//! Commands, from the request to the outcome.
//!
//! [`dispatch`] hands a request to the [`gate`], which has everything that is waiting decided in one
//! transaction ([`decide`] until it is durable, by attempts of [`batch`]). What is allowed is sent once by a
//! task of its own ([`send`]). Outcomes are gathered and written the same way ([`outcomes`]). [`recover`]
//! takes over what a crash left, and [`reconcile`] settles what is not certain by checking the car.
//!
//! A command's status changes by an [`Outcome`](crate::storage::commands::Outcome), which is written
//! only over the status that it leaves. To *settle* a command is to give it its last status.

mod batch;
mod batch_state;
mod decide;
mod dispatch;
mod drain;
mod gate;
mod list;
mod outcomes;
pub mod reconcile;
pub mod recover;
mod request;
mod ruling;
mod send;
mod waiters;

use crate::domain::command::{Command, CommandStatus};
use crate::domain::event::Event;
use crate::measures;

pub use dispatch::{Dispatched, dispatch};
pub use drain::{drain, drain_time_max};
pub use gate::{Gate, GateTask};
pub use list::{get, list_of_vehicle};
pub use request::CommandRequest;
pub use waiters::Waiters;

/// The event of a command that reached another status.
fn changed(command: &Command) -> Event {
    Event::CommandChanged {
        command_id: command.command_id,
        vehicle_id: command.vehicle_id,
        grant_id: command.grant_id,
        user_id: command.user_id,
        action: command.action(),
        status: command.status,
        evidence: command.evidence,
        causes: command.causes.clone(),
    }
}

/// Counts a command in the status that it has reached, once that is durable.
fn count(command: &Command) {
    metrics::counter!(
        measures::COMMANDS,
        "action" => command.action().as_str(),
        "status" => command.status.as_str(),
    )
    .increment(1);
}

/// Whether its outcome is still waited for.
const fn is_in_flight(command: &Command) -> bool {
    matches!(command.status, CommandStatus::Sending)
}

//! Commands, from the request to the outcome.
//!
//! `dispatch` hands a request to the [`gate`], which decides on everything that is waiting in one
//! transaction; what is allowed is sent once by a task of its own ([`send`]); outcomes are
//! gathered and written the same way ([`outcomes`]); [`recover`] and [`reconcile`] settle what a
//! crash or a silent cloud left open.

mod batch;
mod batch_state;
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
mod settle;
mod waiters;

use crate::domain::command::{Command, CommandStatus};
use crate::domain::event::Event;

pub use dispatch::{Dispatched, dispatch};
pub use drain::drain;
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

/// Whether its outcome is still waited for.
const fn is_in_flight(command: &Command) -> bool {
    matches!(command.status, CommandStatus::Sending)
}

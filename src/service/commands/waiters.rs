//! Who waits in this process for which command's outcome.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::domain::command::Command;
use crate::domain::id::CommandId;

/// Requests that wait. An entry lives until the outcome is written, or until the command's sender
/// gave up; both happen in bounded time.
#[derive(Debug, Default)]
pub struct Waiters {
    waiting: Mutex<HashMap<CommandId, Vec<oneshot::Sender<Command>>>>,
}

impl Waiters {
    /// Waits for a command's outcome.
    pub fn register(&self, command_id: CommandId) -> oneshot::Receiver<Command> {
        let (sender, receiver) = oneshot::channel();
        self.lock().entry(command_id).or_default().push(sender);
        receiver
    }

    /// Tells everybody who waits for these commands.
    pub fn wake<'c>(&self, commands: impl IntoIterator<Item = &'c Command>) {
        let mut waiting = self.lock();
        for command in commands {
            for sender in waiting.remove(&command.command_id).unwrap_or_default() {
                // Who hung up does not need to know.
                drop(sender.send(command.clone()));
            }
        }
    }

    /// Forgets a command that nobody in this process will tell about.
    pub fn forget(&self, command_id: CommandId) {
        self.lock().remove(&command_id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CommandId, Vec<oneshot::Sender<Command>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

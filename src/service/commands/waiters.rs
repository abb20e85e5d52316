//! Who waits in this process for which command's outcome.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::domain::command::Command;
use crate::domain::id::CommandId;

/// Requests that wait. An entry lives until the outcome is written, or until the command's sender or
/// those who wait gave up; all of that happens in bounded time.
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

    /// Forgets, when it is dropped, those who have given up waiting for this command.
    pub fn prune_later(&self, command_id: CommandId) -> Pruning<'_> {
        Pruning { waiters: self, command_id }
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

    fn prune(&self, command_id: CommandId) {
        let mut waiting = self.lock();
        let Some(senders) = waiting.get_mut(&command_id) else { return };
        senders.retain(|sender| !sender.is_closed());
        if senders.is_empty() {
            waiting.remove(&command_id);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CommandId, Vec<oneshot::Sender<Command>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Waiters::prune_later`].
#[derive(Debug)]
pub struct Pruning<'w> {
    waiters: &'w Waiters,
    command_id: CommandId,
}

impl Drop for Pruning<'_> {
    fn drop(&mut self) {
        self.waiters.prune(self.command_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::CommandStatus;
    use crate::domain::id::Id;

    #[test]
    fn all_who_wait_are_told_and_a_forgotten_command_tells_nobody() {
        let (waiters, done) = (Waiters::default(), Command::example(CommandStatus::Acknowledged));
        let id = done.command_id;
        let [mut first, mut second] = [waiters.register(id), waiters.register(id)];
        waiters.wake([&done]);
        for told in [&mut first, &mut second] {
            assert_eq!(told.try_recv().unwrap().status, CommandStatus::Acknowledged);
        }
        let mut third = waiters.register(id);
        waiters.forget(id);
        assert_eq!(third.try_recv().unwrap_err(), oneshot::error::TryRecvError::Closed);
    }

    #[test]
    fn who_gives_up_is_forgotten_and_who_waits_is_not() {
        let (waiters, id) = (Waiters::default(), Id::from_uuid(uuid::Uuid::from_u128(1)));
        let pruning = waiters.prune_later(id);
        let (gave_up, waits) = (waiters.register(id), waiters.register(id));
        drop(gave_up);
        drop(pruning);
        assert_eq!(waiters.lock()[&id].len(), 1);
        drop(waits);
        drop(waiters.prune_later(id));
        assert!(waiters.lock().is_empty());
    }
}

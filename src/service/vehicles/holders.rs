//! Who had a car at some moment, by the record: the last who was authorized to unlock it, unless the car surely did not.

use serde::Deserialize;

use crate::audit::entry::RecordedEntry;
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::command::CommandStatus;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error};
use crate::storage::audit_entries::{self, EntriesAbout, Subject};
use crate::storage::{Page, Reader, commands, vehicles};

/// So many entries are read at a time, and so many times at most.
const ENTRIES: i64 = 128;
const PAGES: usize = 32;

/// The person who had a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The person by whose right it was unlocked.
    pub user_id: UserId,
    /// The grant, if the car is not their own.
    pub grant_id: Option<GrantId>,
    /// When the unlock was authorized.
    pub since: Timestamp,
    /// When they were authorized to lock it after that, the last time before the moment that is asked for.
    pub locked_at: Option<Timestamp>,
    /// The unlock.
    pub command_id: CommandId,
    /// What it came to; `None` if it is no longer kept.
    pub status: Option<CommandStatus>,
    /// The entry of the record that says so, which can be proved.
    pub entry_id: AuditEntryId,
}

/// Who had a car at a moment; `None` if the record that is kept here names nobody.
///
/// # Errors
/// As for reading the record about the car: a [`crate::service::Denial`].
pub async fn holder_at(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    at: Timestamp,
) -> Result<Option<Holder>, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let found = vehicles::find(&mut reader, organization_id, vehicle_id).await?;
    let object = Object::found(found.as_ref(), Object::vehicle);
    base.authorize(caller, Operation::ListAuditEntries, &object, Sought::of(vehicle_id))?;
    let filter = EntriesAbout {
        subject: Some(Subject::Vehicle(vehicle_id)),
        event: Some("command.authorized".to_owned()),
        from: None,
        until: Some(at.plus(std::time::Duration::from_micros(1))),
    };
    let (mut page, mut locks) = (Page { before: None, limit: ENTRIES }, Vec::new());
    for _ in 0..PAGES {
        let entries = audit_entries::list(&mut reader, organization_id, &filter, page).await?;
        for entry in &entries {
            match action(entry) {
                Some(Action::Lock) => locks.push((entry.user_id, entry.occurred_at)),
                Some(Action::Unlock) => {
                    let held = holder(&mut reader, organization_id, entry, &locks).await?;
                    if held.is_some() {
                        return Ok(held);
                    }
                }
                _ => {}
            }
        }
        let Some(last) = entries.last().filter(|_| entries.len() == ENTRIES as usize) else {
            break;
        };
        page.before = Some(last.entry_id.as_uuid());
    }
    Ok(None)
}

/// What the command of an entry asks of the car.
fn action(entry: &RecordedEntry) -> Option<Action> {
    #[derive(Deserialize)]
    struct Details {
        action: Action,
    }
    serde_json::from_str::<Details>(&entry.details).ok().map(|details| details.action)
}

/// The person of an unlock, unless the car surely did not do it. Locks are those after it, newest first.
async fn holder(
    reader: &mut Reader,
    organization_id: OrganizationId,
    entry: &RecordedEntry,
    locks: &[(Option<UserId>, Timestamp)],
) -> Result<Option<Holder>, Error> {
    let (Some(user_id), Some(command_id)) = (entry.user_id, entry.command_id) else {
        return Ok(None);
    };
    let command = commands::find(reader, organization_id, command_id).await?;
    let status = command.map(|command| command.status);
    let never = [CommandStatus::Failed, CommandStatus::Cancelled, CommandStatus::Expired];
    if status.is_some_and(|status| never.contains(&status)) {
        return Ok(None);
    }
    let own = locks.iter().find(|(by, _)| *by == Some(user_id));
    Ok(Some(Holder {
        user_id,
        grant_id: entry.grant_id,
        since: entry.occurred_at,
        locked_at: own.map(|&(_, at)| at),
        command_id,
        status,
        entry_id: entry.entry_id,
    }))
}

//! Who had a car at some moment, by the record: the last who was authorized to unlock it, unless the car surely did not.

use std::time::Duration;

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

/// What a command comes to that the car surely did not do, and the event that says so.
const NEVER: [(&str, CommandStatus); 3] = [
    ("command.failed", CommandStatus::Failed),
    ("command.cancelled", CommandStatus::Cancelled),
    ("command.expired", CommandStatus::Expired),
];
/// By then a command has come to one of them, if it ever does.
const SETTLED_WITHIN: Duration = Duration::from_secs(60 * 60);

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

/// Who had a car at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldAt {
    /// The person, if the record that was looked through names one.
    pub holder: Option<Holder>,
    /// Whether all of the record that is kept here was looked through.
    pub is_complete: bool,
}

/// Who had a car at a moment, by the record that is kept here.
///
/// # Errors
/// As for reading the record about the car: a [`crate::service::Denial`].
pub async fn holder_at(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    at: Timestamp,
) -> Result<HeldAt, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let found = vehicles::find(&mut reader, organization_id, vehicle_id).await?;
    let object = Object::found(found.as_ref(), Object::vehicle);
    base.authorize(caller, Operation::ListAuditEntries, &object, Sought::of(vehicle_id))?;
    let filter = EntriesAbout {
        subject: Some(Subject::Vehicle(vehicle_id)),
        event: Some("command.authorized".to_owned()),
        from: None,
        until: Some(at.plus(Duration::from_micros(1))),
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
                        return Ok(HeldAt { holder: held, is_complete: true });
                    }
                }
                _ => {}
            }
        }
        match entries.last() {
            Some(last) if i64::try_from(entries.len()) == Ok(ENTRIES) => {
                page.before = Some(last.entry_id.as_uuid());
            }
            _ => return Ok(HeldAt { holder: None, is_complete: true }),
        }
    }
    Ok(HeldAt { holder: None, is_complete: false })
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
    let never = match status {
        Some(status) => NEVER.iter().any(|(_, never)| *never == status),
        // Commands are forgotten sooner than the record of them.
        None => never_happened(reader, entry, command_id).await?,
    };
    if never {
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

/// Whether the record says that the car surely did not do what this entry authorized.
async fn never_happened(
    reader: &mut Reader,
    entry: &RecordedEntry,
    command_id: CommandId,
) -> Result<bool, Error> {
    for (event, _) in NEVER {
        let filter = EntriesAbout {
            subject: entry.vehicle_id.map(Subject::Vehicle),
            event: Some(event.to_owned()),
            from: Some(entry.occurred_at.minus(SETTLED_WITHIN)),
            until: Some(entry.occurred_at.plus(SETTLED_WITHIN)),
        };
        let page = Page { before: None, limit: ENTRIES };
        let entries = audit_entries::list(reader, entry.organization_id, &filter, page).await?;
        if entries.iter().any(|entry| entry.command_id == Some(command_id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

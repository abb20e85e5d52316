//! Who had a car at some moment, by the record: the last who was authorized to unlock it, unless the car surely did not.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;

use crate::audit::entry::RecordedEntry;
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::command::CommandStatus;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error};
use crate::storage::audit_entries::{self, EntriesAbout, Subject};
use crate::storage::{Page, commands, vehicles};

/// So many entries are read at a time, and so many times at most.
const ENTRIES: i64 = 128;
const PAGES: usize = 64;

/// The events of a command that the car certainly did not carry out.
pub(in crate::service) const NEVER: [&str; 3] =
    ["command.failed", "command.cancelled", "command.expired"];
/// So long after its authorization one of them is recorded at the latest.
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
        event: None,
        from: None,
        until: Some(at.plus(SETTLED_WITHIN)),
    };
    let mut page = Page { before: None, limit: ENTRIES };
    let mut search = HolderSearch { at, never: HashSet::new(), locks: Vec::new() };
    for _ in 0..PAGES {
        let entries = audit_entries::list(&mut reader, organization_id, &filter, page).await?;
        if let Some(mut holder) = entries.iter().find_map(|entry| search.meet(entry)) {
            let unlock = commands::find(&mut reader, organization_id, holder.command_id).await?;
            holder.status = unlock.map(|command| command.status);
            return Ok(HeldAt { holder: Some(holder), is_complete: true });
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

/// What the entries of a car said so far; they are met newest first.
struct HolderSearch {
    at: Timestamp,
    /// Commands that the car certainly did not carry out.
    never: HashSet<CommandId>,
    /// Who was authorized to lock the car, and when.
    locks: Vec<(Option<UserId>, Timestamp)>,
}

impl HolderSearch {
    /// The person of an unlock, if this entry authorizes one that may have happened.
    fn meet(&mut self, entry: &RecordedEntry) -> Option<Holder> {
        let command_id = entry.command_id?;
        if NEVER.contains(&entry.event.as_ref()) {
            self.never.insert(command_id);
        }
        if entry.event != "command.authorized" || entry.occurred_at > self.at {
            return None;
        }
        match action_of(entry)? {
            Action::Unlock if !self.never.contains(&command_id) => {
                let user_id = entry.user_id?;
                let own = self.locks.iter().find(|(by, _)| *by == Some(user_id));
                Some(Holder {
                    user_id,
                    grant_id: entry.grant_id,
                    since: entry.occurred_at,
                    locked_at: own.map(|&(_, at)| at),
                    command_id,
                    status: None,
                    entry_id: entry.entry_id,
                })
            }
            Action::Lock => {
                self.locks.push((entry.user_id, entry.occurred_at));
                None
            }
            _ => None,
        }
    }
}

/// What the command of an entry asks of the car.
pub(in crate::service) fn action_of(entry: &RecordedEntry) -> Option<Action> {
    #[derive(Deserialize)]
    struct Details {
        action: Action,
    }
    serde_json::from_str::<Details>(&entry.details).ok().map(|details| details.action)
}

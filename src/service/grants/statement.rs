//! The statement of a grant: how it was used, and what the car was seen as at both ends. Made for a parking fine and for a dispute.

use std::collections::HashSet;

use serde_json::Value;

use super::find_for;
use crate::audit::entry::RecordedEntry;
use crate::domain::access::Operation;
use crate::domain::actor::Actor;
use crate::domain::grant::Grant;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, UserId};
use crate::domain::instruction::Action;
use crate::domain::statement::{READ_WITHIN, ReadAt, STATED};
use crate::domain::time::Timestamp;
use crate::service::vehicles::{NEVER, action_of, read_for_owner};
use crate::service::{Base, Caller, Error, Service};
use crate::storage::audit_entries::{self, EntriesAbout, Subject};
use crate::storage::grant_readings::{self, GrantReading};
use crate::storage::{Page, Priority, decisions};

/// So many entries are in a statement.
const ENTRIES_MAX: usize = 256;
/// So many grants are taken at a time, to have their cars read.
const TAKEN_MAX: i64 = 8;

/// A command that counts for the statement.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// When it was authorized.
    pub at: Timestamp,
    /// The command.
    pub command_id: CommandId,
    /// The entry that says so.
    pub entry_id: AuditEntryId,
}

/// What the car was seen as at one end, as JSON.
#[derive(Debug, Clone)]
pub struct StatedReading {
    /// At which end.
    pub read_at: ReadAt,
    /// The word for what was read.
    pub observable: String,
    /// What was read, and how old it is.
    pub reading: Value,
}

/// How a grant was used.
#[derive(Debug)]
pub struct Statement {
    /// The grant.
    pub grant: Grant,
    /// The owner of the car.
    pub owner_id: UserId,
    /// The first unlock that may have happened.
    pub first_unlock: Option<Used>,
    /// The last lock that may have happened.
    pub last_lock: Option<Used>,
    /// What the car was seen as.
    pub readings: Vec<StatedReading>,
    /// The entries of the record about the grant, oldest first.
    pub entries: Vec<RecordedEntry>,
    /// Whether these are all that are kept here.
    pub is_complete: bool,
}

/// Tells how a grant was used.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn statement(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
) -> Result<Statement, Error> {
    let mut reader = base.store.read().await?;
    let (grant, vehicle, _) =
        find_for(base, &mut reader, caller, Operation::GetStatement, grant_id).await?;
    let about = EntriesAbout {
        subject: Some(Subject::Grant(grant_id)),
        event: None,
        from: None,
        until: None,
    };
    let limit = i64::try_from(ENTRIES_MAX.saturating_add(1)).unwrap_or(i64::MAX);
    let page = Page { before: None, limit };
    let mut entries = audit_entries::list(&mut reader, grant.organization_id, &about, page).await?;
    let is_complete = entries.len() <= ENTRIES_MAX;
    entries.truncate(ENTRIES_MAX);
    entries.reverse();
    let readings = grant_readings::of_grant(&mut reader, grant_id).await?;
    let readings: Result<_, Error> = readings.into_iter().map(stated).collect();
    let (first_unlock, last_lock) = used(&entries);
    let owner_id = vehicle.owner_id;
    let readings = readings?;
    Ok(Statement { grant, owner_id, first_unlock, last_lock, readings, entries, is_complete })
}

fn stated(kept: GrantReading) -> Result<StatedReading, Error> {
    let reading = serde_json::from_str(&kept.reading)
        .map_err(|error| Error::Internal(format!("a kept reading is no JSON: {error}")))?;
    Ok(StatedReading { read_at: kept.read_at, observable: kept.observable, reading })
}

/// The first unlock and the last lock, apart from those that certainly did not happen.
fn used(entries: &[RecordedEntry]) -> (Option<Used>, Option<Used>) {
    let never = entries.iter().filter(|entry| NEVER.contains(&entry.event.as_ref()));
    let never: HashSet<CommandId> = never.filter_map(|entry| entry.command_id).collect();
    let of = |action: Action| {
        entries.iter().filter_map(move |entry| {
            let is_meant = entry.event == "command.authorized" && action_of(entry) == Some(action);
            let command_id = entry.command_id.filter(|_| is_meant)?;
            Some(Used { at: entry.occurred_at, command_id, entry_id: entry.entry_id })
        })
    };
    let may_be = |used: &Used| !never.contains(&used.command_id);
    (of(Action::Unlock).find(may_be), of(Action::Lock).filter(may_be).last())
}

/// Has the cars read of grants that were used for the first time or are over. Returns how many grants that were.
///
/// # Errors
/// [`Error::Storage`].
pub async fn read_ends(service: &Service) -> Result<u64, Error> {
    let mut count = 0;
    for read_at in [ReadAt::Start, ReadAt::End] {
        let taken = service.base.transact("grants.read_ends", Priority::Ordinary, |work| {
            Box::pin(async move {
                Ok(grant_readings::take(&mut work.tx, read_at, work.now, TAKEN_MAX).await?)
            })
        });
        for grant in taken.await? {
            read_end(service, &grant, read_at).await?;
            count += 1;
        }
    }
    Ok(count)
}

async fn read_end(service: &Service, grant: &Grant, read_at: ReadAt) -> Result<(), Error> {
    let mut reader = service.base.store.read().await?;
    let vehicle = decisions::vehicles(&mut reader, &[grant.vehicle_id]).await?.into_iter().next();
    drop(reader);
    let Some(vehicle) = vehicle.map(|row| row.facts) else { return Ok(()) };
    let now = service.base.clock.now();
    let is_late = grant.ended_by(now).is_some_and(|end| now > end.ended_at.plus(READ_WITHIN));
    // Somebody else has the car by now, or had the time to.
    if is_late || vehicle.last_unlocked_by != Some(grant.grantee_id) {
        return Ok(());
    }
    let caller = Caller { actor: Actor::system(grant.organization_id), request_id: None };
    let seen = read_for_owner(service, &caller, grant, vehicle.owner_id, &STATED).await?;
    let mut readings = Vec::with_capacity(seen.len());
    for reading in seen {
        let text = serde_json::json!(reading);
        let observable = text["observable"].as_str().unwrap_or_default().to_owned();
        let kept = GrantReading { read_at, observable, reading: text.to_string() };
        readings.push((kept, reading.fetched_at));
    }
    let (grant_id, readings) = (grant.grant_id, &readings);
    let kept = service.base.transact("grants.keep_readings", Priority::Ordinary, |work| {
        Box::pin(async move { Ok(grant_readings::insert(&mut work.tx, grant_id, readings).await?) })
    });
    kept.await
}

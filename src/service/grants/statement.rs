//! The statement of a grant: how it was used, and what the car was seen as at both ends. Made for a parking fine and for a dispute.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::find_for;
use super::list::with_ends_of_scopes;
use crate::audit::entry::RecordedEntry;
use crate::domain::access::Operation;
use crate::domain::grant::{Grace, Grant};
use crate::domain::id::{AuditEntryId, CommandId, GrantId, UserId};
use crate::domain::instruction::Action;
use crate::domain::statement::Side;
use crate::domain::time::Timestamp;
use crate::service::vehicles::{NEVER, action_of};
use crate::service::{Base, Caller, Error};
use crate::storage::audit_entries::{self, EntriesAbout, Subject};
use crate::storage::grant_readings::{self, GrantReading};
use crate::storage::{Executor, Page};

/// So many entries are in a statement.
const ENTRIES_MAX: usize = 256;
/// So many entries about the car are read at a time, and so many times at most.
const PAGE: i64 = 128;
const PAGES: usize = 64;
/// A grant's entries are no longer than this after its end.
const AFTERWARDS: Duration = Grace::MAX.duration().saturating_add(Duration::from_secs(60 * 60));
/// The clocks of two instances may differ by so much.
const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(4);

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
    pub side: Side,
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
    /// The first unlock that may have happened, if all entries are there.
    pub first_unlock: Option<Used>,
    /// The last lock that may have happened.
    pub last_lock: Option<Used>,
    /// What the car was seen as.
    pub readings: Vec<StatedReading>,
    /// The entries of the record about the grant, oldest first.
    pub entries: Vec<RecordedEntry>,
    /// Whether these are all: neither cut off nor archived.
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
    let grant = with_ends_of_scopes(&mut reader, grant).await?;
    let (mut entries, is_complete) = entries(&mut reader, &grant, base.clock.now()).await?;
    let readings = grant_readings::of_grant(&mut reader, grant_id).await?;
    let readings = readings.into_iter().map(stated).collect::<Result<_, Error>>()?;
    // What is cut off may hold an earlier unlock.
    let (first_unlock, last_lock) = used(&entries);
    let first_unlock = first_unlock.filter(|_| is_complete);
    let is_short = entries.len() <= ENTRIES_MAX;
    entries.drain(..entries.len().saturating_sub(ENTRIES_MAX));
    let (owner_id, is_complete) = (vehicle.owner_id, is_complete && is_short);
    Ok(Statement { grant, owner_id, first_unlock, last_lock, readings, entries, is_complete })
}

/// The entries about a grant, oldest first, among those about its car in its time; and whether the first of all is among them.
async fn entries(
    on: &mut impl Executor,
    grant: &Grant,
    now: Timestamp,
) -> Result<(Vec<RecordedEntry>, bool), Error> {
    let over = grant.ended_by(now).map_or(now, |end| end.ended_at.plus(AFTERWARDS));
    let about = EntriesAbout {
        subject: Some(Subject::Vehicle(grant.vehicle_id)),
        event: None,
        from: None,
        until: Some(over.plus(CLOCKS_MAY_DIFFER)),
    };
    let before = AuditEntryId::least_at(over.plus(CLOCKS_MAY_DIFFER));
    let (mut page, mut found) = (Page { before: Some(before.as_uuid()), limit: PAGE }, Vec::new());
    let since = grant.issued_at.minus(CLOCKS_MAY_DIFFER);
    for _ in 0..PAGES {
        let read = audit_entries::list(on, grant.organization_id, &about, page).await?;
        let last = read.last().map(|entry| (entry.entry_id, entry.occurred_at));
        let is_last = i64::try_from(read.len()) != Ok(PAGE);
        found.extend(read.into_iter().filter(|entry| entry.grant_id == Some(grant.grant_id)));
        match last {
            Some((entry_id, at)) if !is_last && at >= since => {
                page.before = Some(entry_id.as_uuid());
            }
            _ => break,
        }
    }
    found.reverse();
    let has_first = found.first().is_some_and(|entry| entry.event == "grant.issued");
    Ok((found, has_first))
}

fn stated(kept: GrantReading) -> Result<StatedReading, Error> {
    let reading = serde_json::from_str(&kept.reading)
        .map_err(|error| Error::Internal(format!("a kept reading is no JSON: {error}")))?;
    Ok(StatedReading { side: kept.side, observable: kept.observable, reading })
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
    (of(Action::Unlock).find(may_be), of(Action::Lock).rfind(may_be))
}

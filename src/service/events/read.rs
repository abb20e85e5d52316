//! Reading events in the order of the record, from a cursor on.

use std::collections::BTreeMap;

use super::cursor::{After, EventCursor};
use super::published_event::PublishedEvent;
use crate::audit::entry::RecordedEntry;
use crate::domain::access::{self, ActingAs, Object, Operation};
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::published::EventType;
use crate::service::{Base, Caller, Error, StateFault};
use crate::storage::{Reader, organization_entries, record, vehicles};

/// So many entries are looked at for one page, whether they are told or not.
const LOOKED_AT_MAX: usize = 512;

/// Which events.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only of these types; of all if there is none.
    pub types: Vec<EventType>,
    /// Only those about this grant.
    pub grant_id: Option<GrantId>,
    /// Only those about this car.
    pub vehicle_id: Option<VehicleId>,
    /// Only those about this person.
    pub user_id: Option<UserId>,
}

impl EventFilter {
    fn takes(&self, entry: &RecordedEntry, told: &PublishedEvent) -> bool {
        (self.types.is_empty() || self.types.contains(&told.event_type))
            && self.grant_id.is_none_or(|id| entry.grant_id == Some(id))
            && self.vehicle_id.is_none_or(|id| entry.vehicle_id == Some(id))
            && self.user_id.is_none_or(|id| entry.user_id == Some(id))
    }
}

/// Some events, in order.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events, each with the position after its own.
    pub events: Vec<(u64, PublishedEvent)>,
    /// The position after all that was looked at: where to go on.
    pub next: u64,
    /// Whether there was more to look at.
    pub has_more: bool,
}

/// The position at which somebody begins to read.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is not the organization's, and for one from the future.
pub async fn start(base: &Base, caller: &Caller, after: &After) -> Result<u64, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    match after {
        After::Start => Ok(record::state(&mut reader).await?.dropped),
        After::End => Ok(organization_entries::end(&mut reader, organization_id).await?),
        After::Cursor(cursor) => {
            let size = record::state(&mut reader).await?.size;
            let opened = cursor.open(base, organization_id).filter(|next| *next <= size);
            opened.ok_or_else(|| {
                let detail = "must be `start`, `end` or a cursor of an earlier answer";
                Error::invalid("?after", "invalid", detail)
            })
        }
    }
}

/// Whether the organization of the caller has entries from a position on.
///
/// # Errors
/// [`Error::Storage`].
pub async fn has_newer(base: &Base, caller: &Caller, from: u64) -> Result<bool, Error> {
    let mut reader = base.store.read().await?;
    let organization_id = caller.actor.organization_id;
    Ok(organization_entries::has_newer(&mut reader, organization_id, from).await?)
}

/// The events from a position on that concern the caller and that the filter takes, at most so many.
///
/// # Errors
/// [`StateFault::EntriesArchived`] if entries from there on are no longer in the database; [`crate::service::Denial`].
pub async fn read(
    base: &Base,
    caller: &Caller,
    filter: &EventFilter,
    from: u64,
    limit: usize,
) -> Result<EventPage, Error> {
    let acting_as = base.authorize_in_organization(caller, Operation::ListEvents)?;
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let places =
        organization_entries::places(&mut reader, organization_id, from, LOOKED_AT_MAX).await?;
    let placed = organization_entries::entries(&mut reader, organization_id, &places).await?;
    if placed.len() < places.len() {
        return Err(Error::State(StateFault::EntriesArchived));
    }
    let owners = match acting_as {
        ActingAs::Organization => BTreeMap::new(),
        ActingAs::Person(_) => owners(&mut reader, caller, placed.iter().map(|p| &p.entry)).await?,
    };
    let mut page = EventPage { events: Vec::new(), next: from, has_more: false };
    for placed in &placed {
        if page.events.len() == limit {
            page.has_more = true;
            return Ok(page);
        }
        page.next = placed.position.saturating_add(1);
        let event =
            PublishedEvent::of(&placed.entry).filter(|event| filter.takes(&placed.entry, event));
        if let Some(event) = event.filter(|_| concerns(caller, &placed.entry, &owners)) {
            page.events.push((page.next, event));
        }
    }
    page.has_more = places.len() == LOOKED_AT_MAX;
    Ok(page)
}

/// Who owns the cars of these entries.
async fn owners(
    reader: &mut Reader,
    caller: &Caller,
    entries: impl Iterator<Item = &RecordedEntry>,
) -> Result<BTreeMap<VehicleId, UserId>, Error> {
    let mut ids: Vec<VehicleId> = entries.filter_map(|entry| entry.vehicle_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(vehicles::owners(reader, caller.actor.organization_id, &ids).await?)
}

/// Whether an entry is for the caller: for those who read everything, for the person it is about, and for the owner of its
/// car.
fn concerns(caller: &Caller, entry: &RecordedEntry, owners: &BTreeMap<VehicleId, UserId>) -> bool {
    let owner = entry.vehicle_id.and_then(|vehicle_id| owners.get(&vehicle_id).copied());
    let object = Object::entry([entry.user_id, None, None], owner);
    let object = entry.vehicle_id.map_or(object, |vehicle_id| object.about(vehicle_id));
    access::may(&caller.actor, Operation::SeeEvent, &object).is_ok()
}

impl EventPage {
    /// The cursor after all that was looked at.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no randomness.
    pub fn cursor(&self, base: &Base, caller: &Caller) -> Result<EventCursor, Error> {
        EventCursor::seal(base, caller.actor.organization_id, self.next)
    }
}

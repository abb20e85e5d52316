//! Erasing what is known of a person. Their account is closed in the same transaction, and the
//! record keeps what they did under their id alone.

use std::sync::Arc;

use super::close::{end_what_was_lent, require_another_admin};
use super::find_for;
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::id::{ConnectionId, OrganizationId, UserId};
use crate::domain::impairment::ConnectionEnd;
use crate::service::connections::{self, CloudToken, unfinished};
use crate::service::{Base, Caller, Error, Service, StateFault, Work, ends, idempotency};
use crate::storage::decisions::{self, RowsToLock, VehicleRow};
use crate::storage::{Priority, connections as stored, consents, personal_data, users};

/// A person of whom nothing is known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Identifies the person, whose name nobody knows here any more.
    pub user_id: UserId,
    /// Whether the vehicle cloud has ended all their consents too.
    pub ended_upstream: bool,
}

/// Erases a person: for themself, or for an administrator. A second time changes
/// nothing and has the same answer.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`], [`Error::NotFound`], [`StateFault::LastAdmin`]; [`StateFault::VehicleHeld`] for somebody
/// who erases themself while the organization holds a car of theirs.
pub async fn erase(service: &Service, caller: &Caller, user_id: UserId) -> Result<Erased, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = service.base.store.read().await?;
    find_for(&service.base, &mut reader, caller, Operation::EraseUser, user_id).await?;
    let owned = stored::of_owner(&mut reader, organization_id, user_id).await?;
    drop(reader);
    // Afterwards the tokens are gone, and with them the way to tell the cloud.
    let (mut connections, mut waiting) = (Vec::new(), Vec::new());
    let mut reader = service.base.store.read().await?;
    for &connection_id in &owned {
        waiting.extend(consents::waiting(&mut reader, connection_id).await?);
    }
    drop(reader);
    for connection_id in owned {
        let access = service.access_tokens.get(service, connection_id).await.ok();
        connections.push((connection_id, access));
    }
    let ended = erase_here(&service.base, caller, user_id).await?;
    let mut ended_upstream = end_upstream(service, &connections, &ended).await;
    for consent in &waiting {
        ended_upstream &= unfinished::end_upstream(service, consent).await?;
    }
    match service.base.store.db().clear_erased().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("somebody reads the database: its log still holds old content"),
        Err(error) => tracing::warn!(%error, "the database still holds old content"),
    }
    Ok(Erased { user_id, ended_upstream })
}

/// The cars of each connection that was ended.
type EndedConnections = Vec<(ConnectionId, Vec<VehicleRow>)>;

async fn erase_here(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
) -> Result<EndedConnections, Error> {
    let organization_id = caller.actor.organization_id;
    let erased = base.transact(Operation::EraseUser.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let mut end = None;
            if caller.actor.user_id() == Some(user_id) {
                require_no_held_car(work, organization_id, user_id).await?;
            }
            if let Some(user) = users::find(&mut work.tx, organization_id, user_id).await? {
                require_another_admin(&mut work.tx, &user).await?;
            }
            if users::disable(&mut work.tx, organization_id, user_id, work.now).await? {
                work.record(caller, Event::UserDisabled { user_id })?;
                end = Some(end_what_was_lent(base, work, caller, user_id).await?);
            }
            let (tx, now) = (&mut work.tx, work.now);
            let mut events = Vec::new();
            let mut ended = Vec::new();
            for connection_id in stored::of_owner(tx, organization_id, user_id).await? {
                let by = ConnectionEnd::Erased;
                let (cars, happened) =
                    connections::end_here(tx, connection_id, user_id, by, now).await?;
                events.extend(happened);
                ended.push((connection_id, cars));
            }
            idempotency::forget_about(base, tx, organization_id, user_id).await?;
            if personal_data::erase(tx, organization_id, user_id, now).await? {
                events.push(Event::UserPersonalDataErased { user_id });
            }
            work.record_all(caller, events)?;
            Ok((ended, end))
        })
    });
    let (ended, end) = erased.await?;
    if let Some(end) = end {
        ends::carry_out_or_leave(base, caller, end).await;
    }
    Ok(ended)
}

/// Refuses to forget the cloud's name of a car that the organization holds: another account could connect it then. An
/// administrator may, whose word the hold is.
async fn require_no_held_car(
    work: &mut Work<'_>,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<(), Error> {
    let vehicle_ids = personal_data::cars_of(&mut work.tx, organization_id, user_id).await?;
    let asked = RowsToLock { vehicle_ids, ..RowsToLock::default() };
    let cars = decisions::lock_rows(&mut work.tx, asked).await?.vehicles;
    if cars.iter().any(|car| car.facts.holds.keep_car(work.now)) {
        return Err(Error::State(StateFault::VehicleHeld));
    }
    Ok(())
}

async fn end_upstream(
    service: &Service,
    connections: &[(ConnectionId, Option<Arc<CloudToken>>)],
    ended: &EndedConnections,
) -> bool {
    let mut all = true;
    for (connection_id, cars) in ended {
        service.access_tokens.forget(*connection_id);
        let access = connections.iter().find(|(id, _)| id == connection_id);
        all &= match access.and_then(|(_, access)| access.as_ref()) {
            Some(token) => connections::end_upstream(service, token, cars).await,
            None => cars.is_empty(),
        };
    }
    all
}

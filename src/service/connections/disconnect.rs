//! Ending a connection: here at once and for good, then at the vehicle cloud. If the cloud cannot be
//! reached, what is left there can no longer be used from here.

use super::unfinished;
use crate::domain::access::Operation;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::grant::{End, EndReason};
use crate::domain::id::{ConnectionId, GrantId, UserId, VehicleId};
use crate::domain::impairment::{ConnectionEnd, ConnectionReason};
use crate::domain::time::Timestamp;
use crate::service::connections::CloudToken;
use crate::service::{Base, Caller, Error, Service};
use crate::storage::decisions::VehicleRow;
use crate::storage::{Priority, Tx, connections, consents, grants, vehicle_connections};

/// A connection that was ended.
#[derive(Debug)]
pub struct Disconnected {
    /// The connection as it is now.
    pub connection: Connection,
    /// Whether the cloud has ended it too, for every car.
    pub ended_upstream: bool,
}

/// Ends a connection, for its owner, an administrator or an API client for them: its cars leave the
/// service, and every grant for them ends.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn disconnect(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
) -> Result<Disconnected, Error> {
    let operation = Operation::Disconnect;
    let connection = super::find_for(&service.base, caller, operation, connection_id).await?;
    // Afterwards the tokens are gone, and with them the way to tell the cloud.
    let access = match connection.status {
        ConnectionStatus::Active => service.access_tokens.get(service, connection_id).await.ok(),
        ConnectionStatus::Pending
        | ConnectionStatus::Consented
        | ConnectionStatus::Failed
        | ConnectionStatus::Lost => None,
    };
    let waiting = consents::waiting(&mut service.base.store.read().await?, connection_id).await?;
    let cars = end(&service.base, caller, &connection).await?;
    service.access_tokens.forget(connection_id);
    let ended_upstream = match (access, waiting) {
        (Some(token), _) => end_upstream(service, &token, &cars).await,
        (None, Some(waiting)) => unfinished::end_upstream(service, &waiting).await?,
        (None, None) => cars.is_empty(),
    };
    let connection = super::find_for(&service.base, caller, operation, connection_id).await?;
    Ok(Disconnected { connection, ended_upstream })
}

async fn end(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
) -> Result<Vec<VehicleRow>, Error> {
    let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
    base.transact(Operation::Disconnect.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let by = ConnectionEnd::Disconnected;
            let (cars, events) = end_here(tx, connection_id, user_id, by, now).await?;
            work.record_all(caller, events)?;
            Ok(cars)
        })
    })
    .await
}

/// Ends a connection in the caller's transaction: its cars leave the service, and every grant for them
/// ends. Returns the cars as they were, and what is to be recorded.
pub(in crate::service) async fn end_here(
    tx: &mut Tx,
    connection_id: ConnectionId,
    user_id: UserId,
    by: ConnectionEnd,
    now: Timestamp,
) -> Result<(Vec<VehicleRow>, Vec<Event>), Error> {
    let cars = vehicle_connections::of_connection(tx, connection_id).await?;
    let reason = ConnectionReason::Ended(by);
    let was_in_use = connections::end(tx, connection_id, &reason).await?;
    let removed = vehicle_connections::remove(tx, connection_id, now).await?;
    let mut events = Vec::new();
    // One that is under way never completes.
    if connections::fail(tx, connection_id, &reason).await? {
        events.push(Event::ConnectionFailed { connection_id, user_id, reason });
    }
    if was_in_use || !removed.is_empty() {
        let vehicles = removed.len();
        events.push(Event::ConnectionEnded { connection_id, user_id, vehicles });
    }
    for vehicle_id in removed {
        events.push(Event::VehicleRemoved { vehicle_id, user_id });
        events.extend(end_grants(tx, vehicle_id, now).await?);
    }
    Ok((cars, events))
}

/// Takes one car out of the service and ends every grant for it; returns what is to be recorded.
pub(super) async fn remove_car(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    if !vehicle_connections::remove_one(tx, vehicle_id, now).await? {
        return Ok(Vec::new());
    }
    removed_car(tx, vehicle_id, user_id, now).await
}

/// Ends every grant for a car that was taken out of the service; returns what is to be recorded.
pub(super) async fn removed_car(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    let mut events = vec![Event::VehicleRemoved { vehicle_id, user_id }];
    events.extend(end_grants(tx, vehicle_id, now).await?);
    Ok(events)
}

async fn end_grants(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    let end_reason = EndReason::VehicleRemoved;
    let end = End { ended_at: now, end_reason, leave_lock: false };
    let alive = grants::alive_of_vehicle(tx, vehicle_id, now).await?;
    let alive: Vec<GrantId> = alive.iter().map(|grant| grant.grant_id).collect();
    let ended = grants::end_each(tx, &alive, end).await?.into_iter().map(|grant| {
        let (grant_id, grantee_id, grant_revision) =
            (grant.grant_id, grant.grantee_id, grant.revision);
        Event::GrantEnded {
            grant_id,
            vehicle_id,
            grantee_id,
            grant_revision,
            end_reason,
            end_id: None,
        }
    });
    Ok(ended.collect())
}

/// Ends a connection at the vehicle cloud; returns whether it has ended there for every car.
pub(in crate::service) async fn end_upstream(
    service: &Service,
    token: &CloudToken,
    cars: &[VehicleRow],
) -> bool {
    let mut all = true;
    for car in cars {
        let ended = service.connector.disconnect(&token.access, &car.provider_vehicle_id).await;
        // A consent that is gone has ended. API v2 calls it a missing permission, and ending one needs none.
        if let Err(error) = ended
            && !matches!(error.fault, Fault::ConsentLost | Fault::Permission)
        {
            let vehicle_id = car.facts.vehicle_id;
            tracing::warn!(%vehicle_id, %error, "the vehicle cloud did not end a consent");
            all = false;
        }
    }
    all
}

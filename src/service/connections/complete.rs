//! The owner shows that the browser that consented was theirs: only then do the cars exist for anybody. Whoever was
//! sent to the consent page by somebody else has the code, and the somebody has not.

use super::consent::{KeptCar, KeptConsent};
use super::disconnect::remove_car;
use super::{faults, find_for};
use crate::domain::access::Operation;
use crate::domain::connection::{COMPLETION_TIME, Connection, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::id::{ConnectionId, VehicleId};
use crate::domain::impairment::{ConnectionEnd, ConnectionReason};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::{Base, Caller, Error, Service, StateFault, Work, users};
use crate::signing::secret;
use crate::storage::decisions::VehicleRow;
use crate::storage::{
    Priority, StorageError, connections, consents, vehicle_connections, vehicles,
};

/// A connection that is complete.
#[derive(Debug)]
pub struct Completed {
    /// The connection.
    pub connection: Connection,
    /// The owner's cars that came with it.
    pub vehicles: Vec<Vehicle>,
    /// Cars that came with it and stay with their owner here, who consents to them still.
    pub others: Vec<Vehicle>,
}

/// Completes a connection, for who started it or an API client for them. A car has one owner in an organization: if
/// another one's consent, asked now, is dead, the car moves and its grants end; if it is alive, the car stays.
///
/// # Errors
/// [`Error::NotFound`] for another's connection; [`StateFault::ConsentNotPending`] if no consent waits or its five
/// minutes are over; [`StateFault::CompletionCodeWrong`].
pub async fn complete(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
    code: &str,
) -> Result<Completed, Error> {
    let base = &service.base;
    let connection = find_for(base, caller, Operation::CompleteConnection, connection_id).await?;
    let consent = &try_code(base, caller, &connection, code).await?;
    ask_others(service, &connection, consent).await?;
    let completed = base.transact("connections.complete", Priority::Ordinary, |work| {
        Box::pin(async { keep(base, work, caller, &connection, consent).await })
    });
    completed.await
}

/// Compares the code; a try is spent before, and stays spent.
async fn try_code(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    code: &str,
) -> Result<KeptConsent, Error> {
    let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
    let presented = secret::hash_of_pair(&connection_id.to_string(), code);
    let sealed = base.transact("connections.try_code", Priority::Ordinary, |work| {
        Box::pin(async move {
            let consented_after = work.now.minus(COMPLETION_TIME);
            let tx = &mut work.tx;
            let spent = consents::spend_try(tx, connection_id, consented_after).await?;
            let spent = spent.ok_or(Error::State(StateFault::ConsentNotPending))?;
            if secret::hashes_equal(&presented, &spent.completion_hash) {
                return Ok(Some(spent.sealed_consent));
            }
            let mut events = vec![Event::ConnectionCodeRefused { connection_id, user_id }];
            if spent.tries_left == 0 {
                let reason = ConnectionReason::Ended(ConnectionEnd::NotCompleted);
                connections::fail(tx, connection_id, &reason).await?;
                events.push(Event::ConnectionFailed { connection_id, user_id, reason });
            }
            work.record_all(caller, events)?;
            Ok(None)
        })
    });
    let sealed = sealed.await?.ok_or(Error::State(StateFault::CompletionCodeWrong))?;
    KeptConsent::unseal(base, connection_id, &sealed)
}

/// Cars of other owners in the organization that came with this consent.
async fn of_others(
    on: &mut impl crate::storage::Executor,
    connection: &Connection,
    consent: &KeptConsent,
) -> Result<Vec<VehicleRow>, Error> {
    let names: Vec<&str> = consent.cars.iter().map(|car| &*car.provider_vehicle_id).collect();
    let owner = (connection.organization_id, connection.owner_id);
    Ok(vehicle_connections::of_others(on, owner, &names).await?)
}

/// Has the vehicle cloud say of each whether its owner still consents. What it does not answer stays as it is.
async fn ask_others(
    service: &Service,
    connection: &Connection,
    consent: &KeptConsent,
) -> Result<(), Error> {
    let mut reader = service.base.store.read().await?;
    let others = of_others(&mut reader, connection, consent).await?;
    drop(reader);
    for car in others.iter().filter(|car| is_consented(car)) {
        if let Err(error) = faults::verify(service, car).await {
            let vehicle_id = car.facts.vehicle_id;
            tracing::warn!(%vehicle_id, error = ?error, "it is not known whether its owner consents");
        }
    }
    Ok(())
}

fn is_consented(car: &VehicleRow) -> bool {
    car.facts.connection_status == ConnectionStatus::Active
        && car.facts.permissions.iter().next().is_some()
}

async fn keep(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    connection: &Connection,
    consent: &KeptConsent,
) -> Result<Completed, Error> {
    let (connection_id, user_id, now) = (connection.connection_id, connection.owner_id, work.now);
    users::find_open(&mut work.tx, caller, user_id).await?;
    let activation = consent.activation(base, connection_id)?;
    match consents::activate(&mut work.tx, connection_id, activation).await {
        Err(StorageError::LostRace) => return Err(Error::State(StateFault::ConsentNotPending)),
        other => other?,
    }
    let others = of_others(&mut work.tx, connection, consent).await?;
    let mut events = Vec::new();
    for dead in others.iter().filter(|car| !is_consented(car)) {
        let (vehicle_id, owner_id) = (dead.facts.vehicle_id, dead.facts.owner_id);
        events.extend(remove_car(&mut work.tx, vehicle_id, owner_id, now).await?);
    }
    let stays = |car: &KeptCar| {
        let mut alive = others.iter().filter(|other| is_consented(other));
        alive.any(|other| other.provider_vehicle_id == car.provider_vehicle_id)
    };
    let (mut owned, mut staying) = (Vec::new(), Vec::new());
    for car in &consent.cars {
        let mut vehicle = vehicle(base.entropy.id(now)?, connection, car, now);
        if stays(car) {
            staying.push(vehicle);
            continue;
        }
        vehicle.vehicle_id = vehicles::upsert(&mut work.tx, &vehicle).await?;
        let vehicle_id = vehicle.vehicle_id;
        events.push(Event::VehicleConnected { vehicle_id, user_id, connection_id });
        owned.push(vehicle);
    }
    events.insert(0, Event::ConnectionCompleted { connection_id, user_id, vehicles: owned.len() });
    work.record_all(caller, events)?;
    let connection = Connection { status: ConnectionStatus::Active, ..connection.clone() };
    Ok(Completed { connection, vehicles: owned, others: staying })
}

/// A car as it is kept.
fn vehicle(
    vehicle_id: VehicleId,
    connection: &Connection,
    car: &KeptCar,
    now: Timestamp,
) -> Vehicle {
    Vehicle {
        vehicle_id,
        organization_id: connection.organization_id,
        owner_id: connection.owner_id,
        connection_id: connection.connection_id,
        provider_vehicle_id: car.provider_vehicle_id.clone(),
        make: car.make.clone(),
        model: car.model.clone(),
        year: car.year,
        permissions: car.permissions(),
        suspended_reason: None,
        removed_at: None,
        connected_at: now,
    }
}

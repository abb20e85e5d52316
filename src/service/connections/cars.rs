//! The cars of a consent that is completed: which come to the person who completes it, and which stay with their owner
//! in the organization.

use super::consent::{KeptCar, KeptConsent};
use super::disconnect::{remove_car, removed_car};
use super::faults;
use crate::domain::calendar::{Buffer, Sharing};
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::event::{Event, TransferStep};
use crate::domain::id::{UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::{Base, Error, Service};
use crate::storage::decisions::{self, RowsToLock, VehicleRow};
use crate::storage::{Executor, Tx, vehicle_connections, vehicles};

/// What became of the cars of a consent.
pub(super) struct Taken {
    /// How many are the owner's now.
    pub(super) owned: usize,
    /// Those that stay with another person, who consents to them still and has not let them go.
    pub(super) staying: Vec<KeptCar>,
    /// What is to be recorded.
    pub(super) events: Vec<Event>,
}

/// Cars of other owners in the organization that came with this consent.
async fn of_others(
    on: &mut impl Executor,
    connection: &Connection,
    consent: &KeptConsent,
) -> Result<Vec<VehicleRow>, Error> {
    let names: Vec<&str> = consent.cars.iter().map(|car| &*car.provider_vehicle_id).collect();
    let owner = (connection.organization_id, connection.owner_id);
    Ok(vehicle_connections::of_others(on, owner, &names).await?)
}

/// Has the vehicle cloud say of each whether its owner still consents. What it does not answer stays as it is.
pub(super) async fn ask_others(
    service: &Service,
    connection: &Connection,
    consent: &KeptConsent,
) -> Result<(), Error> {
    let mut reader = service.base.store.read().await?;
    let others = of_others(&mut reader, connection, consent).await?;
    drop(reader);
    for car in others.iter().filter(|car| is_consented(car) && !car.facts.removed) {
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

/// Gives the owner of a connection the cars that came with it, but for those whose other owner still consents and does
/// not let them go.
pub(super) async fn take(
    base: &Base,
    tx: &mut Tx,
    connection: &Connection,
    consent: &KeptConsent,
    now: Timestamp,
) -> Result<Taken, Error> {
    let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
    let others = of_others(tx, connection, consent).await?;
    let vehicle_ids = others.iter().map(|other| other.facts.vehicle_id).collect();
    // Nobody holds one of them, connects it again or lets it go before this is over.
    let asked = RowsToLock { vehicle_ids, ..RowsToLock::default() };
    let others = decisions::lock_rows(tx, asked).await?.vehicles;
    let (mut owned, mut staying, mut events) = (0, Vec::new(), Vec::new());
    let mut stay = Vec::new();
    for other in &others {
        match let_go(tx, other, user_id, now).await? {
            Some(happened) => events.extend(happened),
            None => stay.push(&other.provider_vehicle_id),
        }
    }
    for car in &consent.cars {
        if stay.contains(&&car.provider_vehicle_id) {
            staying.push(car.clone());
            continue;
        }
        let vehicle = vehicle(base.entropy.id(now)?, connection, car, now);
        let vehicle_id = vehicles::upsert(tx, &vehicle).await?;
        events.push(Event::VehicleConnected { vehicle_id, user_id, connection_id });
        owned += 1;
    }
    Ok(Taken { owned, staying, events })
}

/// Takes a car from its owner in the organization whose consent is dead, or who lets this person take it; returns what
/// is to be recorded, or `None` if it stays. One that the organization holds stays, also if it has left the service.
async fn let_go(
    tx: &mut Tx,
    car: &VehicleRow,
    to: UserId,
    now: Timestamp,
) -> Result<Option<Vec<Event>>, Error> {
    let (vehicle_id, user_id) = (car.facts.vehicle_id, car.facts.owner_id);
    if car.facts.holds.keep_car(now) {
        return Ok(None);
    }
    if car.facts.removed {
        return Ok(Some(Vec::new()));
    }
    if !is_consented(car) {
        return Ok(Some(remove_car(tx, vehicle_id, user_id, now).await?));
    }
    if !vehicle_connections::remove_offered(tx, vehicle_id, to, now).await? {
        return Ok(None);
    }
    let step = TransferStep::Taken { to };
    let mut events = vec![Event::VehicleTransfer { vehicle_id, user_id, step }];
    events.extend(removed_car(tx, vehicle_id, user_id, now).await?);
    Ok(Some(events))
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
        label: None,
        plate: None,
        colour: None,
        vin: None,
        metadata: None,
        external_ref: None,
        sharing: Sharing::Shared,
        buffer: Buffer::default(),
        version: 1,
    }
}

//! Reading from a car: every read is decided on like a command, and recorded, before the vehicle
//! cloud is asked.

use super::observe;
use crate::domain::event::Event;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::policy::{self, Decision, Facts, GrantFacts, Reason, Request};
use crate::domain::reading::{Observable, Reading};
use crate::domain::time::Timestamp;
use crate::service::{Caller, Error, Service};
use crate::storage::decisions::{self, VehicleRow};
use crate::storage::{StorageError, Tx, repeat};

/// Whose right a read rests on, and which car it is about; without a grant the person must be the
/// owner.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Whose right.
    pub user_id: UserId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// The grant it rests on.
    pub grant_id: Option<GrantId>,
}

/// Reads one thing.
///
/// # Errors
/// [`Error::Refused`] if the policy says no; [`Error::Connector`] if the cloud does not answer.
pub async fn read(
    service: &Service,
    caller: &Caller,
    read: Read,
    observable: Observable,
) -> Result<Reading, Error> {
    let mut answers = read_batch(service, caller, read, &[observable]).await?;
    answers.pop().unwrap_or(Err(Error::NotFound))
}

/// Reads several things, with an answer for each in the order of the request. One may be refused
/// and another read.
///
/// # Errors
/// [`Error::NotFound`] for a car or grant that is not there.
pub async fn read_batch(
    service: &Service,
    caller: &Caller,
    read: Read,
    observables: &[Observable],
) -> Result<Vec<Result<Reading, Error>>, Error> {
    service.must_agree()?;
    let (vehicle, decisions) = repeat(|| authorize(service, caller, read, observables)).await?;
    let allowed: Vec<Observable> = observables
        .iter()
        .zip(&decisions)
        .filter(|(_, refusal)| refusal.is_none())
        .map(|(&observable, _)| observable)
        .collect();
    let mut seen = observe::read(service, &vehicle, &allowed).await.into_iter();
    let answer = |refusal: Option<Vec<Reason>>| match refusal {
        Some(reasons) => Err(Error::Refused(reasons)),
        None => seen.next().unwrap_or(Err(Error::NotFound)),
    };
    Ok(decisions.into_iter().map(answer).collect())
}

/// Decides on all reads in one transaction and records each decision. Gives the car's address at
/// the vehicle cloud, and for each read why it is refused, if it is.
async fn authorize(
    service: &Service,
    caller: &Caller,
    read: Read,
    observables: &[Observable],
) -> Result<(VehicleRow, Vec<Option<Vec<Reason>>>), Error> {
    let mut tx = service.store.begin().await?;
    let (vehicle, claimed) = facts(&mut tx, caller, read).await?;
    let facts = Facts { vehicle: &vehicle.facts, grant: claimed.as_ref() };
    let now = service.clock.now();
    let refusals: Vec<Option<Vec<Reason>>> =
        observables.iter().map(|&observable| refusal(facts, read, observable, now)).collect();
    if refusals.iter().any(Option::is_none) {
        claim(&mut tx, &vehicle, claimed.as_ref()).await?;
    }
    let decided = observables.iter().zip(&refusals);
    let events = decided.map(|(&observable, refusal)| event(read, observable, refusal.clone()));
    service.record(&mut tx, caller, now, events.collect::<Vec<_>>()).await?;
    tx.commit().await?;
    Ok((vehicle, refusals))
}

fn refusal(
    facts: Facts<'_>,
    read: Read,
    observable: Observable,
    now: Timestamp,
) -> Option<Vec<Reason>> {
    let Read { user_id, vehicle_id, .. } = read;
    let entitlement = observable.entitlement();
    let request = Request { user_id, vehicle_id, entitlement, spends_use: false };
    match policy::decide(facts, &request, now) {
        Decision::Allow(_) => None,
        Decision::Deny(reasons) => Some(reasons),
    }
}

fn event(read: Read, observable: Observable, refusal: Option<Vec<Reason>>) -> Event {
    let Read { user_id, vehicle_id, grant_id } = read;
    match refusal {
        None => Event::VehicleRead { vehicle_id, grant_id, user_id, observable },
        Some(reasons) => {
            Event::VehicleReadRefused { vehicle_id, grant_id, user_id, observable, reasons }
        }
    }
}

/// What a read is decided on; a car or grant of another organization is not there (P10).
async fn facts(
    tx: &mut Tx,
    caller: &Caller,
    read: Read,
) -> Result<(VehicleRow, Option<GrantFacts>), Error> {
    let organization_id = caller.actor.organization_id;
    let vehicle = decisions::vehicles(tx, &[read.vehicle_id]).await?.into_iter().next();
    let vehicle = vehicle.filter(|row| row.organization_id == organization_id);
    let vehicle = vehicle.ok_or(Error::NotFound)?;
    let Some(grant_id) = read.grant_id else { return Ok((vehicle, None)) };
    let found = decisions::grants(tx, &[grant_id]).await?.into_iter().next();
    let found = found.filter(|facts| facts.grant.organization_id == organization_id);
    Ok((vehicle, Some(found.ok_or(Error::NotFound)?)))
}

/// Holds on to the rows that were decided on, so that no revocation commits in between (P2).
async fn claim(
    tx: &mut Tx,
    vehicle: &VehicleRow,
    claimed: Option<&GrantFacts>,
) -> Result<(), Error> {
    let held = match claimed {
        Some(facts) => {
            let claim = (facts.grant.grant_id, facts.grant.revision, 0);
            decisions::claim_grants(tx, &[claim]).await?.len()
        }
        None => {
            let claim = (vehicle.facts.vehicle_id, vehicle.revision);
            decisions::claim_vehicles(tx, &[claim]).await?.len()
        }
    };
    if held == 1 { Ok(()) } else { Err(Error::Storage(StorageError::LostRace)) }
}

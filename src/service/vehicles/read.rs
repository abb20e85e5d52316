//! Reading from a car: every read is decided on like a command, and recorded, before the vehicle
//! cloud is asked.

use super::observe;
use super::read_gate::{DecidedReads, Read};
use crate::domain::access::Sought;
use crate::domain::id::{UserId, VehicleId};
use crate::domain::policy::Reason;
use crate::domain::reading::{Observable, Reading};
use crate::service::budget::Spender;
use crate::service::pace::{Lane, Shown, Use};
use crate::service::{Caller, Error, Service};

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
    answers.pop().unwrap_or(Err(Error::NotFound(Sought::VEHICLE_OR_GRANT)))
}

/// Reads several things, with an answer for each in the order of the request. One may be refused
/// and another read.
///
/// # Errors
/// [`Error::NotFound`] for a car or grant that is not there, [`Error::Throttled`].
pub async fn read_batch(
    service: &Service,
    caller: &Caller,
    read: Read,
    observables: &[Observable],
) -> Result<Vec<Result<Reading, Error>>, Error> {
    let Read { user_id, grant_id, token, .. } = read;
    let used = Use { caller, user_id, grant_id, shown: Shown::by(token.is_some()) };
    service.base.pace.admit_use(used, Lane::Other)?;
    let DecidedReads { vehicle, refusals, .. } =
        service.reads.submit(caller, read, observables).await?;
    let allowed: Vec<Observable> = observables
        .iter()
        .zip(&refusals)
        .filter(|(_, refusal)| refusal.is_none())
        .map(|(&observable, _)| observable)
        .collect();
    let mut seen =
        observe::read(service, &vehicle, read.grant_id.into(), &allowed).await?.into_iter();
    let answer = |refusal: Option<Vec<Reason>>| match refusal {
        Some(reasons) => Err(Error::Refused(reasons)),
        None => seen.next().unwrap_or(Err(Error::NotFound(Sought::VEHICLE_OR_GRANT))),
    };
    Ok(refusals.into_iter().map(answer).collect())
}

/// Reads what can be read for the owner of a car, by their right and at the expense of somebody else. What is refused, does not
/// answer or is beyond the budget is missing.
///
/// # Errors
/// [`Error::NotFound`] for a car that is not there; [`Error::Overloaded`], [`Error::NotDurable`].
pub(in crate::service) async fn read_for_owner(
    service: &Service,
    caller: &Caller,
    (vehicle_id, owner_id): (VehicleId, UserId),
    spender: Spender,
    observables: &[Observable],
) -> Result<Vec<Reading>, Error> {
    if observables.is_empty() {
        return Ok(Vec::new());
    }
    let read = Read { user_id: owner_id, vehicle_id, grant_id: None, token: None };
    let DecidedReads { vehicle, refusals, .. } =
        service.reads.submit(caller, read, observables).await?;
    let asked = observables.iter().copied().zip(&refusals);
    let allowed: Vec<Observable> =
        asked.filter(|(_, refusal)| refusal.is_none()).map(|(observable, _)| observable).collect();
    let seen = observe::read(service, &vehicle, spender, &allowed).await?;
    Ok(seen.into_iter().filter_map(Result::ok).collect())
}

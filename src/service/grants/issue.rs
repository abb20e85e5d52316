//! Issuing a grant: the owner of the car, or an API client for them.

use super::{calendar, lock_missing, missing_permissions};
use crate::domain::access::{Operation, Sought};
use crate::domain::amendment::Terms;
use crate::domain::entitlement::Entitlement;
use crate::domain::event::Event;
use crate::domain::grant::{Description, Grant};
use crate::domain::hold::Holder;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::policy::{GrantFacts, Reason, VehicleFacts};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::failpoint::{self, Failpoint};
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, Service, StateFault, Violation, Work, vehicles};
use crate::storage::decisions::{self, LockedRows, RowsToLock};
use crate::storage::grants::StoodBy;
use crate::storage::{Priority, grants, users};

const ISSUE: &str = "grants.issue";

/// What a grant is made from.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The car to lend.
    pub vehicle_id: VehicleId,
    /// Who may use it.
    pub grantee_id: UserId,
    /// What it allows; at least one thing.
    pub terms: Terms,
    /// What describes it.
    pub description: Description,
}

/// Issues a grant.
///
/// # Errors
/// [`Error::NotFound`] for a car the caller does not know of, [`crate::service::Denial::NotTheOwner`],
/// [`Error::Invalid`] for a grantee who is not there or for an entitlement that the owner did not
/// permit at the vehicle cloud, [`crate::service::StateFault::AccountRecovered`], [`Error::WindowTaken`].
pub async fn issue(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: NewGrant,
) -> Result<Answer<Grant>, Error> {
    let new = &new;
    let issued = service
        .base
        .transact(ISSUE, Priority::Ordinary, |work| {
            Box::pin(async move {
                if let Some(answer) =
                    idempotency.find_or_take(&service.base, &mut work.tx, caller, ISSUE).await?
                {
                    return Ok(answer);
                }
                let operation = Operation::IssueGrant;
                let (vehicle, acting_as) = vehicles::find_for(
                    &service.base,
                    &mut work.tx,
                    caller,
                    operation,
                    new.vehicle_id,
                )
                .await?;
                let to_lend = lock(&service.base, work, caller, new, None).await?;
                let grant = lend(&service.base, work, new, &vehicle, &to_lend).await?;
                // The key belongs to the one who sent it, the entry names for whom.
                idempotency.keep(&service.base, &mut work.tx, caller, ISSUE, &grant).await?;
                work.record(&caller.acting_as(acting_as), event(&grant, None))?;
                failpoint::reached(Failpoint::GrantIssued);
                Ok(Answer::fresh(grant))
            })
        })
        .await?;
    failpoint::reached(Failpoint::GrantIssueCommitted);
    Ok(issued)
}

/// Adds a grant, once what it is checked against is locked.
pub(super) async fn lend(
    base: &Base,
    work: &mut Work<'_>,
    new: &NewGrant,
    vehicle: &Vehicle,
    to_lend: &ToLend,
) -> Result<Grant, Error> {
    check(new, to_lend)?;
    let grant = grant(base.entropy.id(work.now)?, new, vehicle, to_lend.issued_at);
    calendar::require_free(work, &grant).await?;
    grants::insert(&mut work.tx, &grant, to_lend.stood_by).await?;
    Ok(grant)
}

fn grant(grant_id: GrantId, new: &NewGrant, vehicle: &Vehicle, issued_at: Timestamp) -> Grant {
    Grant {
        grant_id,
        organization_id: vehicle.organization_id,
        vehicle_id: vehicle.vehicle_id,
        issuer_id: vehicle.owner_id,
        grantee_id: new.grantee_id,
        entitlements: new.terms.entitlements.clone(),
        validity: new.terms.validity,
        grace: new.terms.grace,
        uses_max: new.terms.uses_max,
        require_device_key: new.terms.require_device_key,
        uses: 0,
        end: None,
        revision: 1,
        version: 1,
        description: new.description.clone(),
        issued_at,
    }
}

/// What the record says of a new grant.
pub(super) fn event(grant: &Grant, instead_of: Option<GrantId>) -> Event {
    Event::GrantIssued {
        grant_id: grant.grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        terms: Terms::of(grant),
        instead_of,
    }
}

/// What a grant is checked against, locked: nobody closes the grantee's account, takes the car away or ends all of a scope
/// before this grant is there, and it is no part of an end that is being carried out.
pub(super) struct ToLend {
    /// The car.
    vehicle: VehicleFacts,
    /// The grant whose place the new one takes, and its car.
    before: Option<(GrantFacts, VehicleFacts)>,
    /// Whether the grantee is somebody of the organization whose account is open.
    is_open: bool,
    issued_at: Timestamp,
    stood_by: StoodBy,
}

impl ToLend {
    /// The grant whose place the new one takes, as it is with what has ended it, and what keeps it from being used but for its
    /// car and its time: another grant would be free of that.
    pub(super) fn before(&self, now: Timestamp) -> Option<(Grant, Vec<Reason>)> {
        let (claimed, car) = self.before.as_ref()?;
        let is_held = claimed.holds.forbid(Holder::Guest, Entitlement::Unlock, now);
        let kept_from = [
            (Reason::GrantHeld, is_held),
            (Reason::AccountRecovered, claimed.grantee_recovered),
            (Reason::ConsentReturned, claimed.vehicle_consents != car.consents),
        ];
        let reasons = kept_from.into_iter().filter(|(_, is_so)| *is_so).map(|(reason, _)| reason);
        Some((claimed.with_ends_of_scopes(car).into_owned(), reasons.collect()))
    }
}

/// Locks people before cars, as in what closes accounts, and the grant whose place the new one takes.
pub(super) async fn lock(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    new: &NewGrant,
    before: Option<&Grant>,
) -> Result<ToLend, Error> {
    let organization_id = caller.actor.organization_id;
    let borrower = users::lock_to_lend(&mut work.tx, organization_id, new.grantee_id).await?;
    let cars = before.map(|grant| grant.vehicle_id).into_iter();
    let vehicle_ids = cars.chain([new.vehicle_id]).collect();
    let grant_ids = before.map(|grant| grant.grant_id).into_iter().collect();
    let asked = RowsToLock { vehicle_ids, grant_ids, ..RowsToLock::default() };
    let LockedRows { vehicles, grants, .. } = decisions::lock_rows(&mut work.tx, asked).await?;
    let car = |id| vehicles.iter().map(|row| &row.facts).find(|facts| facts.vehicle_id == id);
    let vehicle = car(new.vehicle_id).ok_or(Error::NotFound(Sought::of(new.vehicle_id)))?.clone();
    let before = grants
        .first()
        .and_then(|claimed| Some((claimed.clone(), car(claimed.grant.vehicle_id)?.clone())));
    // Once they are locked: the grant is later than all that was ended before it.
    work.now = base.clock.now();
    let of_borrower = borrower.iter().flat_map(|borrower| borrower.ends.known());
    let of_car = vehicle.ends.known().iter().chain(vehicle.organization_ends.known());
    let ended = of_borrower.chain(of_car).map(|end| end.selection.issued_before);
    let issued_at = ended.fold(work.now, Timestamp::max);
    let stood_by = StoodBy {
        grantee_recoveries: borrower.as_ref().map_or(0, |borrower| borrower.recoveries),
        vehicle_consents: vehicle.consents,
    };
    let is_open = borrower.is_some_and(|borrower| borrower.user.disabled_at.is_none());
    Ok(ToLend { vehicle, before, is_open, issued_at, stood_by })
}

fn check(new: &NewGrant, to_lend: &ToLend) -> Result<(), Error> {
    let ToLend { vehicle, is_open, .. } = to_lend;
    if vehicle.owner_recovered {
        return Err(Error::State(StateFault::AccountRecovered));
    }
    let mut violations = Vec::new();
    if !is_open {
        let detail = "there is no open account with this id";
        violations.push(Violation::of("/grantee_id", "unknown_user", detail));
    }
    if new.grantee_id == vehicle.owner_id {
        let detail = "the owner needs no grant for their own car";
        violations.push(Violation::of("/grantee_id", "is_the_owner", detail));
    }
    if vehicle.removed {
        let detail = "the car was taken out of the service";
        violations.push(Violation::of("/vehicle_id", "vehicle_removed", detail));
    }
    if new.terms.entitlements.opens_without_closing() {
        violations.push(lock_missing());
    }
    violations.extend(missing_permissions(&new.terms.entitlements, &vehicle.permissions));
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

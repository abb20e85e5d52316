//! Issuing a grant: the owner of the car, or an API client for them.

use super::{lock_missing, missing_permissions};
use crate::domain::access::Operation;
use crate::domain::amendment::Terms;
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::failpoint::{self, Failpoint};
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Caller, Error, Service, Violation, users, vehicles};
use crate::storage::{Priority, Tx, grants};

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
    /// A short text of the issuer's.
    pub label: Option<String>,
    /// The issuer's own data as JSON text.
    pub metadata: Option<String>,
    /// The issuer's own name for what it belongs to.
    pub external_ref: Option<String>,
}

/// Issues a grant.
///
/// # Errors
/// [`Error::NotFound`] for a car the caller does not know of, [`crate::service::Denial::NotTheOwner`],
/// [`Error::Invalid`] for a grantee who is not there or for an entitlement that the owner did not
/// permit at the vehicle cloud, [`crate::service::StateFault::AccountRecovered`].
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
                    idempotency.find(&service.base, &mut work.tx, caller, ISSUE).await?
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
                vehicles::require_unrecovered_owner(&mut work.tx, new.vehicle_id).await?;
                check(&mut work.tx, caller, new, &vehicle).await?;
                let grant = grant(service.base.entropy.id(work.now)?, new, &vehicle, work.now);
                grants::insert(&mut work.tx, &grant).await?;
                // The key belongs to the one who sent it, the entry names for whom.
                idempotency.keep(&service.base, &mut work.tx, caller, ISSUE, &grant).await?;
                work.record(&caller.acting_as(acting_as), event(&grant))?;
                failpoint::reached(Failpoint::GrantIssued);
                Ok(Answer::fresh(grant))
            })
        })
        .await?;
    failpoint::reached(Failpoint::GrantIssueCommitted);
    Ok(issued)
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
        uses: 0,
        end: None,
        revision: 1,
        version: 1,
        label: new.label.clone(),
        metadata: new.metadata.clone(),
        external_ref: new.external_ref.clone(),
        issued_at,
    }
}

fn event(grant: &Grant) -> Event {
    Event::GrantIssued {
        grant_id: grant.grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        terms: Terms::of(grant),
    }
}

async fn check(
    tx: &mut Tx,
    caller: &Caller,
    new: &NewGrant,
    vehicle: &Vehicle,
) -> Result<(), Error> {
    let mut violations = Vec::new();
    match users::find_open(tx, caller, new.grantee_id).await {
        Err(Error::NotFound(_)) => violations.push(Violation::of(
            "/grantee_id",
            "unknown_user",
            "there is no open account with this id",
        )),
        other => drop(other?),
    }
    if new.grantee_id == vehicle.owner_id {
        let detail = "the owner needs no grant for their own car";
        violations.push(Violation::of("/grantee_id", "is_the_owner", detail));
    }
    if vehicle.removed_at.is_some() {
        let detail = "the car was taken out of the service";
        violations.push(Violation::of("/vehicle_id", "vehicle_removed", detail));
    }
    if new.terms.entitlements.opens_without_closing() {
        violations.push(lock_missing());
    }
    violations.extend(missing_permissions(&new.terms.entitlements, vehicle));
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

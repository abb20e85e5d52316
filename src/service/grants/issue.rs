//! Issuing a grant: the owner of the car, or a machine for them.

use crate::domain::actor::Scope;
use crate::domain::entitlement::Entitlements;
use crate::domain::event::Event;
use crate::domain::grant::{Grant, Validity};
use crate::domain::id::{UserId, VehicleId};
use crate::domain::vehicle::Vehicle;
use crate::service::failpoint::{self, Failpoint};
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Caller, Denial, Error, Service, Violation, users, vehicles};
use crate::storage::{Tx, grants, repeat_until_known};

const ISSUE: &str = "grants.issue";

/// What a grant is made from.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The car.
    pub vehicle_id: VehicleId,
    /// Who may use it.
    pub grantee_id: UserId,
    /// For what; not empty.
    pub entitlements: Entitlements,
    /// When.
    pub validity: Validity,
    /// How many times it may open the car.
    pub uses_max: Option<i64>,
    /// A short text of the issuer's.
    pub label: Option<String>,
    /// The issuer's own data as JSON text.
    pub metadata: Option<String>,
}

/// Issues a grant.
///
/// # Errors
/// [`Error::NotFound`] for a car the caller does not know of, [`Denial::NotTheOwner`],
/// [`Error::Invalid`] for a grantee who is not there or for an entitlement that the owner did not
/// permit at the vehicle cloud.
pub async fn issue(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: NewGrant,
) -> Result<Answer<Grant>, Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(Scope::GrantsWrite) {
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::GrantsWrite.as_str())));
    }
    // A key finds what a run has done whose commit was not answered.
    repeat_until_known(|| issue_once(service, caller, idempotency, &new)).await
}

async fn issue_once(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: &NewGrant,
) -> Result<Answer<Grant>, Error> {
    let now = service.clock.now();
    let mut tx = service.store.begin().await?;
    if let Some(answer) = idempotency.find(service, &mut tx, caller, ISSUE).await? {
        return Ok(answer);
    }
    let (vehicle, issuer) = find_owned(service, &mut tx, caller, new.vehicle_id).await?;
    check(&mut tx, caller, new, &vehicle).await?;
    let grant = Grant {
        grant_id: service.entropy.id(now)?,
        organization_id: vehicle.organization_id,
        vehicle_id: vehicle.vehicle_id,
        issuer_id: vehicle.owner_id,
        grantee_id: new.grantee_id,
        entitlements: new.entitlements.clone(),
        validity: new.validity,
        uses_max: new.uses_max,
        uses: 0,
        end: None,
        revision: 1,
        label: new.label.clone(),
        metadata: new.metadata.clone(),
        issued_at: now,
    };
    grants::insert(&mut tx, &grant).await?;
    // The key belongs to the one who sent it, the entry names for whom.
    idempotency.keep(service, &mut tx, caller, ISSUE, &grant).await?;
    let issued = Event::GrantIssued {
        grant_id: grant.grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        entitlements: grant.entitlements.clone(),
        validity: grant.validity,
        uses_max: grant.uses_max,
    };
    service.record(&mut tx, &issuer, now, [issued]).await?;
    failpoint::reached(Failpoint::GrantIssued);
    tx.commit().await?;
    failpoint::reached(Failpoint::GrantIssueCommitted);
    Ok(Answer::fresh(grant))
}

/// The car, if the caller owns it or is a machine that may act for its owner; and the caller as
/// the record should name them.
async fn find_owned(
    service: &Service,
    tx: &mut Tx,
    caller: &Caller,
    vehicle_id: VehicleId,
) -> Result<(Vehicle, Caller), Error> {
    let everything = caller.actor.is_admin() || caller.actor.is_api_client();
    let vehicle = vehicles::find_visible(tx, service, caller, vehicle_id, everything).await?;
    let vehicle = vehicle.ok_or(Error::NotFound)?;
    let acts_for_anyone = caller.actor.is_api_client() && caller.actor.user_id().is_none();
    if acts_for_anyone || caller.actor.user_id() == Some(vehicle.owner_id) {
        let issuer = caller.acting_for(vehicle.owner_id);
        return Ok((vehicle, issuer));
    }
    Err(Error::Forbidden(Denial::NotTheOwner))
}

async fn check(
    tx: &mut Tx,
    caller: &Caller,
    new: &NewGrant,
    vehicle: &Vehicle,
) -> Result<(), Error> {
    let mut violations = Vec::new();
    match users::find_open(tx, caller, new.grantee_id).await {
        Err(Error::NotFound) => violations.push(Violation::of(
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
    for entitlement in new.entitlements.iter() {
        if !vehicle.permissions.contains(entitlement.permission()) {
            let detail = format!(
                "`{entitlement}` needs the permission `{}`, which the owner did not give",
                entitlement.permission()
            );
            violations.push(Violation::of("/entitlements", "permission_missing", detail));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

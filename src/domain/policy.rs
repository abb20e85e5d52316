//! May this person do this to this car, now? Facts and the time come in, a decision comes out
//! that explains itself. Pure and total: every combination of facts has an answer, and whatever
//! is not clearly allowed is denied (P9).

use std::borrow::Cow;

use crate::domain::connection::{ConnectionStatus, Permissions};
use crate::domain::device_key::Thumbprint;
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::{EndReason, Grant};
use crate::domain::hold::{Holder, StandingHolds};
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::scope_end::PendingEnds;
use crate::domain::time::Timestamp;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The person whose right is to be used.
    pub user_id: UserId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// What they want to do.
    pub entitlement: Entitlement,
    /// Whether it spends one of a grant's uses.
    pub spends_use: bool,
    /// The key of the device that shows the grant, if its token is bound to one.
    pub device_key: Option<Thumbprint>,
}

/// The car's side of the facts.
#[derive(Debug, Clone)]
pub struct VehicleFacts {
    /// The car.
    pub vehicle_id: VehicleId,
    /// The user whose account connected it.
    pub owner_id: UserId,
    /// Whether the owner's account is closed.
    pub owner_disabled: bool,
    /// Whether somebody else gave the owner's account new credentials after the owner consented to
    /// this car at its maker.
    pub owner_recovered: bool,
    /// Who was authorized last to unlock it.
    pub last_unlocked_by: Option<UserId>,
    /// How often the owner's consent to this car came back after it was lost.
    pub consents: i64,
    /// What holds everybody who may use it.
    pub holds: StandingHolds,
    /// What holds its owner, wherever they use a right.
    pub owner_holds: StandingHolds,
    /// What holds everybody in its organization.
    pub organization_holds: StandingHolds,
    /// What has ended all that was lent of it, and may not be on each grant's row yet.
    pub ends: PendingEnds,
    /// The same for its organization.
    pub organization_ends: PendingEnds,
    /// Whether the car was taken out of the service.
    pub removed: bool,
    /// Whether the car cannot be used until somebody acts at its maker.
    pub suspended: bool,
    /// Where the owner's connection stands.
    pub connection_status: ConnectionStatus,
    /// What the owner permitted at the vehicle cloud.
    pub permissions: Permissions,
    /// The revisions of the rows that say so.
    pub revisions: VehicleRevisions,
}

/// The revisions of a car's side of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each is that of the row it is called after")]
pub struct VehicleRevisions {
    pub organization: i64,
    pub owner: i64,
    pub connection: i64,
    pub vehicle: i64,
}

/// The grant's side of the facts.
#[derive(Debug, Clone)]
pub struct GrantFacts {
    /// The grant as stored.
    pub grant: Grant,
    /// What holds this grant.
    pub holds: StandingHolds,
    /// What holds its grantee, wherever they use a right.
    pub grantee_holds: StandingHolds,
    /// What has ended all that its grantee was lent, and may not be on each grant's row yet.
    pub grantee_ends: PendingEnds,
    /// Whether the grantee's account is closed.
    pub grantee_disabled: bool,
    /// Whether somebody else gave the grantee's account new credentials after the owner stood by
    /// this grant.
    pub grantee_recovered: bool,
    /// The number of [`VehicleFacts::consents`] at which the owner stood by this grant.
    pub vehicle_consents: i64,
    /// The revision of the grantee's account.
    pub grantee_revision: i64,
}

impl GrantFacts {
    /// The grant, ended also if all grants of one of its scopes were ended and its own row does not say so yet.
    #[must_use]
    pub fn with_ends_of_scopes(&self, vehicle: &VehicleFacts) -> Cow<'_, Grant> {
        let is_its_car = self.grant.vehicle_id == vehicle.vehicle_id;
        let of_the_car = is_its_car.then_some(&vehicle.ends);
        let scopes = [&self.grantee_ends, &vehicle.organization_ends];
        let mut ends = scopes.into_iter().chain(of_the_car);
        self.grant.ended_with(ends.find_map(|ends| ends.over(&self.grant)))
    }
}

/// Everything a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The car.
    pub vehicle: &'a VehicleFacts,
    /// The grant that is claimed; `None` if the person claims to be the owner.
    pub grant: Option<&'a GrantFacts>,
}

/// What an allowed request rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The person owns the car.
    Ownership,
    /// The person holds this grant.
    Grant(GrantId),
}

/// The answer of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes, and on what ground.
    Allow(Basis),
    /// No, and why: never empty, most important first.
    Deny(Vec<Reason>),
}

words! {
    written
    /// Why a request is denied; the word is the `code` on the wire.
    Reason {
        /// There is no such car or grant for this person.
        NotFound = "not_found",
        /// The grant belongs to somebody else.
        NotTheGrantee = "not_the_grantee",
        /// The grant is for another car.
        VehicleMismatch = "vehicle_mismatch",
        /// The owner or an admin ended the grant.
        GrantRevoked = "grant_revoked",
        /// The grantee gave the grant back.
        GrantRelinquished = "grant_relinquished",
        /// The grant's validity is over.
        GrantExpired = "grant_expired",
        /// A hold stands over the grant, the person, the car or the organization.
        GrantHeld = "grant_held",
        /// The grant's validity has not begun.
        GrantNotYetValid = "grant_not_yet_valid",
        /// The grant does not allow this.
        EntitlementMissing = "entitlement_missing",
        /// The grant can be used only with a token that is bound to a device.
        DeviceKeyRequired = "device_key_required",
        /// The grant has no use left.
        GrantExhausted = "grant_exhausted",
        /// The account of the person, or of the car's owner, is closed.
        AccountDisabled = "account_disabled",
        /// Somebody else gave the person's account new credentials, and the owner, or for their own
        /// car the car's maker, has not confirmed since that it is theirs.
        AccountRecovered = "account_recovered",
        /// The owner's consent to the car was lost and came back, and the owner has not confirmed since
        /// that the grant stands.
        ConsentReturned = "consent_returned",
        /// The car was taken out of the service.
        VehicleRemoved = "vehicle_removed",
        /// The owner's consent at the vehicle cloud is gone.
        ConsentLost = "consent_lost",
        /// The car's maker refuses the owner's account until somebody acts there.
        VehicleSuspended = "vehicle_suspended",
        /// The owner did not permit this at the vehicle cloud.
        PermissionMissing = "permission_missing",
    }
}

/// Decides on one request at one time.
#[must_use]
pub fn decide(facts: Facts<'_>, request: &Request, now: Timestamp) -> Decision {
    let mut reasons = Vec::new();
    let basis = match facts.grant {
        Some(claimed) => {
            // Somebody else's grant tells nothing about itself.
            if claimed.grant.grantee_id != request.user_id {
                return Decision::Deny(vec![Reason::NotTheGrantee]);
            }
            judge_grant(claimed, facts.vehicle, request, now, &mut reasons);
            Basis::Grant(claimed.grant.grant_id)
        }
        None if facts.vehicle.owner_id == request.user_id => {
            judge_owner(facts.vehicle, request, now, &mut reasons);
            Basis::Ownership
        }
        None => return Decision::Deny(vec![Reason::NotFound]),
    };
    judge_vehicle(facts.vehicle, request, &mut reasons);
    if reasons.is_empty() { Decision::Allow(basis) } else { Decision::Deny(reasons) }
}

fn judge_grant(
    claimed: &GrantFacts,
    vehicle: &VehicleFacts,
    request: &Request,
    now: Timestamp,
    reasons: &mut Vec<Reason>,
) {
    let is_its_car = claimed.grant.vehicle_id == vehicle.vehicle_id;
    let grant = &*claimed.with_ends_of_scopes(vehicle);
    if grant.vehicle_id != request.vehicle_id {
        reasons.push(Reason::VehicleMismatch);
    }
    let locks = request.entitlement == Entitlement::Lock;
    reasons
        .extend(judge_end(grant, now).filter(|_| !locks || !may_lock_still(grant, vehicle, now)));
    let holds =
        [&claimed.holds, &claimed.grantee_holds, &vehicle.holds, &vehicle.organization_holds];
    if holds.iter().any(|holds| holds.forbid(Holder::Guest, request.entitlement, now)) {
        reasons.push(Reason::GrantHeld);
    }
    if now < grant.validity.not_before() {
        reasons.push(Reason::GrantNotYetValid);
    }
    if !grant.entitlements.contains(request.entitlement) {
        reasons.push(Reason::EntitlementMissing);
    }
    // What somebody opened they can close without the phone too (P11).
    if grant.require_device_key && request.device_key.is_none() && !locks {
        reasons.push(Reason::DeviceKeyRequired);
    }
    if request.spends_use && grant.uses_left() == Some(0) {
        reasons.push(Reason::GrantExhausted);
    }
    if claimed.grantee_disabled {
        reasons.push(Reason::AccountDisabled);
    }
    if claimed.grantee_recovered {
        reasons.push(Reason::AccountRecovered);
    }
    // It waits for the owner's word, and the person is who they were: what they opened can be closed (P11).
    if is_its_car && claimed.vehicle_consents != vehicle.consents && !locks {
        reasons.push(Reason::ConsentReturned);
    }
}

/// What stands in the way of the owner's own use, apart from what is the car's.
fn judge_owner(
    vehicle: &VehicleFacts,
    request: &Request,
    now: Timestamp,
    reasons: &mut Vec<Reason>,
) {
    let holds = [&vehicle.owner_holds, &vehicle.holds, &vehicle.organization_holds];
    if holds.iter().any(|holds| holds.forbid(Holder::Owner, request.entitlement, now)) {
        reasons.push(Reason::GrantHeld);
    }
    if vehicle.owner_recovered {
        reasons.push(Reason::AccountRecovered);
    }
}

/// Whether a grant that has ended still allows to lock the car: before [`Grant::lock_until`], and only if nobody else was
/// authorized to unlock it since the grantee was. This is the one exception to an end (P2, P11).
fn may_lock_still(grant: &Grant, vehicle: &VehicleFacts, now: Timestamp) -> bool {
    grant.lock_until().is_some_and(|until| now < until)
        && vehicle.last_unlocked_by.is_none_or(|user_id| user_id == grant.grantee_id)
}

/// What stands in the way of using a grant at `now`, whatever it is to be used for.
#[must_use]
pub fn judge_time(grant: &Grant, now: Timestamp) -> Vec<Reason> {
    let is_early = now < grant.validity.not_before();
    judge_end(grant, now).into_iter().chain(is_early.then_some(Reason::GrantNotYetValid)).collect()
}

/// Why a grant that has ended by `now` allows nothing.
fn judge_end(grant: &Grant, now: Timestamp) -> Option<Reason> {
    grant.ended_by(now).map(|end| match end.end_reason {
        EndReason::Expired => Reason::GrantExpired,
        EndReason::Revoked => Reason::GrantRevoked,
        EndReason::Relinquished => Reason::GrantRelinquished,
        EndReason::VehicleRemoved => Reason::VehicleRemoved,
        EndReason::ConsentLost => Reason::ConsentLost,
    })
}

fn judge_vehicle(vehicle: &VehicleFacts, request: &Request, reasons: &mut Vec<Reason>) {
    if vehicle.vehicle_id != request.vehicle_id && !reasons.contains(&Reason::VehicleMismatch) {
        reasons.push(Reason::VehicleMismatch);
    }
    if vehicle.owner_disabled && !reasons.contains(&Reason::AccountDisabled) {
        reasons.push(Reason::AccountDisabled);
    }
    if vehicle.removed && !reasons.contains(&Reason::VehicleRemoved) {
        reasons.push(Reason::VehicleRemoved);
    }
    if vehicle.connection_status != ConnectionStatus::Active
        && !reasons.contains(&Reason::ConsentLost)
    {
        reasons.push(Reason::ConsentLost);
    }
    if vehicle.suspended {
        reasons.push(Reason::VehicleSuspended);
    }
    if !vehicle.permissions.contains(request.entitlement.permission()) {
        reasons.push(Reason::PermissionMissing);
    }
}

#[cfg(test)]
#[path = "policy_test.rs"]
mod tests;

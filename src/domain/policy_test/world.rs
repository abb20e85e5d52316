//! Worlds in which a request is allowed, what can be broken in them, and the naive model of the policy.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use uuid::Uuid;

use super::super::*;
use super::breaks::{Break, Held, HeldThing, Lasts, MOMENT};
use crate::domain::grant::{Description, End, Grace, VALIDITY_MAX, Validity};
use crate::domain::hold::{Rank, StandingHold};
use crate::domain::id::{Id, OrganizationId};
use crate::domain::scope_end::{PendingEnd, Selection};
use crate::tally::Tally;

const OWNER: u128 = 1;
const GRANTEE: u128 = 2;
const CAR: u128 = 3;
pub(super) const GRANT: u128 = 4;
const SOMEBODY_ELSE: u128 = 8;
const ANOTHER_CAR: u128 = 9;
const HOLD: u128 = 10;

pub(super) fn id<K>(n: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(n))
}

fn not_before() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) vehicle: VehicleFacts,
    pub(super) claimed: GrantFacts,
    pub(super) request: Request,
    pub(super) now: Timestamp,
    /// Whether the person claims the grant, or to be the owner.
    pub(super) claims_grant: bool,
    /// What was ended whose grants may not know yet.
    pub(super) ended: Vec<HeldThing>,
    /// The holds that were placed, and until when each stands.
    pub(super) held: Vec<(Held, Option<Timestamp>)>,
}

/// A limit, and uses that leave at least one; a request that spends none needs none left.
fn uses() -> impl Strategy<Value = (Option<i64>, i64, bool)> {
    prop_oneof![
        (0_i64..3, any::<bool>()).prop_map(|(uses, spends)| (None, uses, spends)),
        (1_i64..4, any::<bool>()).prop_map(|(max, spends)| (Some(max), max - 1, spends)),
        (2_i64..4).prop_map(|max| (Some(max), 0, true)),
        (1_i64..4, 0_i64..2).prop_map(|(max, beyond)| (Some(max), max + beyond, false)),
    ]
}

prop_compose! {
    /// The first moment of a validity, its last, or one between; validities of one moment too.
    fn times()(
        length in select(vec![MOMENT, MOMENT * 2, Duration::from_secs(3600), VALIDITY_MAX]),
        place in 0..3, between: Index,
    ) -> (Validity, Timestamp) {
        let validity = Validity::new(not_before(), not_before().plus(length)).unwrap();
        let last = length - MOMENT;
        let since = match place {
            0 => Duration::ZERO,
            1 => last,
            _ => Duration::from_micros(between.index(last.as_micros() as usize + 1) as u64),
        };
        (validity, not_before().plus(since))
    }
}

const PHONE: Thumbprint = Thumbprint::WHICHEVER;

prop_compose! {
    pub(super) fn allowed()(
        // Half of them lock: there is more to know of that.
        entitlement in prop_oneof![select(Entitlement::ALL), Just(Entitlement::Lock)],
        entitled in subsequence(Entitlement::ALL, 0..=Entitlement::ALL.len()),
        permitted in subsequence(Entitlement::ALL, 0..=Entitlement::ALL.len()),
        (uses_max, uses, spends_use) in uses(),
        (validity, now) in times(),
        claims_grant in prop::bool::weighted(0.7),
        consents in 0_i64..3,
        last_unlocked_by in select(vec![None, Some(id(GRANTEE))]),
        (require_device_key, device_key) in select(vec![(false, None), (false, Some(PHONE)), (true, Some(PHONE))]),
        grace in (0_i64..3).prop_map(|minutes| Grace::try_from(minutes).unwrap()),
    ) -> World {
        let permitted = permitted.into_iter().chain([entitlement]);
        World {
            vehicle: VehicleFacts {
                vehicle_id: id(CAR),
                owner_id: id(OWNER),
                owner_disabled: false,
                owner_recovered: false,
                last_unlocked_by,
                consents,
                holds: StandingHolds::Nothing,
                owner_holds: StandingHolds::Nothing,
                organization_holds: StandingHolds::Nothing,
                ends: PendingEnds::Nothing,
                organization_ends: PendingEnds::Nothing,
                removed: false,
                suspended: false,
                connection_status: ConnectionStatus::Active,
                permissions: permitted.map(Entitlement::permission).collect(),
                revisions: VehicleRevisions::default(),
            },
            claimed: GrantFacts {
                grant: Grant {
                    grant_id: id(GRANT),
                    organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
                    vehicle_id: id(CAR),
                    issuer_id: id(OWNER),
                    grantee_id: id(GRANTEE),
                    entitlements: entitled.into_iter().chain([entitlement]).collect(),
                    validity,
                    grace,
                    uses_max,
                    require_device_key,
                    uses,
                    end: None,
                    revision: 1,
                    version: 1,
                    description: Description::default(),
                    issued_at: not_before(),
                },
                holds: StandingHolds::Nothing,
                grantee_holds: StandingHolds::Nothing,
                grantee_ends: PendingEnds::Nothing,
                grantee_disabled: false,
                grantee_recovered: false,
                vehicle_consents: consents,
                grantee_revision: 1,
            },
            request: Request {
                user_id: id(if claims_grant { GRANTEE } else { OWNER }),
                vehicle_id: id(CAR),
                entitlement,
                spends_use,
                device_key,
            },
            now,
            claims_grant,
            ended: Vec::new(),
            held: Vec::new(),
        }
    }
}

impl World {
    pub(super) fn broken(mut self, broken: Break) -> Self {
        let wanted = self.request.entitlement;
        let (grant, vehicle) = (&mut self.claimed.grant, &mut self.vehicle);
        match broken {
            Break::SomebodyElse => self.request.user_id = id(SOMEBODY_ELSE),
            Break::GrantForAnotherCar => grant.vehicle_id = id(ANOTHER_CAR),
            Break::FactsOfAnotherCar => vehicle.vehicle_id = id(ANOTHER_CAR),
            Break::TooEarly(by) => self.now = grant.validity.not_before().minus(by),
            Break::TooLate(by) => self.now = grant.validity.not_after().plus(by),
            // Ended is ended, also if another instance's clock is ahead.
            Break::Ended(end_reason) => {
                let ended_at = self.now.plus(MOMENT);
                grant.end = Some(End { ended_at, end_reason, leave_lock: false });
            }
            Break::EndedWithLockLeft => {
                let ended_at = self.now.minus(MOMENT);
                grant.end =
                    Some(End { ended_at, end_reason: EndReason::Revoked, leave_lock: true });
            }
            Break::EndedByScope(over) => self.end_scope(over),
            Break::UnlockedBySomebodyElse => vehicle.last_unlocked_by = Some(id(SOMEBODY_ELSE)),
            Break::NotEntitled => {
                grant.entitlements = grant.entitlements.iter().filter(|e| *e != wanted).collect();
            }
            Break::UsedUp { beyond } => {
                self.request.spends_use = true;
                grant.uses_max = Some(grant.uses);
                grant.uses += beyond;
            }
            Break::NoPhone => {
                grant.require_device_key = true;
                self.request.device_key = None;
            }
            Break::GranteeDisabled => self.claimed.grantee_disabled = true,
            Break::GranteeRecovered => self.claimed.grantee_recovered = true,
            Break::ConsentReturned => vehicle.consents += 1,
            Break::OwnerDisabled => vehicle.owner_disabled = true,
            Break::OwnerRecovered => vehicle.owner_recovered = true,
            Break::Removed => vehicle.removed = true,
            Break::NotConnected(status) => vehicle.connection_status = status,
            Break::Suspended => vehicle.suspended = true,
            Break::NotPermitted => {
                let given = vehicle.permissions.iter().filter(|p| *p != wanted.permission());
                vehicle.permissions = given.collect();
            }
            Break::Held(held) => self.place(held),
        }
        self
    }

    /// Ends all grants of a scope, and this one's row does not say so yet; others that it is not about were ended before.
    fn end_scope(&mut self, over: HeldThing) {
        let end = |issued_before| PendingEnd {
            end_id: id(HOLD),
            selection: Selection { issued_before, external_ref: None },
            ended_at: self.now.minus(MOMENT),
            end_reason: EndReason::Revoked,
        };
        let issued_at = self.claimed.grant.issued_at;
        let ends = PendingEnds::Known(vec![end(issued_at), end(issued_at.plus(MOMENT))]);
        match over {
            HeldThing::Grantee => self.claimed.grantee_ends = ends,
            HeldThing::Car => self.vehicle.ends = ends,
            _ => self.vehicle.organization_ends = ends,
        }
        self.ended.push(over);
    }

    /// The act that ended the grant, by its own row or by an end of its scope.
    fn end(&self) -> Option<End> {
        let is_its_car = self.claimed.grant.vehicle_id == self.vehicle.vehicle_id;
        let is_over = self.ended.iter().any(|over| *over != HeldThing::Car || is_its_car);
        let (ended_at, end_reason) = (self.now, EndReason::Revoked);
        let by_scope = End { ended_at, end_reason, leave_lock: false };
        self.claimed.grant.end.or_else(|| is_over.then_some(by_scope))
    }

    fn place(&mut self, held: Held) {
        let until = match held.lasts {
            Lasts::UntilLifted => None,
            Lasts::OneMoreMoment => Some(self.now.plus(MOMENT)),
            Lasts::UntilNow => Some(self.now),
        };
        let Held { over, rank, allow_lock, .. } = held;
        let hold = StandingHold { hold_id: id(HOLD), rank, until, allow_lock };
        let holds = match over {
            HeldThing::Grant => &mut self.claimed.holds,
            HeldThing::Grantee => &mut self.claimed.grantee_holds,
            HeldThing::Car => &mut self.vehicle.holds,
            HeldThing::Owner => &mut self.vehicle.owner_holds,
            HeldThing::Organization => &mut self.vehicle.organization_holds,
        };
        match holds {
            StandingHolds::Known(holds) => holds.push(hold),
            other => *other = StandingHolds::Known(vec![hold]),
        }
        self.held.push((held, until));
    }

    /// Whether a hold stands in the way: those over what the person uses, the owner's own use only from support on, and
    /// locking only if the hold says so.
    pub(super) fn is_held(&self) -> bool {
        self.held.iter().any(|(held, until)| {
            let concerns = match held.over {
                HeldThing::Car | HeldThing::Organization => true,
                HeldThing::Grant | HeldThing::Grantee => self.claims_grant,
                HeldThing::Owner => !self.claims_grant,
            };
            let binds = self.claims_grant || matches!(held.rank, Rank::Support | Rank::Admin);
            let spares = held.allow_lock && self.request.entitlement == Entitlement::Lock;
            let is_over = until.is_some_and(|until| until <= self.now);
            concerns && binds && !spares && !is_over
        })
    }

    /// That it is allowed, and on what ground.
    pub(super) fn basis(&self) -> Decision {
        let by_grant = self.claims_grant.then(|| Basis::Grant(id(GRANT)));
        Decision::Allow(by_grant.unwrap_or(Basis::Ownership))
    }

    pub(super) fn decide(&self) -> Decision {
        let grant = self.claims_grant.then_some(&self.claimed);
        decide(Facts { vehicle: &self.vehicle, grant }, &self.request, self.now)
    }

    /// Every condition on its own: those that do not hold.
    pub(super) fn reasons_of_the_model(&self) -> BTreeSet<Reason> {
        let Self { vehicle, request, .. } = self;
        if self.claims_grant && self.claimed.grant.grantee_id != request.user_id {
            return [Reason::NotTheGrantee].into();
        }
        if !self.claims_grant && vehicle.owner_id != request.user_id {
            return [Reason::NotFound].into();
        }
        let active = vehicle.connection_status == ConnectionStatus::Active;
        let permitted = vehicle.permissions.contains(request.entitlement.permission());
        let of_the_car = [
            (Reason::VehicleMismatch, vehicle.vehicle_id == request.vehicle_id),
            (Reason::AccountDisabled, !vehicle.owner_disabled),
            (Reason::AccountRecovered, self.claims_grant || !vehicle.owner_recovered),
            (Reason::GrantHeld, !self.is_held()),
            (Reason::VehicleRemoved, !vehicle.removed),
            (Reason::ConsentLost, active),
            (Reason::VehicleSuspended, !vehicle.suspended),
            (Reason::PermissionMissing, permitted),
        ];
        let conditions = of_the_car.into_iter().chain(self.conditions_of_the_grant());
        conditions.filter(|(_, holds)| !holds).map(|(reason, _)| reason).collect()
    }

    /// Whether somebody who may no longer unlock may still lock: for as many minutes as the grace has after the end of the
    /// time, or after a revocation that left it, and if nobody else has unlocked the car.
    pub(super) fn locks_still(&self) -> bool {
        let Self { vehicle, claimed: GrantFacts { grant, .. }, request, now, .. } = self;
        let over = grant.validity.not_after();
        let ended_at = match self.end() {
            Some(End { leave_lock: false, .. }) => return false,
            Some(End { ended_at, .. }) => std::cmp::min(ended_at, over),
            None => over,
        };
        let minutes = u64::from(grant.grace.minutes());
        request.entitlement == Entitlement::Lock
            && grant.entitlements.contains(Entitlement::Lock)
            && *now < ended_at.plus(Duration::from_secs(60) * u32::try_from(minutes).unwrap())
            && vehicle.last_unlocked_by != Some(id(SOMEBODY_ELSE))
    }

    fn conditions_of_the_grant(&self) -> Vec<(Reason, bool)> {
        if !self.claims_grant {
            return Vec::new();
        }
        let Self { vehicle, claimed, request, now, .. } = self;
        let GrantFacts { grant, grantee_disabled, grantee_recovered, vehicle_consents, .. } =
            claimed;
        // Another car's number says nothing.
        let is_its_car = grant.vehicle_id == vehicle.vehicle_id;
        let locks = request.entitlement == Entitlement::Lock;
        let locks_still = self.locks_still();
        let end = self.end();
        let ended = |by| end.is_some_and(|end| end.end_reason == by) && !locks_still;
        // An act that ended the grant is told, not that its time is over as well.
        let is_over = *now >= grant.validity.not_after() && end.is_none() && !locks_still;
        let uses_remain = grant.uses_max.is_none_or(|max| grant.uses < max);
        vec![
            (Reason::VehicleMismatch, grant.vehicle_id == request.vehicle_id),
            (Reason::GrantRevoked, !ended(EndReason::Revoked)),
            (Reason::GrantRelinquished, !ended(EndReason::Relinquished)),
            (Reason::GrantExpired, !ended(EndReason::Expired) && !is_over),
            (Reason::VehicleRemoved, !ended(EndReason::VehicleRemoved)),
            (Reason::ConsentLost, !ended(EndReason::ConsentLost)),
            (Reason::GrantNotYetValid, grant.validity.not_before() <= *now),
            (Reason::EntitlementMissing, grant.entitlements.contains(request.entitlement)),
            (
                Reason::DeviceKeyRequired,
                locks || !grant.require_device_key || request.device_key.is_some(),
            ),
            (Reason::GrantExhausted, uses_remain || !request.spends_use),
            (Reason::AccountDisabled, !grantee_disabled),
            (Reason::AccountRecovered, !grantee_recovered),
            (
                Reason::ConsentReturned,
                locks || !is_its_car || *vehicle_consents == vehicle.consents,
            ),
        ]
    }

    /// On which side of which boundary it is.
    pub(super) fn count_boundaries(&self, tally: &Tally) {
        let Self { claimed: GrantFacts { grant, .. }, request, now, .. } = self;
        let validity = grant.validity;
        tally.count_if(*now == validity.not_before(), "the first moment");
        tally.count_if(now.plus(MOMENT) == validity.not_before(), "the moment before the first");
        tally.count_if(now.plus(MOMENT) == validity.not_after(), "the last moment");
        tally.count_if(*now == validity.not_after(), "the moment after the last");
        let is_over = *now >= validity.not_after() || self.end().is_some();
        tally.count_if(is_over && self.locks_still(), "locked after the end");
        let until = validity.not_after().plus(grant.grace.duration());
        let is_lock = request.entitlement == Entitlement::Lock && self.end().is_none();
        tally.count_if(
            is_lock && *now == until && until > validity.not_after(),
            "the end of a grace",
        );
        let left = grant.uses_max.map(|max| max - grant.uses);
        tally.count_if(left == Some(1) && request.spends_use, "the last use");
        tally.count_if(left == Some(0) && request.spends_use, "no use left");
        tally.count_if(left == Some(0) && !request.spends_use, "no use left and none spent");
    }
}

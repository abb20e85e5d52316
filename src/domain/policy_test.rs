//! The policy against a naive model: a request is allowed exactly if every single condition
//! holds, and each condition that does not hold is named.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::grant::{End, Validity};
use crate::domain::id::{Id, OrganizationId};

fn id<K>(n: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(n))
}

fn second(n: i64) -> Timestamp {
    Timestamp::from_unix_seconds(n).unwrap()
}

#[derive(Debug, Clone)]
struct World {
    vehicle: VehicleFacts,
    claimed: GrantFacts,
    request: Request,
    now: Timestamp,
}

prop_compose! {
    fn worlds()(
        numbers in [1u128..3, 1..3, 1..3, 1..3, 1..3],
        flags: [bool; 7],
        connection in 0..ConnectionStatus::ALL.len(),
        ended in prop::option::of(0..EndReason::ALL.len()),
        times in [0i64..6, 0..6, 1..4],
        limit in prop::option::of(0i64..3),
        uses in 0i64..3,
    ) -> World {
        let [grantee, user, vehicle, request_vehicle, grant_vehicle] = numbers;
        let [owner_disabled, removed, suspended, permitted, grantee_disabled, entitled, spends_use] =
            flags;
        let [now, not_before, length] = times;
        World {
            vehicle: VehicleFacts {
                vehicle_id: id(vehicle),
                owner_id: id(1),
                owner_disabled,
                removed,
                suspended,
                connection_status: ConnectionStatus::ALL[connection],
                permissions: if permitted { Permissions::parse("control_security") } else { Permissions::default() },
            },
            claimed: GrantFacts {
                grant: Grant {
                    grant_id: id(9),
                    organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
                    vehicle_id: id(grant_vehicle),
                    issuer_id: id(1),
                    grantee_id: id(grantee),
                    entitlements: entitled.then_some(Entitlement::Unlock).into_iter().collect(),
                    validity: Validity::new(second(not_before), second(not_before + length)).unwrap(),
                    uses_max: limit,
                    uses,
                    end: ended.map(|n| End { ended_at: second(0), end_reason: EndReason::ALL[n] }),
                    revision: 1,
                    label: None,
                    metadata: None,
                    issued_at: second(0),
                },
                grantee_disabled,
            },
            request: Request {
                user_id: id(user),
                vehicle_id: id(request_vehicle),
                entitlement: Entitlement::Unlock,
                spends_use,
            },
            now: second(now),
        }
    }
}

impl World {
    fn decide(&self) -> Decision {
        decide(
            Facts { vehicle: &self.vehicle, grant: Some(&self.claimed) },
            &self.request,
            self.now,
        )
    }

    /// Every condition on its own, in no order.
    fn is_allowed_by_the_model(&self) -> bool {
        let grant = &self.claimed.grant;
        let car_is_ready = self.vehicle.vehicle_id == self.request.vehicle_id
            && !self.vehicle.owner_disabled
            && !self.vehicle.removed
            && !self.vehicle.suspended
            && self.vehicle.connection_status == ConnectionStatus::Active
            && self.vehicle.permissions.contains("control_security");
        let in_time =
            grant.validity.not_before() <= self.now && self.now < grant.validity.not_after();
        let uses_left = grant.uses_max.is_none_or(|max| grant.uses < max);
        car_is_ready
            && in_time
            && grant.grantee_id == self.request.user_id
            && grant.vehicle_id == self.request.vehicle_id
            && grant.end.is_none()
            && grant.entitlements.contains(Entitlement::Unlock)
            && (uses_left || !self.request.spends_use)
            && !self.claimed.grantee_disabled
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_grant_allows_exactly_what_the_model_allows(world in worlds()) {
        let allowed = matches!(world.decide(), Decision::Allow(Basis::Grant(_)));
        prop_assert_eq!(allowed, world.is_allowed_by_the_model());
    }

    #[test]
    fn a_denial_always_says_why_and_says_it_once(world in worlds()) {
        if let Decision::Deny(reasons) = world.decide() {
            prop_assert!(!reasons.is_empty());
            let distinct: std::collections::BTreeSet<_> = reasons.iter().collect();
            prop_assert_eq!(distinct.len(), reasons.len());
        }
    }

    #[test]
    fn somebody_elses_grant_tells_nothing(mut world in worlds()) {
        world.request.user_id = id(77);
        prop_assert_eq!(world.decide(), Decision::Deny(vec![Reason::NotTheGrantee]));
    }

    #[test]
    fn an_ended_grant_never_allows_anything_at_any_time(mut world in worlds(), at in 0i64..100) {
        world.claimed.grant.end = Some(End { ended_at: second(50), end_reason: EndReason::Revoked });
        world.now = second(at);
        prop_assert!(matches!(world.decide(), Decision::Deny(_)));
    }

    #[test]
    fn without_a_grant_only_the_owner_is_allowed(world in worlds()) {
        let facts = Facts { vehicle: &world.vehicle, grant: None };
        let allowed = matches!(decide(facts, &world.request, world.now), Decision::Allow(_));
        prop_assert!(!allowed || world.request.user_id == world.vehicle.owner_id);
    }
}

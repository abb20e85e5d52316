//! Grants: the keys that are lent.

pub(in crate::http) mod amend;
pub(in crate::http) mod confirm;
pub(in crate::http) mod end_check;
pub(in crate::http) mod extensions;
pub(in crate::http) mod get;
pub(in crate::http) mod issue;
pub(in crate::http) mod list;
pub(in crate::http) mod relinquish;
pub(in crate::http) mod revoke;
pub(in crate::http) mod statement;
pub(in crate::http) mod switch;
pub(in crate::http) mod token;
pub(in crate::http) mod tokens;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::domain::entitlement::Entitlement;
use crate::domain::grant::{EndReason, Grant, GrantStatus, USES_MAX};
use crate::domain::hold::Rank;
use crate::domain::id::{CommandId, GrantId, HoldId, UserId, VehicleId};
use crate::domain::key_scope::ScopeKind;
use crate::domain::reading::Coordinates;
use crate::domain::return_terms::ReturnTerms;
use crate::domain::time::Timestamp;
use crate::http::v1::FreeMap;
use crate::service::Violation;
use crate::service::grants::{AnswerWhen, EndedGrant, HeldGrant};

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct GrantBody {
    /// Identifies the grant.
    #[schema(example = "grt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    grant_id: GrantId,
    /// The car.
    vehicle_id: VehicleId,
    /// The owner who issued it.
    issuer_id: UserId,
    /// The grantee, who may use it.
    grantee_id: UserId,
    /// What the grantee may do.
    entitlements: Vec<Entitlement>,
    /// The first moment in which it can be used.
    not_before: Timestamp,
    /// The first moment in which it can no longer be used.
    not_after: Timestamp,
    /// Where it stands, at the time of the answer.
    status: GrantStatus,
    /// The time at which it ended, if it has.
    ended_at: Option<Timestamp>,
    /// Why it ended.
    end_reason: Option<EndReason>,
    /// How many minutes the car can still be locked after it.
    grace_minutes: u16,
    /// Until when the car can be locked with it, after its end only if nobody else has unlocked it since the grantee
    /// did; `null` if it cannot.
    lock_until: Option<Timestamp>,
    /// How many times it may open the car; `null` is no limit.
    max_uses: Option<i64>,
    /// Whether the grant can be used only with a token that is bound to a device key; `lock` works without one.
    require_device_key: bool,
    /// How many times it was authorized to open the car.
    uses: i64,
    /// A short text of the issuer's.
    label: Option<String>,
    /// The issuer's own data.
    #[schema(value_type = Option<FreeMap>)]
    metadata: Option<Value>,
    /// The issuer's own name for what it belongs to, such as a booking.
    external_ref: Option<String>,
    /// What the person at the car should know.
    instructions: Option<String>,
    /// What the person at the car should do when it does not open.
    fallback_text: Option<String>,
    /// How the car is to be given back; `null` if nothing is asked for.
    return_terms: Option<ReturnTerms>,
    /// Whether the car is read at both ends, for the statement.
    statement: bool,
    /// Rises with every change that somebody made, confirming apart; the `ETag` for `If-Match`.
    version: i64,
    /// Rises with every change of what it allows; entries of the record name it.
    revision: i64,
    /// The time at which it was issued.
    issued_at: Timestamp,
}

impl GrantBody {
    fn at(grant: Grant, now: Timestamp) -> Self {
        let end = grant.ended_by(now);
        let lock_until = grant.lock_until();
        let (status, description) = (grant.status(now), grant.description);
        Self {
            grant_id: grant.grant_id,
            vehicle_id: grant.vehicle_id,
            issuer_id: grant.issuer_id,
            grantee_id: grant.grantee_id,
            entitlements: grant.entitlements.iter().collect(),
            not_before: grant.validity.not_before(),
            not_after: grant.validity.not_after(),
            status,
            ended_at: end.map(|end| end.ended_at),
            end_reason: end.map(|end| end.end_reason),
            grace_minutes: grant.grace.minutes(),
            lock_until,
            max_uses: grant.uses_max,
            require_device_key: grant.require_device_key,
            uses: grant.uses,
            label: description.label,
            metadata: description.metadata.and_then(|text| serde_json::from_str(&text).ok()),
            external_ref: description.external_ref,
            instructions: description.instructions,
            fallback_text: description.fallback_text,
            return_terms: description.return_terms.and_then(|text| ReturnTerms::of_text(&text)),
            statement: description.statement,
            version: grant.version,
            revision: grant.revision,
            issued_at: grant.issued_at,
        }
    }
}

/// A grant, and by what it is held.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HeldGrantBody {
    /// The grant.
    #[serde(flatten)]
    grant: GrantBody,
    /// The holds that stand: while one does, the grant allows nothing but, if the hold says so, to lock the car.
    held_by: Vec<HeldByBody>,
}

/// A hold that stands over a grant.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HeldByBody {
    /// The hold.
    hold_id: HoldId,
    /// What it is over.
    over: ScopeKind,
    /// Who placed it.
    rank: Rank,
    /// The first moment in which it no longer stands; `null` is until it is lifted.
    until: Option<Timestamp>,
    /// Whether the car can be locked all the same.
    allow_lock: bool,
}

impl HeldGrantBody {
    fn at(held: HeldGrant, now: Timestamp) -> Self {
        let held_by = held.held_by.into_iter().map(|(scope, hold)| HeldByBody {
            hold_id: hold.hold_id,
            over: scope.kind(),
            rank: hold.rank,
            until: hold.until,
            allow_lock: hold.allow_lock,
        });
        Self { held_by: held_by.collect(), grant: GrantBody::at(held.grant, now) }
    }
}

/// What is wrong with what a grant is to allow.
fn check_terms(entitlements: Option<&[Entitlement]>, uses_max: Option<i64>) -> Vec<Violation> {
    let mut violations = Vec::new();
    if entitlements.is_some_and(<[_]>::is_empty) {
        violations.push(Violation::of("/entitlements", "empty", "must not be empty"));
    }
    if uses_max.is_some_and(|uses| !(1..=USES_MAX).contains(&uses)) {
        violations.push(Violation::of("/max_uses", "out_of_range", "must be 1 to 1000000"));
    }
    violations
}

/// Whether return terms say anything.
fn asks_for_something(terms: &ReturnTerms) -> bool {
    !terms.criteria().is_empty()
}

/// What is wrong with how a car is to be given back.
fn check_return_terms(terms: &ReturnTerms) -> Vec<Violation> {
    const RADIUS_M_MAX: u32 = 100_000;
    let mut violations = Vec::new();
    let mut wrong =
        |pointer, detail| violations.push(Violation::of(pointer, "out_of_range", detail));
    if let Some(place) = terms.place {
        if Coordinates::new(place.latitude, place.longitude).is_none() {
            wrong(
                "/return_terms/place",
                "must be a latitude from -90 to 90 and a longitude from -180 to 180",
            );
        }
        if !(1..=RADIUS_M_MAX).contains(&place.radius_m) {
            wrong("/return_terms/place/radius_m", "must be 1 to 100000");
        }
    }
    let shares = [
        ("/return_terms/fuel_min", terms.fuel_min),
        ("/return_terms/charge_min", terms.charge_min),
    ];
    for (pointer, share) in shares {
        if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            wrong(pointer, "must be from 0 to 1");
        }
    }
    violations
}

/// A grant that has ended, with what may still be on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EndedGrantBody {
    /// The grant.
    #[serde(flatten)]
    grant: GrantBody,
    /// Commands that were authorized before the end and may not have reached the car yet.
    in_flight: Vec<CommandId>,
}

impl EndedGrantBody {
    fn at(ended: EndedGrant, now: Timestamp) -> Self {
        Self { grant: GrantBody::at(ended.grant, now), in_flight: ended.in_flight }
    }
}

/// Whether to wait until nothing is in flight.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct EndQuery {
    /// `drain` answers when none of the commands that were in flight can still leave.
    wait: Option<WaitFor>,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum WaitFor {
    /// Until none of the commands that were in flight can still leave.
    Drain,
}

impl EndQuery {
    pub(in crate::http) const fn answer_when(self) -> AnswerWhen {
        match self.wait {
            Some(WaitFor::Drain) => AnswerWhen::Drained,
            None => AnswerWhen::Ended,
        }
    }
}

//! What decisions read of the rows that they rest on, and at which revisions. Whoever changes such a row raises its revision
//! and records what it says from then on; each decision records the revisions that it rested on. So the record alone is
//! enough to decide again ([`crate::audit::replay`]).

use serde::{Deserialize, Serialize};

use crate::domain::connection::ConnectionStatus;
use crate::domain::device_key::Thumbprint;
use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::grant::{EndReason, Grace};
use crate::domain::hold::StandingHolds;
use crate::domain::id::{ConnectionId, EndId, GrantId, OrganizationId, TokenId, UserId, VehicleId};
use crate::domain::kept::Kept;
use crate::domain::key_scope::KeyScope;
use crate::domain::policy::{Facts, Request, VehicleRevisions};
use crate::domain::scope_end::{PendingEnd, PendingEnds};
use crate::domain::time::Timestamp;

/// A row that decisions rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactsRow {
    /// An organization.
    Organization(OrganizationId),
    /// A person's account.
    User(UserId),
    /// An owner's consent.
    Connection(ConnectionId),
    /// A car.
    Vehicle(VehicleId),
    /// A grant.
    Grant(GrantId),
}

impl From<KeyScope> for FactsRow {
    fn from(scope: KeyScope) -> Self {
        match scope {
            KeyScope::Grant(id) => Self::Grant(id),
            KeyScope::User(id) => Self::User(id),
            KeyScope::Vehicle(id) => Self::Vehicle(id),
            KeyScope::Organization(id) => Self::Organization(id),
        }
    }
}

impl std::fmt::Display for FactsRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Organization(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::Connection(id) => id.fmt(f),
            Self::Vehicle(id) => id.fmt(f),
            Self::Grant(id) => id.fmt(f),
        }
    }
}

/// What decisions read of one row at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum RowFacts {
    /// Of an organization.
    Organization(OrganizationRowFacts),
    /// Of a person's account.
    User(UserRowFacts),
    /// Of an owner's consent.
    Connection(ConnectionRowFacts),
    /// Of a car.
    Vehicle(VehicleRowFacts),
    /// Of a grant.
    Grant(GrantRowFacts),
}

impl RowFacts {
    /// The row.
    #[must_use]
    pub const fn row(&self) -> FactsRow {
        match self {
            Self::Organization(facts) => FactsRow::Organization(facts.organization_id),
            Self::User(facts) => FactsRow::User(facts.user_id),
            Self::Connection(facts) => FactsRow::Connection(facts.connection_id),
            Self::Vehicle(facts) => FactsRow::Vehicle(facts.vehicle_id),
            Self::Grant(facts) => FactsRow::Grant(facts.grant_id),
        }
    }

    /// The holds over the row.
    #[must_use]
    pub const fn holds(&self) -> &StandingHolds {
        match self {
            Self::Organization(facts) => &facts.holds,
            Self::User(facts) => &facts.holds,
            Self::Connection(_) => &Kept::Nothing,
            Self::Vehicle(facts) => &facts.holds,
            Self::Grant(facts) => &facts.holds,
        }
    }

    /// The ends by scope that the row keeps.
    #[must_use]
    pub const fn ends(&self) -> &Kept<EndFacts> {
        match self {
            Self::Organization(facts) => &facts.ends,
            Self::User(facts) => &facts.ends,
            Self::Vehicle(facts) => &facts.ends,
            Self::Connection(_) | Self::Grant(_) => &Kept::Nothing,
        }
    }

    /// The revision at which the row says this.
    #[must_use]
    pub const fn revision(&self) -> i64 {
        match self {
            Self::Organization(facts) => facts.revision,
            Self::User(facts) => facts.revision,
            Self::Connection(facts) => facts.revision,
            Self::Vehicle(facts) => facts.revision,
            Self::Grant(facts) => facts.revision,
        }
    }
}

/// What decisions read of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the facts of the policy")]
pub struct OrganizationRowFacts {
    pub organization_id: OrganizationId,
    pub revision: i64,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub holds: StandingHolds,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub ends: Kept<EndFacts>,
}

/// What decisions read of a person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the facts of the policy")]
pub struct UserRowFacts {
    pub user_id: UserId,
    pub revision: i64,
    pub disabled: bool,
    pub recoveries: i64,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub holds: StandingHolds,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub ends: Kept<EndFacts>,
}

/// What decisions read of an owner's consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the facts of the policy")]
pub struct ConnectionRowFacts {
    pub connection_id: ConnectionId,
    pub revision: i64,
    pub status: ConnectionStatus,
}

/// What decisions read of a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the facts of the policy")]
pub struct VehicleRowFacts {
    pub vehicle_id: VehicleId,
    pub revision: i64,
    pub owner_id: UserId,
    pub connection_id: ConnectionId,
    pub removed: bool,
    pub suspended: bool,
    /// In the vehicle cloud's words.
    pub permissions: String,
    pub owner_recoveries: i64,
    pub consents: i64,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub holds: StandingHolds,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub ends: Kept<EndFacts>,
}

/// What decisions read of a grant, but for the uses, which each decision tells itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the grant")]
pub struct GrantRowFacts {
    pub grant_id: GrantId,
    pub revision: i64,
    pub vehicle_id: VehicleId,
    pub issuer_id: UserId,
    pub grantee_id: UserId,
    pub entitlements: Entitlements,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub grace_minutes: Grace,
    pub max_uses: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_device_key: bool,
    pub issued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    #[serde(default)]
    pub leave_lock: bool,
    pub grantee_recoveries: i64,
    pub vehicle_consents: i64,
    #[serde(default, skip_serializing_if = "Kept::is_nothing")]
    pub holds: StandingHolds,
}

/// What is recorded of an end by scope. The reference that it may be about can be a person's name, and is not recorded:
/// which grants it ended the record says of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in the pending end")]
pub struct EndFacts {
    pub end_id: EndId,
    pub issued_before: Timestamp,
    /// Whether it is only about the grants that carry a reference.
    pub by_reference: bool,
    pub ended_at: Timestamp,
    pub end_reason: EndReason,
}

impl From<&PendingEnd> for EndFacts {
    fn from(end: &PendingEnd) -> Self {
        Self {
            end_id: end.end_id,
            issued_before: end.selection.issued_before,
            by_reference: end.selection.external_ref.is_some(),
            ended_at: end.ended_at,
            end_reason: end.end_reason,
        }
    }
}

impl From<&PendingEnds> for Kept<EndFacts> {
    fn from(ends: &PendingEnds) -> Self {
        match ends {
            Kept::Nothing => Self::Nothing,
            Kept::Known(ends) => Self::Known(ends.iter().map(EndFacts::from).collect()),
            Kept::Unreadable => Self::Unreadable,
        }
    }
}

words! {
    /// Who was authorized last to unlock a car, as far as the lock of a grant's guest depends on it.
    LastUnlock {
        /// Nobody ever was.
        Nobody = "nobody",
        /// The guest.
        Grantee = "grantee",
        /// Somebody else. Who, is nobody's business here.
        Other = "other",
    }
}

/// On what a decision rested: the revision of each row, and what decisions themselves change about the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the revision of the row it is called after")]
pub struct RestsOn {
    pub organization: i64,
    pub owner: i64,
    pub connection: i64,
    pub vehicle: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grantee: Option<i64>,
    /// How many uses of the grant were spent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<i64>,
    /// Who was authorized last to unlock the car, where a guest wants to lock it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_unlock: Option<LastUnlock>,
    /// The token that showed the grant, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<TokenId>,
    /// The device that showed the grant, where its token was bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<Thumbprint>,
}

impl RestsOn {
    /// On what a decision rests; `None` for a right of somebody else, about which nothing is told.
    #[must_use]
    pub fn of(facts: Facts<'_>, request: &Request) -> Option<Self> {
        let holder = facts.grant.map_or(facts.vehicle.owner_id, |facts| facts.grant.grantee_id);
        if holder != request.user_id {
            return None;
        }
        let VehicleRevisions { organization, owner, connection, vehicle } = facts.vehicle.revisions;
        let grant = facts.grant;
        let locks_by_grant = grant.is_some() && request.entitlement == Entitlement::Lock;
        let last_unlock = match facts.vehicle.last_unlocked_by {
            None => LastUnlock::Nobody,
            Some(user_id) if user_id == request.user_id => LastUnlock::Grantee,
            Some(_) => LastUnlock::Other,
        };
        Some(Self {
            organization,
            owner,
            connection,
            vehicle,
            grant: grant.map(|facts| facts.grant.revision),
            grantee: grant.map(|facts| facts.grantee_revision),
            uses: grant.map(|facts| facts.grant.uses),
            last_unlock: locks_by_grant.then_some(last_unlock),
            token_id: None,
            device_key: request.device_key,
        })
    }

    /// The same, shown by this token.
    #[must_use]
    pub const fn by_token(self, token_id: Option<TokenId>) -> Self {
        Self { token_id, ..self }
    }
}

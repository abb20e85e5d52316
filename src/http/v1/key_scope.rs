//! The scope of a hold or an end in a request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::key_scope::KeyScope;
use crate::service::Violation;

/// What it is over: exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ScopeRequest {
    /// One grant.
    grant_id: Option<GrantId>,
    /// Everything that a person may do.
    user_id: Option<UserId>,
    /// Everything that people may do with a car.
    vehicle_id: Option<VehicleId>,
    /// `true`: everything that people may do with cars of the organization.
    organization: Option<bool>,
}

impl ScopeRequest {
    /// What it names, for somebody of this organization.
    pub(in crate::http) fn check(&self, own: OrganizationId) -> Result<KeyScope, Violation> {
        let named = [
            self.grant_id.map(KeyScope::Grant),
            self.user_id.map(KeyScope::User),
            self.vehicle_id.map(KeyScope::Vehicle),
            self.organization.map(|_| KeyScope::Organization(own)),
        ];
        let mut named = named.into_iter().flatten();
        match (named.next(), named.next()) {
            (Some(scope), None) if self.organization != Some(false) => Ok(scope),
            _ => Err(Violation::of(
                "/scope",
                "invalid",
                "must have exactly one of `grant_id`, `user_id`, `vehicle_id` and `organization: true`",
            )),
        }
    }
}

/// What it is over: the one that is not `null`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct KeyScopeBody {
    /// One grant.
    grant_id: Option<GrantId>,
    /// Everything that a person may do.
    user_id: Option<UserId>,
    /// Everything that people may do with a car.
    vehicle_id: Option<VehicleId>,
    /// Everything that people may do with cars of the organization.
    organization: Option<bool>,
}

impl From<KeyScope> for KeyScopeBody {
    fn from(scope: KeyScope) -> Self {
        let nothing = Self { grant_id: None, user_id: None, vehicle_id: None, organization: None };
        match scope {
            KeyScope::Grant(id) => Self { grant_id: Some(id), ..nothing },
            KeyScope::User(id) => Self { user_id: Some(id), ..nothing },
            KeyScope::Vehicle(id) => Self { vehicle_id: Some(id), ..nothing },
            KeyScope::Organization(_) => Self { organization: Some(true), ..nothing },
        }
    }
}

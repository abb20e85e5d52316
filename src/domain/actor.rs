//! Who does something: the one the record names.

use crate::domain::id::{ApiClientId, OrganizationId, UserId, VehicleId};
use crate::domain::principal::PrincipalId;
use crate::domain::user::Role;

words! {
    /// One thing an API client may do for its organization.
    Scope {
        /// Create users.
        UsersWrite = "users:write",
        /// Read users.
        UsersRead = "users:read",
        /// Connect cars for owners.
        ConnectionsWrite = "connections:write",
        /// Read vehicles.
        VehiclesRead = "vehicles:read",
        /// Describe vehicles.
        VehiclesWrite = "vehicles:write",
        /// Issue, end and mint tokens of grants for the people concerned.
        GrantsWrite = "grants:write",
        /// Read grants.
        GrantsRead = "grants:read",
        /// Send commands and ask for access checks for users.
        CommandsWrite = "commands:write",
        /// Read commands.
        CommandsRead = "commands:read",
        /// Read the record.
        AuditRead = "audit:read",
        /// Read events as they happen.
        EventsRead = "events:read",
        /// Have events sent to addresses.
        WebhooksWrite = "webhooks:write",
    }
}

/// Who does something, once their credentials were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The tenant in which they act; nothing crosses (P10).
    pub organization_id: OrganizationId,
    /// Who they are.
    pub principal: Principal,
}

/// The kinds of actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person, signed in or holding a grant token.
    User {
        /// The person.
        user_id: UserId,
        /// What they may do.
        role: Role,
    },
    /// A program of the organization, for itself or for one of its users.
    ApiClient {
        /// The program.
        api_client_id: ApiClientId,
        /// What it may do at most.
        scopes: Vec<Scope>,
        /// The cars that it may have to do with; `None` for all.
        vehicles: Option<Vec<VehicleId>>,
        /// The user it acts for in this request; `None` for the organization.
        acting_for: Option<UserId>,
    },
    /// The service itself: recovery, reconciliation, expiry.
    System,
}

impl Actor {
    /// Which principal it is.
    #[must_use]
    pub const fn principal_id(&self) -> PrincipalId {
        match &self.principal {
            Principal::User { user_id, .. } => PrincipalId::User(*user_id),
            Principal::ApiClient { api_client_id, .. } => PrincipalId::ApiClient(*api_client_id),
            Principal::System => PrincipalId::System,
        }
    }

    /// The service itself, in one organization.
    #[must_use]
    pub const fn system(organization_id: OrganizationId) -> Self {
        Self { organization_id, principal: Principal::System }
    }

    /// The person whose rights count: the user, or the one an API client acts for.
    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match &self.principal {
            Principal::User { user_id, .. } => Some(*user_id),
            Principal::ApiClient { acting_for, .. } => *acting_for,
            Principal::System => None,
        }
    }

    /// The same API client, acting for this user; people and the service act for themselves.
    #[must_use]
    pub fn acting_for(mut self, user_id: UserId) -> Self {
        if let Principal::ApiClient { acting_for, .. } = &mut self.principal {
            *acting_for = Some(user_id);
        }
        self
    }
}

//! Accounts of people.

pub(in crate::http) mod allowed_clients;
pub(in crate::http) mod claims;
pub(in crate::http) mod create;
pub(in crate::http) mod device_keys;
pub(in crate::http) mod disable;
pub(in crate::http) mod enable;
pub(in crate::http) mod erase;
pub(in crate::http) mod get;
pub(in crate::http) mod list;
pub(in crate::http) mod name;
pub(in crate::http) mod password;
pub(in crate::http) mod sessions;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::{OrganizationId, UserId};
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;
use crate::domain::user::{Email, Role, ShortText, User};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct UserBody {
    /// Their name in the API and in the record.
    #[schema(example = "usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    user_id: UserId,
    /// Their organization.
    organization_id: OrganizationId,
    /// The e-mail address with which they sign in.
    email: Email,
    /// The name that others see.
    display_name: ShortText,
    /// `admin`, `support` (sees everything and ends keys), `auditor` (reads the record) or `member`.
    role: Role,
    /// Who made the account: a user, an API client, or `system` for the operator's command line.
    #[schema(example = "usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    created_by: PrincipalId,
    /// Since when the person has had credentials of their own; nobody signs in before.
    claimed_at: Option<Timestamp>,
    /// When somebody else gave the account new credentials, if somebody did. What the account could do
    /// before then waits for the owners whom it concerns, and for its own cars to be connected again.
    recovered_at: Option<Timestamp>,
    /// Who that was.
    recovered_by: Option<PrincipalId>,
    /// Since when the account is closed.
    disabled_at: Option<Timestamp>,
    /// Your own name for them.
    external_ref: Option<String>,
    /// The time at which the account was made.
    created_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            user_id: user.user_id,
            organization_id: user.organization_id,
            email: user.email,
            display_name: user.display_name,
            role: user.role,
            created_by: user.created_by,
            claimed_at: user.claimed_at,
            recovered_at: user.recovery.map(|recovery| recovery.redeemed_at),
            recovered_by: user.recovery.map(|recovery| recovery.made_by),
            disabled_at: user.disabled_at,
            external_ref: user.external_ref,
            created_at: user.created_at,
        }
    }
}

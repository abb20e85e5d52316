//! Accounts of people.

pub(in crate::http) mod allowed_clients;
pub(in crate::http) mod claims;
pub(in crate::http) mod create;
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

use crate::domain::user::User;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct UserBody {
    /// Their name in the API and in the record.
    #[schema(example = "usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    user_id: String,
    /// Their organization.
    organization_id: String,
    /// The e-mail address with which they sign in.
    email: String,
    /// The name that others see.
    display_name: String,
    /// `admin`, `support` (sees everything and ends keys), `auditor` (reads the record) or `member`.
    role: String,
    /// Who made the account: a user, an API client, or `system` for the operator's command line.
    #[schema(example = "usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    created_by: String,
    /// Since when the person has had credentials of their own; nobody signs in before.
    claimed_at: Option<String>,
    /// When somebody else gave the account new credentials, if somebody did. What the account could do
    /// before then waits for the owners whom it concerns, and for its own cars to be connected again.
    recovered_at: Option<String>,
    /// Who that was.
    recovered_by: Option<String>,
    /// Since when the account is closed.
    disabled_at: Option<String>,
    /// Your own name for them.
    external_ref: Option<String>,
    /// The time at which the account was made.
    created_at: String,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            user_id: user.user_id.to_string(),
            organization_id: user.organization_id.to_string(),
            email: user.email.as_str().to_owned(),
            display_name: user.display_name.as_str().to_owned(),
            role: user.role.to_string(),
            created_by: user.created_by.to_string(),
            claimed_at: user.claimed_at.map(|at| at.to_string()),
            recovered_at: user.recovery.map(|recovery| recovery.redeemed_at.to_string()),
            recovered_by: user.recovery.map(|recovery| recovery.made_by.to_string()),
            disabled_at: user.disabled_at.map(|at| at.to_string()),
            external_ref: user.external_ref,
            created_at: user.created_at.to_string(),
        }
    }
}

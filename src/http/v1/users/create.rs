//! `POST /v1/users`: an account for a person.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UserBody;
use super::claims::ClaimBody;
use crate::domain::user::{Email, Role, ShortText};
use crate::http::Gateway;
use crate::http::extract::ApiJson;
use crate::http::extract::IdempotencyKey;
use crate::http::extract::SignedIn;
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::users::{self, NewAccount, NewUser};

/// What an account is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateUser {
    /// The e-mail address with which they will sign in.
    email: Email,
    /// The name that others see.
    display_name: ShortText,
    /// `admin`, `support`, `auditor` or `member`; `member` if not given.
    role: Option<Role>,
    /// Whether the link shall need a PIN, which you give them another way. No if not given.
    #[serde(default)]
    with_pin: bool,
    /// Your own name for them, which no other account of the organization has.
    external_ref: Option<ShortText>,
}

/// A new account, and the link by which its person comes to it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct CreatedUserBody {
    #[serde(flatten)]
    user: UserBody,
    #[serde(flatten)]
    claim: ClaimBody,
}

impl From<NewAccount> for CreatedUserBody {
    fn from(account: NewAccount) -> Self {
        Self { user: account.user.into(), claim: account.claim.into() }
    }
}

/// Make an account without credentials. Give its person the link, which is shown only here: whoever
/// redeems it first has the account.
#[utoipa::path(post, path = "/v1/users", operation_id = "users.create", tag = "users",
    security(("session" = []), ("api_client" = ["users:write"])), request_body = CreateUser,
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats give the same answer.")),
    responses((status = 201, description = "The account.", body = CreatedUserBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    key: Option<IdempotencyKey>,
    body: ApiJson<CreateUser>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let new = NewUser {
        email: body.value.email,
        display_name: body.value.display_name,
        role: body.value.role.unwrap_or(Role::Member),
        with_pin: body.value.with_pin,
        external_ref: body.value.external_ref.map(String::from),
    };
    let answer = users::create(&gateway.service.base, &caller, &idempotency, new).await?;
    Ok(created(answer, CreatedUserBody::from))
}

//! `POST /v1/access-checks`: would a command be allowed, now or at a given time? Nothing happens
//! by asking.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{GrantId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::{Basis, Decision, Reason};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, TokenCaller};
use crate::http::problem::Problem;
use crate::service::access_checks::{self, Question};

/// What to ask.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateAccessCheck {
    /// The car.
    vehicle_id: VehicleId,
    /// What would be done, such as `unlock` or `start_charge`.
    action: Action,
    /// By which grant; the best of one's own if not given.
    grant_id: Option<GrantId>,
    /// At which time; now if not given. The facts are today's.
    at: Option<Timestamp>,
}

/// What kind of right an allowed command would rest on.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum BasisKind {
    /// The car is one's own.
    Ownership,
    /// A grant.
    Grant,
}

/// What an allowed command would rest on.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BasisBody {
    /// The kind of right.
    kind: BasisKind,
    /// The grant.
    grant_id: Option<GrantId>,
}

/// What the policy says.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AccessCheckBody {
    /// Whether it would be allowed.
    allowed: bool,
    /// Why not, most important first.
    reasons: Vec<Reason>,
    /// On what ground.
    basis: Option<BasisBody>,
}

impl From<Basis> for BasisBody {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::Ownership => Self { kind: BasisKind::Ownership, grant_id: None },
            Basis::Grant(id) => Self { kind: BasisKind::Grant, grant_id: Some(id) },
        }
    }
}

impl From<Decision> for AccessCheckBody {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow(basis) => {
                Self { allowed: true, reasons: Vec::new(), basis: Some(basis.into()) }
            }
            Decision::Deny(reasons) => Self { allowed: false, reasons, basis: None },
        }
    }
}

/// Ask whether a command would be allowed.
#[utoipa::path(post, path = "/v1/access-checks", operation_id = "access_checks.create", tag = "access_checks",
    security(("session" = []), ("api_client" = ["commands:write"]), ("grant_token" = [])),
    request_body = CreateAccessCheck,
    responses((status = 200, description = "What the policy says.", body = AccessCheckBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    caller: TokenCaller,
    body: ApiJson<CreateAccessCheck>,
) -> Result<Json<AccessCheckBody>, Problem> {
    let CreateAccessCheck { vehicle_id, action, grant_id, at } = body.value;
    let token = caller.token();
    let (caller, grant_id) = match caller {
        TokenCaller::SignedIn(caller) => (caller, grant_id),
        TokenCaller::Holder(caller, token, _) => (caller, Some(token.claims().grant_id)),
    };
    let question = Question { vehicle_id, action, grant_id, token, at };
    let decision = access_checks::check(&gateway.service.base, &caller, question).await?;
    Ok(Json(decision.into()))
}

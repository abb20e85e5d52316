//! `POST /v1/access-checks`: would a command be allowed, now or at a given time? Nothing happens
//! by asking.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{GrantId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::{Basis, Decision};
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
    #[schema(value_type = String, example = "veh_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    vehicle_id: VehicleId,
    /// What would be done, such as `unlock` or `start_charge`.
    #[schema(value_type = String, example = "unlock")]
    action: Action,
    /// By which grant; the best of one's own if not given.
    #[schema(value_type = Option<String>)]
    grant_id: Option<GrantId>,
    /// At which time; now if not given. The facts are today's.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// What an allowed command would rest on.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BasisBody {
    /// `ownership` or `grant`.
    kind: &'static str,
    /// The grant.
    grant_id: Option<String>,
}

/// What the policy says.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AccessCheckBody {
    /// Whether it would be allowed.
    allowed: bool,
    /// Why not, most important first.
    reasons: Vec<String>,
    /// On what ground.
    basis: Option<BasisBody>,
}

impl From<Basis> for BasisBody {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::Ownership => Self { kind: "ownership", grant_id: None },
            Basis::Grant(id) => Self { kind: "grant", grant_id: Some(id.to_string()) },
        }
    }
}

impl From<Decision> for AccessCheckBody {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow(basis) => {
                Self { allowed: true, reasons: Vec::new(), basis: Some(basis.into()) }
            }
            Decision::Deny(reasons) => Self {
                allowed: false,
                reasons: reasons.iter().map(ToString::to_string).collect(),
                basis: None,
            },
        }
    }
}

/// Ask whether a command would be allowed.
#[utoipa::path(post, path = "/v1/access-checks", operation_id = "access_checks.create", tag = "commands",
    security(("session" = []), ("api_client" = ["commands:write"]), ("grant_token" = [])),
    request_body = CreateAccessCheck,
    responses((status = 200, description = "What the policy says.", body = AccessCheckBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    caller: TokenCaller,
    body: ApiJson<CreateAccessCheck>,
) -> Result<Json<AccessCheckBody>, Problem> {
    let CreateAccessCheck { vehicle_id, action, grant_id, at } = body.value;
    let shown = caller.shown();
    let (caller, grant_id) = match caller {
        TokenCaller::SignedIn(caller) => (caller, grant_id),
        TokenCaller::Holder(caller, token) => (caller, Some(token.claims().grant_id)),
    };
    let question = Question { vehicle_id, action, grant_id, shown, at };
    let decision = access_checks::check(&gateway.service.base, &caller, question).await?;
    Ok(Json(decision.into()))
}

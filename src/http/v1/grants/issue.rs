//! `POST /v1/grants`: lending a key.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{GrantBody, asks_for_something, check_return_terms, check_terms};
use crate::domain::amendment::Terms;
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::{Description, Grace, Validity};
use crate::domain::id::{UserId, VehicleId};
use crate::domain::return_terms::ReturnTerms;
use crate::domain::time::Timestamp;
use crate::domain::user::{LongText, ShortText};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, IdempotencyKey, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{FreeMap, created, idempotency, metadata_text, versioned};
use crate::service::Violation;
use crate::service::grants::{self, NewGrant};

/// What a grant is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct IssueGrant {
    /// The car; one's own.
    vehicle_id: VehicleId,
    /// The grantee, who may use it.
    grantee_id: UserId,
    /// What the grantee may do.
    #[schema(min_items = 1, max_items = 18, example = json!(["unlock", "lock"]))]
    entitlements: Vec<Entitlement>,
    /// The first moment in which it can be used, with a zone.
    not_before: Timestamp,
    /// The first moment in which it can no longer be used; at most 400 days later.
    not_after: Timestamp,
    /// How many minutes the car can still be locked after `not_after`: nobody is left unable to close it. 15 if not
    /// given.
    #[serde(default)]
    grace_minutes: Grace,
    /// How many times it may open the car; no limit if not given. Closing it is never counted.
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_uses: Option<i64>,
    /// If true, the grant can be used only with a token that is bound to a device key, so that a copied token opens nothing.
    /// `lock` works without one. Default: false.
    #[serde(default)]
    require_device_key: bool,
    /// A short text for people.
    label: Option<ShortText>,
    /// Your own data: at most 4 KiB of JSON, which the service keeps and never looks into.
    #[schema(value_type = Option<FreeMap>)]
    metadata: Option<Map<String, Value>>,
    /// Your own name for what it belongs to, such as a booking number; several grants may carry the same.
    external_ref: Option<ShortText>,
    /// What the person at the car should know: where it stands, where the papers are.
    instructions: Option<LongText>,
    /// What the person at the car should do when it does not open.
    fallback_text: Option<LongText>,
    /// How the car is to be given back.
    return_terms: Option<ReturnTerms>,
    /// Whether odometer, fuel, battery and place are read by the owner's right when the car was unlocked for the first time
    /// and when the grant is over, for its statement. Not if it is left out.
    #[serde(default)]
    statement: bool,
}

impl IssueGrant {
    fn check(self) -> Result<NewGrant, Problem> {
        let mut violations = check_terms(Some(&self.entitlements), self.max_uses);
        let validity = Validity::new(self.not_before, self.not_after);
        if let Err(error) = &validity {
            violations.push(Violation::of("/not_after", "invalid_validity", error));
        }
        let return_terms = self.return_terms.filter(asks_for_something);
        violations.extend(return_terms.iter().flat_map(check_return_terms));
        let metadata = self.metadata.map(|metadata| metadata_text(metadata, &mut violations));
        match validity {
            Ok(validity) if violations.is_empty() => Ok(NewGrant {
                vehicle_id: self.vehicle_id,
                grantee_id: self.grantee_id,
                terms: Terms {
                    entitlements: self.entitlements.into_iter().collect(),
                    validity,
                    grace: self.grace_minutes,
                    uses_max: self.max_uses,
                    require_device_key: self.require_device_key,
                },
                description: Description {
                    label: self.label.map(String::from),
                    metadata,
                    external_ref: self.external_ref.map(String::from),
                    instructions: self.instructions.map(String::from),
                    fallback_text: self.fallback_text.map(String::from),
                    return_terms: return_terms.map(|terms| terms.to_text()),
                    statement: self.statement,
                },
            }),
            _ => Err(Problem::invalid(violations)),
        }
    }
}

/// Lend a key: for the owner of the car, or an API client for them.
#[utoipa::path(post, path = "/v1/grants", operation_id = "grants.issue", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])), request_body = IssueGrant,
    params(("Idempotency-Key" = IdempotencyKey, Header, description = "Required. Repeats give the same answer.")),
    responses((status = 201, description = "The grant.", body = GrantBody)))]
pub(in crate::http) async fn issue(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    key: IdempotencyKey,
    body: ApiJson<IssueGrant>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(Some(key), body.hash);
    let new = body.value.check()?;
    let answer = grants::issue(&gateway.service, &caller, &idempotency, new).await?;
    // A repeated answer is the one that was given then: the grant as it was, at the time it was.
    let (issued_at, version) = (answer.value.issued_at, answer.value.version);
    Ok(versioned(version, created(answer, |grant| GrantBody::at(grant, issued_at))))
}

//! `PATCH /v1/grants/{grant_id}`: a booking changes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{EndQuery, GrantBody, asks_for_something, check_return_terms, check_terms};
use crate::domain::amendment::Effect;
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::Grace;
use crate::domain::id::{CommandId, GrantId};
use crate::domain::return_terms::ReturnTerms;
use crate::domain::time::Timestamp;
use crate::domain::user::{LongText, ShortText};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, ApiQuery, IfMatch, SignedIn, given};
use crate::http::problem::Problem;
use crate::http::v1::{FreeMap, metadata_text, versioned};
use crate::service::Violation;
use crate::service::grants::{self, Changes};

/// What is to become of a grant. What is left out stays; `null` takes a limit or a text away, and is as if left out
/// of the others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AmendGrant {
    /// What the grantee may do.
    #[schema(min_items = 1, max_items = 18, example = json!(["unlock", "lock"]))]
    entitlements: Option<Vec<Entitlement>>,
    /// The first moment in which it can be used, with a zone.
    not_before: Option<Timestamp>,
    /// The first moment in which it can no longer be used; in the future, and at most 400 days after `not_before`.
    not_after: Option<Timestamp>,
    /// How many minutes the car can still be locked after `not_after`.
    grace_minutes: Option<Grace>,
    /// How many times it may open the car, counted from the first; `null` is no limit.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000)]
    max_uses: Option<Option<i64>>,
    /// Whether the grant can be used only with a token that is bound to a device key.
    require_device_key: Option<bool>,
    /// A short text for people.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    label: Option<Option<ShortText>>,
    /// Your own data: at most 4 KiB of JSON, in the place of what was there.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<FreeMap>)]
    metadata: Option<Option<Map<String, Value>>>,
    /// Your own name for what it belongs to.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    external_ref: Option<Option<ShortText>>,
    /// What the person at the car should know.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<LongText>)]
    instructions: Option<Option<LongText>>,
    /// What the person at the car should do when it does not open.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<LongText>)]
    fallback_text: Option<Option<LongText>>,
    /// How the car is to be given back.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ReturnTerms>)]
    return_terms: Option<Option<ReturnTerms>>,
    /// Whether the car is read at both ends, for the statement.
    statement: Option<bool>,
}

impl AmendGrant {
    fn check(self) -> Result<Changes, Problem> {
        let mut violations = check_terms(self.entitlements.as_deref(), self.max_uses.flatten());
        let return_terms = self.return_terms.map(|terms| terms.filter(asks_for_something));
        violations.extend(return_terms.iter().flatten().flat_map(check_return_terms));
        let metadata = self
            .metadata
            .map(|metadata| metadata.map(|metadata| metadata_text(metadata, &mut violations)));
        let changes = Changes {
            entitlements: self.entitlements.map(|all| all.into_iter().collect()),
            not_before: self.not_before,
            not_after: self.not_after,
            grace: self.grace_minutes,
            uses_max: self.max_uses,
            require_device_key: self.require_device_key,
            label: self.label.map(|label| label.map(String::from)),
            metadata,
            external_ref: self.external_ref.map(|name| name.map(String::from)),
            instructions: self.instructions.map(|text| text.map(String::from)),
            fallback_text: self.fallback_text.map(|text| text.map(String::from)),
            return_terms: return_terms.map(|terms| terms.map(|terms| terms.to_text())),
            statement: self.statement,
        };
        if changes == Changes::default() {
            violations.push(Violation::of("", "empty", "must name what is to change"));
        }
        if violations.is_empty() { Ok(changes) } else { Err(Problem::invalid(violations)) }
    }
}

/// A grant that was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AmendedGrantBody {
    /// The grant as it is now.
    #[serde(flatten)]
    grant: GrantBody,
    /// What the change did to what the grant allows: `none`, `narrowing`, `widening` or `mixed`.
    effect: Effect,
    /// After a narrowing: commands that were authorized before and may not have reached the car yet.
    in_flight: Vec<CommandId>,
}

/// Change a key. What allows more, and what describes it, is for the owner of the car; what allows only less also for
/// administrators and support. What it no longer allows is refused from the answer on.
#[utoipa::path(patch, path = "/v1/grants/{grant_id}", operation_id = "grants.amend", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])), request_body = AmendGrant,
    params(("grant_id" = GrantId, Path, description = "The grant."), EndQuery, IfMatch),
    responses((status = 200, description = "The grant as it is now, with its version as `ETag`.", body = AmendedGrantBody)))]
pub(in crate::http) async fn amend(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    ApiQuery(query): ApiQuery<EndQuery>,
    IfMatch(expected): IfMatch,
    body: ApiJson<AmendGrant>,
) -> Result<Response, Problem> {
    let base = &gateway.service.base;
    let changes = body.value.check()?;
    let amended =
        grants::amend(base, &caller, grant_id, &expected, &changes, query.answer_when()).await?;
    let version = amended.grant.version;
    let body = AmendedGrantBody {
        grant: GrantBody::at(amended.grant, base.clock.now()),
        effect: amended.effect,
        in_flight: amended.in_flight,
    };
    Ok(versioned(version, Json(body)))
}

//! `POST /v1/api-clients`: credentials for an API client; the secret is shown this once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::actor::Scope;
use crate::domain::id::{ApiClientId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::user::ShortText;
use crate::http::Gateway;
use crate::http::extract::ApiJson;
use crate::http::extract::IdempotencyKey;
use crate::http::extract::SignedIn;
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::Violation;
use crate::service::api_clients::{self, Credentials, NewApiClient};

/// A client is limited to so many cars, or to none.
const VEHICLES_MAX: usize = 64;

/// What an API client is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateApiClient {
    /// The name that people see.
    name: ShortText,
    /// The scopes that it may use.
    #[schema(example = json!(["grants:write", "commands:write"]))]
    scopes: BTreeSet<Scope>,
    /// The cars that it may have to do with, at most 64; all if not given. It neither lists nor connects cars then.
    #[schema(max_items = 64)]
    vehicle_ids: Option<BTreeSet<VehicleId>>,
    /// The time from which it may do nothing any more; no end if not given.
    expires_at: Option<Timestamp>,
}

/// The credentials of an API client.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ApiClientCredentialsBody {
    /// Identifies the API client.
    api_client_id: ApiClientId,
    /// The same, as OAuth calls it.
    client_id: ApiClientId,
    /// Its secret, shown this once.
    client_secret: String,
    /// The name that people see.
    name: String,
    /// The scopes that it may use.
    scopes: Vec<Scope>,
    /// The cars to which it is limited; `null` for all.
    vehicle_ids: Option<Vec<VehicleId>>,
    /// The time from which it may do nothing any more, if there is one.
    expires_at: Option<Timestamp>,
    /// The time at which it was made.
    created_at: Timestamp,
}

impl From<Credentials> for ApiClientCredentialsBody {
    fn from(credentials: Credentials) -> Self {
        Self {
            api_client_id: credentials.api_client_id,
            client_id: credentials.api_client_id,
            client_secret: credentials.client_secret,
            name: credentials.name,
            scopes: credentials.scopes,
            vehicle_ids: credentials.vehicle_ids,
            expires_at: credentials.expires_at,
            created_at: credentials.created_at,
        }
    }
}

/// Make credentials for an API client.
#[utoipa::path(post, path = "/v1/api-clients", operation_id = "api_clients.create", tag = "api_clients",
    security(("session" = [])), request_body = CreateApiClient,
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats give the same answer.")),
    responses((status = 201, description = "The credentials.", body = ApiClientCredentialsBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    key: Option<IdempotencyKey>,
    body: ApiJson<CreateApiClient>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let CreateApiClient { name, scopes, vehicle_ids, expires_at } = body.value;
    if vehicle_ids.as_ref().is_some_and(|ids| ids.is_empty() || ids.len() > VEHICLES_MAX) {
        let violation = Violation::of("/vehicle_ids", "out_of_range", "must name 1 to 64 vehicles");
        return Err(Problem::invalid(vec![violation]));
    }
    let new = NewApiClient {
        name,
        scopes: scopes.into_iter().collect(),
        vehicle_ids: vehicle_ids.map(|ids| ids.into_iter().collect()),
        expires_at,
    };
    let answer = api_clients::create(&gateway.service, &caller, &idempotency, &new).await?;
    Ok(created(answer, ApiClientCredentialsBody::from))
}

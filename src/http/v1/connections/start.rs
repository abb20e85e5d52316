//! `POST /v1/connections`: sending an owner to the vehicle cloud.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ConnectionBody;
use crate::domain::connection::Mode;
use crate::http::Gateway;
use crate::http::extract::{IdempotencyKey, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, once};
use crate::service::connections::{self, Started};

/// How a consent is asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StartConnection {
    /// Which cars are offered, `live` or `simulated`; `live` if not given.
    #[schema(value_type = Option<String>, example = "live")]
    mode: Option<Mode>,
}

/// Start connecting a car: answers where to send the owner's browser.
#[utoipa::path(post, path = "/v1/connections", operation_id = "connections.start", tag = "connections",
    security(("session" = []), ("api_client" = ["connections:write"])), request_body = StartConnection,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeats give the same answer.")),
    responses((status = 201, description = "The consent that is under way.", body = ConnectionBody)))]
pub(in crate::http) async fn start(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    key: Option<IdempotencyKey>,
    body: OptionalJson<StartConnection>,
) -> Result<Response, Problem> {
    let once = once(key, body.hash);
    let mode = body.value.mode.unwrap_or(Mode::Live);
    let answer = connections::start(&gateway.service, &caller, &once, mode).await?;
    Ok(created(answer, |Started { connection, authorize_url }| ConnectionBody {
        authorize_url: Some(authorize_url),
        ..ConnectionBody::from(connection)
    }))
}

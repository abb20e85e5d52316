//! `GET /v1/connections/callback`: the owner's browser comes back from the vehicle cloud. The
//! state it brings is its only credential; the page it gets says how it went.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::Gateway;
use crate::http::extract::ApiQuery;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::service::Error;
use crate::service::connections::{self, Completed, Return};

const WORD_LENGTH_MAX: usize = 64;
const CODE_LENGTH_MAX: usize = 512;

/// What the vehicle cloud sends back with the browser (protocol page, section 1.2).
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct CallbackQuery {
    /// What was given out when the consent started.
    state: Option<String>,
    /// The code to exchange.
    code: Option<String>,
    /// Why there is none.
    error: Option<String>,
}

/// A consent that is complete.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct CompletedBody {
    /// The consent.
    connection_id: String,
    /// The cars that came with it.
    vehicle_ids: Vec<String>,
}

#[derive(Template)]
#[template(path = "connected.html")]
struct ConnectedPage {
    cars: Vec<String>,
}

/// A word of the cloud's, if it is one: it goes into the record.
fn word(text: &str) -> String {
    let is_word = (1..=WORD_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { text.to_owned() } else { "unreadable".to_owned() }
}

/// Complete a consent; for browsers.
#[utoipa::path(get, path = "/v1/connections/callback", operation_id = "connections.callback",
    tag = "connections", security(()), params(CallbackQuery),
    responses(
        (status = 200, description = "The cars are connected.", content(
            (CompletedBody = "application/json"), (String = "text/html")))))]
pub(in crate::http) async fn callback(
    State(gateway): State<Arc<Gateway>>,
    request_id: RequestId,
    headers: HeaderMap,
    ApiQuery(query): ApiQuery<CallbackQuery>,
) -> Result<Response, Problem> {
    let missing = |name: &str| Error::invalid(name, "required", "is missing");
    let state = query.state.ok_or_else(|| missing("?state"))?;
    let result = match (query.code, query.error) {
        (_, Some(error)) => Err(word(&error)),
        (Some(code), None) if code.len() <= CODE_LENGTH_MAX => Ok(code),
        (Some(_), None) => return Err(Error::invalid("?code", "too_long", "is too long").into()),
        (None, None) => return Err(missing("?code").into()),
    };
    let request_id = Some(request_id.as_str().to_owned());
    let returned = Return { state, result, request_id };
    let completed = connections::complete(&gateway.service, returned).await?;
    if wants_json(&headers) { Ok(Json(body(&completed)).into_response()) } else { page(&completed) }
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"))
}

fn body(completed: &Completed) -> CompletedBody {
    CompletedBody {
        connection_id: completed.connection_id.to_string(),
        vehicle_ids: completed.vehicles.iter().map(|car| car.vehicle_id.to_string()).collect(),
    }
}

fn page(completed: &Completed) -> Result<Response, Problem> {
    let name =
        |car: &crate::domain::vehicle::Vehicle| format!("{} {} {}", car.make, car.model, car.year);
    let page = ConnectedPage { cars: completed.vehicles.iter().map(name).collect() };
    let html = page.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Html(html).into_response())
}

//! The token endpoint of API v3: an application shows its id and its secret, and is given a token
//! for all of its owners. Any id and secret are known, in a form, in JSON or in the header.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::token::Refusal;
use crate::simulator::doors::call::Shared;
use crate::simulator::doors::credentials::client_id;
use crate::simulator::doors::query::pairs;
use crate::smartcar::v3::{ApplicationTokenAnswer, TOKEN_LIFETIME_S};

/// `POST /oauth2/token`.
pub(super) async fn token(
    State(cloud): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = fields(&headers, &body)?;
    let field = |name: &str| fields.get(name).filter(|value| !value.is_empty());
    let grant_type = field("grant_type").map(String::as_str);
    if grant_type != Some("client_credentials") {
        return Err(Refusal::Request("`grant_type` must be `client_credentials`."));
    }
    let in_body = field("client_id").filter(|_| field("client_secret").is_some());
    let client_id = in_body.cloned().or_else(|| client_id(&headers));
    let access_token = cloud.issue_application_token(&client_id.ok_or(Refusal::Client)?)?;
    let answer = ApplicationTokenAnswer {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: TOKEN_LIFETIME_S,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn fields(headers: &HeaderMap, body: &[u8]) -> Result<HashMap<String, String>, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Ok(pairs(body).into_iter().collect());
    }
    serde_json::from_slice(body)
        .map_err(|_| Refusal::Request("The body is not an object of texts."))
}

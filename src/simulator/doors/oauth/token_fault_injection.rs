//! Faults of the token endpoints, carried out: it stands in front of them and knows no token. What
//! it does not corrupt, they answer.

use std::sync::Arc;

use axum::Json;
use axum::body::{self, Body};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{BODY_BYTES_MAX, Shared};
use crate::simulator::doors::listener::Peer;
use crate::simulator::doors::query::pairs;
use crate::simulator::faults::token_faults::{TokenFaultKind, TokenOccasion};
use crate::smartcar::OAuthError;

/// Lets the queue have its say before and after a token endpoint.
pub(super) fn in_front_of(
    endpoint: MethodRouter<Arc<Cloud>>,
    cloud: &Arc<Cloud>,
) -> MethodRouter<Arc<Cloud>> {
    endpoint.layer(from_fn_with_state(Arc::clone(cloud), strike))
}

async fn strike(
    State(cloud): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let fault = cloud.token_faults.queue().take(occasion(&body));
    let request = Request::from_parts(head, Body::from(body));
    match fault {
        None => next.run(request).await,
        Some(TokenFaultKind::Delay { delay_ms }) => match cloud.pause(delay_ms).await {
            true => next.run(request).await,
            false => Failure::unavailable().into_response(),
        },
        Some(TokenFaultKind::Refuse) => Failure::unavailable().into_response(),
        Some(TokenFaultKind::Lost) => {
            let lost = next.run(request).await;
            peer.cut_off();
            lost
        }
        Some(TokenFaultKind::Html) => {
            let html = [(header::CONTENT_TYPE, "text/html")];
            (html, "<!doctype html><title>Welcome</title><p>Please sign in.").into_response()
        }
        Some(TokenFaultKind::InvalidGrant) => {
            let error = OAuthError::new("invalid_grant", "The grant is not valid.");
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Some(TokenFaultKind::ServerError) => {
            let error = OAuthError::new("server_error", "An unexpected error happened.");
            (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response()
        }
    }
}

/// What a request is for. A grant type in JSON is an application's.
fn occasion(body: &[u8]) -> TokenOccasion {
    let fields = pairs(body);
    let mut grant_types = fields.iter().filter(|(key, _)| key == "grant_type");
    match grant_types.next().map(|(_, value)| value.as_str()) {
        Some("authorization_code") => TokenOccasion::Exchange,
        Some("refresh_token") => TokenOccasion::Refresh,
        Some("client_credentials") | None => TokenOccasion::ClientCredentials,
        Some(_) => TokenOccasion::Any,
    }
}

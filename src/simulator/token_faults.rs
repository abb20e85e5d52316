//! What can be made to go wrong with the token endpoints, and carrying it out. It stands in front
//! of them and knows no token: what it does not spoil, they answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::{self, Body};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::answer::Failure;
use super::asked::pairs;
use super::faults::{FAULTS_MAX, WAIT_MS_MAX};
use super::listener::Peer;
use super::state::Cloud;
use crate::smartcar::{ErrorKind, OAuthError};

/// What a fault of the token endpoint waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOccasion {
    /// Whatever comes first.
    #[default]
    Any,
    /// A code is redeemed.
    Exchange,
    /// A refresh token is used.
    Refresh,
    /// An application asks for a token of its own.
    ClientCredentials,
}

/// What goes wrong at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenFaultKind {
    /// Waits, then goes on as always.
    Delay {
        /// How long, in milliseconds.
        delay_ms: u64,
    },
    /// Answers 503; nothing is used up.
    Refuse,
    /// Carries the request out, so that a code or refresh token is used up, then closes the
    /// connection: the new tokens are never sent.
    Lost,
    /// Answers 200 with a page for people; nothing is used up.
    Html,
    /// Answers `invalid_grant`, 400; nothing is used up.
    InvalidGrant,
    /// Answers 500; nothing is used up.
    #[serde(rename = "500", alias = "server_error")]
    ServerError,
}

/// One entry of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: TokenFaultKind,
    /// What it waits for.
    #[serde(default)]
    pub on: TokenOccasion,
}

/// The queue of the token endpoints: body of `PUT /_sim/token-faults`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFaultScript {
    /// The first entry strikes first.
    pub faults: VecDeque<TokenFault>,
    /// Whether an entry that struck goes to the end of the queue again.
    #[serde(default)]
    pub repeat: bool,
}

impl TokenFaultScript {
    fn check(&self) -> Result<(), &'static str> {
        if self.faults.len() > FAULTS_MAX {
            return Err("a queue has at most 1000 entries");
        }
        let too_long = |fault: &TokenFault| matches!(fault.kind, TokenFaultKind::Delay { delay_ms } if delay_ms > WAIT_MS_MAX);
        match self.faults.iter().any(too_long) {
            true => Err("a wait is at most 600000 milliseconds"),
            false => Ok(()),
        }
    }

    fn take(&mut self, occasion: TokenOccasion) -> Option<TokenFaultKind> {
        let meant = |fault: &TokenFault| fault.on == TokenOccasion::Any || fault.on == occasion;
        let position = self.faults.iter().position(meant)?;
        let fault = self.faults.remove(position)?;
        if self.repeat {
            self.faults.push_back(fault.clone());
        }
        Some(fault.kind)
    }
}

/// The queue of a running cloud.
#[derive(Debug, Default)]
pub(super) struct TokenFaults(Mutex<TokenFaultScript>);

impl TokenFaults {
    fn lock(&self) -> std::sync::MutexGuard<'_, TokenFaultScript> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GET /_sim/token-faults`: what is left of the queue.
pub(super) async fn get(State(cloud): State<Arc<Cloud>>) -> Json<TokenFaultScript> {
    Json(cloud.token_faults.lock().clone())
}

/// `PUT /_sim/token-faults`: a new queue in place of the old one.
pub(super) async fn set(
    State(cloud): State<Arc<Cloud>>,
    body: Bytes,
) -> Result<Json<TokenFaultScript>, Failure> {
    let wrong = |why: String| Failure::new(ErrorKind::ValidationParameter).describing(why);
    let script: TokenFaultScript =
        serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    script.check().map_err(|why| wrong(why.to_owned()))?;
    *cloud.token_faults.lock() = script.clone();
    Ok(Json(script))
}

/// `DELETE /_sim/token-faults`: nothing goes wrong any more.
pub(super) async fn clear(State(cloud): State<Arc<Cloud>>) -> StatusCode {
    *cloud.token_faults.lock() = TokenFaultScript::default();
    StatusCode::NO_CONTENT
}

/// Lets the queue have its say before and after a token endpoint.
pub(super) fn in_front_of(
    endpoint: MethodRouter<Arc<Cloud>>,
    cloud: &Arc<Cloud>,
) -> MethodRouter<Arc<Cloud>> {
    endpoint.layer(from_fn_with_state(Arc::clone(cloud), strike))
}

async fn strike(
    State(cloud): State<Arc<Cloud>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::to_bytes(body, super::BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let fault = cloud.token_faults.lock().take(occasion(&body));
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

//! The token endpoint: a code or a refresh token comes in, a new pair goes out (RFC 6749). Any
//! client with a name and a secret is known; what it is given belongs to that name alone.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use url::form_urlencoded;

use crate::entropy::NoEntropy;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::call::Shared;
use crate::simulator::doors::credentials::client_id;
use crate::smartcar::{OAuthError, v2::TokenAnswer};

/// Why no tokens are given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    Client,
    Request(&'static str),
    GrantType,
    Grant(&'static str),
    Internal,
}

impl From<NoEntropy> for Refusal {
    fn from(_: NoEntropy) -> Self {
        Self::Internal
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::Client => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "The client must identify itself with an id and a secret.",
            ),
            Self::Request(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
            Self::GrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "`grant_type` must be `authorization_code` or `refresh_token`.",
            ),
            Self::Grant(why) => (StatusCode::BAD_REQUEST, "invalid_grant", why),
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "An unexpected error happened.")
            }
        };
        let body = Json(OAuthError::new(error, description));
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let basic = header::HeaderValue::from_static("Basic realm=\"token\"");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        response
    }
}

/// `POST /oauth/token`.
pub(super) async fn token(
    State(cloud): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let client_id = client_id(&headers).ok_or(Refusal::Client)?;
    let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| {
        let mut found = fields.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    };
    let missing = || Refusal::Request("A field of the request is missing.");
    let answer = match field("grant_type").ok_or_else(missing)? {
        "authorization_code" => {
            let code = field("code").ok_or_else(missing)?;
            exchange(&cloud, &client_id, code, field("redirect_uri"))?
        }
        "refresh_token" => {
            let token = field("refresh_token").ok_or_else(missing)?;
            let consent = cloud.take_refresh(token, &client_id);
            let why = "The refresh token is unknown, used or expired.";
            cloud.issue_tokens(&consent.ok_or(Refusal::Grant(why))?)?
        }
        _ => return Err(Refusal::GrantType),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn exchange(
    cloud: &Cloud,
    client_id: &str,
    code: &str,
    redirect_uri: Option<&str>,
) -> Result<TokenAnswer, Refusal> {
    let why = "The code is unknown, used or expired.";
    let code = cloud.take_code(code).ok_or(Refusal::Grant(why))?;
    if code.consent.client_id != client_id {
        return Err(Refusal::Grant("The code was given to another client."));
    }
    if redirect_uri != Some(code.redirect_uri.as_str()) {
        let why = "`redirect_uri` is not the one of the authorization.";
        return Err(Refusal::Grant(why));
    }
    Ok(cloud.issue_tokens(&code.consent)?)
}

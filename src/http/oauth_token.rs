//! `POST /oauth/token`: access tokens for API clients (RFC 6749 section 4.4), with their credentials
//! in the form or in HTTP Basic. Errors have the form of RFC 6749 section 5.2, as OAuth clients
//! expect them here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Gateway;
use super::client_address::ClientAddress;
use super::extract::{self, WholeBody};
use super::problem::Problem;
use super::request_id::RequestId;
use crate::service::{CredentialFault, Error, api_clients};

/// The form.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The API client, unless it is in HTTP Basic.
    client_id: Option<String>,
    /// Its secret, unless it is in HTTP Basic.
    #[schema(value_type = Option<String>, format = Password)]
    client_secret: Option<SecretString>,
}

/// The token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenAnswer {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long it lives, in seconds.
    expires_in: u64,
    /// What it allows, with a space between words.
    scope: String,
}

/// Why there is no token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenError {
    /// A word of RFC 6749 section 5.2.
    error: &'static str,
    /// A sentence for developers.
    error_description: &'static str,
}

fn refuse(status: StatusCode, error: &'static str, error_description: &'static str) -> Response {
    (status, Json(TokenError { error, error_description })).into_response()
}

/// Get an access token for an API client.
#[utoipa::path(post, path = "/oauth/token", operation_id = "oauth.token", tag = "oauth",
    security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token.", body = TokenAnswer),
        (status = 400, description = "The form is not usable.", body = TokenError),
        (status = 401, description = "The credentials are not accepted.", body = TokenError),
        (status = 413, response = super::openapi::ProblemAnswer),
        (status = 429, response = super::openapi::ProblemAnswer),
        (status = 500, response = super::openapi::ProblemAnswer),
        (status = 503, response = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn issue(
    State(gateway): State<Arc<Gateway>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request_id: RequestId,
    headers: HeaderMap,
    WholeBody(body): WholeBody,
) -> Result<Response, Problem> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let Some(form) = parse(&body).filter(|_| is_form) else {
        let why = "the body must be a form with each parameter once";
        return Ok(refuse(StatusCode::BAD_REQUEST, "invalid_request", why));
    };
    if form.grant_type != "client_credentials" {
        let why = "only client_credentials is supported";
        return Ok(refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", why));
    }
    let credentials = match (basic(&headers), form.client_id, form.client_secret) {
        (Some(basic), None, None) => basic,
        (None, Some(id), Some(secret)) => (id, secret),
        (None, None, None) => return Ok(invalid_client()),
        _ => {
            let why = "send the credentials once, in the form or in HTTP Basic";
            return Ok(refuse(StatusCode::BAD_REQUEST, "invalid_request", why));
        }
    };
    let (client_id, secret) = credentials;
    let request_id = Some(request_id.recorded().to_owned());
    let issued =
        api_clients::issue_token(&gateway.service, &client_id, &secret, address, request_id);
    match issued.await {
        Ok(token) => {
            let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
            let answer = TokenAnswer {
                access_token: token.access_token.expose_secret().to_owned(),
                token_type: "Bearer",
                expires_in: token.expires_in.as_secs(),
                scope: scopes.join(" "),
            };
            Ok(Json(answer).into_response())
        }
        Err(Error::Unauthenticated(CredentialFault::WrongClient)) => Ok(invalid_client()),
        Err(other) => Err(other.into()),
    }
}

fn invalid_client() -> Response {
    let why = "client id and secret are not accepted";
    let mut response = refuse(StatusCode::UNAUTHORIZED, "invalid_client", why);
    let challenge = HeaderValue::from_static(r#"Basic realm="keylend""#);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// The form, if each of its parameters is there at most once (RFC 6749 section 3.2).
fn parse(body: &[u8]) -> Option<TokenRequest> {
    let (mut grant_type, mut client_id, mut client_secret) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(body) {
        let slot = match name.as_ref() {
            "grant_type" => &mut grant_type,
            "client_id" => &mut client_id,
            "client_secret" => &mut client_secret,
            // RFC 6749 section 3.2: unknown parameters are ignored.
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    let client_secret = client_secret.map(SecretString::from);
    Some(TokenRequest { grant_type: grant_type?, client_id, client_secret })
}

/// The credentials of HTTP Basic, each of them form-encoded (RFC 6749 section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let (id, secret) = extract::basic(headers)?;
    let plain = |text: &str| {
        url::form_urlencoded::parse(format!("v={text}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((plain(&id)?, SecretString::from(plain(secret.expose_secret())?)))
}

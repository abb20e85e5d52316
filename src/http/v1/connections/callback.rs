//! `GET /v1/connections/callback`: the owner's browser comes back from the vehicle cloud. The
//! state it brings is its only credential; the page it gets says how it went.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ConnectionBody;
use crate::domain::connection::COMPLETION_TIME;
use crate::domain::id::ConnectionId;
use crate::domain::impairment::NotGiven;
use crate::domain::return_url::ReturnUrl;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::ApiQuery;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;

use crate::service::connections::{self, Arrived, Consented, Proof, Return};
use crate::service::{Error, StateFault};
use crate::signing::secret::{RandomSecret, SecretPrefix};

const WORD_LENGTH_MAX: usize = 64;
const CODE_LENGTH_MAX: usize = 512;

/// What the vehicle cloud sends back with the browser (protocol page, section 1.2).
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct CallbackQuery {
    /// What was given out when the connection started.
    #[param(max_length = 512)]
    state: Option<String>,
    /// The code to exchange.
    #[param(max_length = 512)]
    code: Option<String>,
    /// The vehicle cloud's id of the owner; one page writes `userId`.
    #[serde(alias = "userId")]
    #[param(max_length = 64)]
    user_id: Option<String>,
    /// The vehicle cloud's id of the car whose account was mended.
    #[param(max_length = 64)]
    vehicle_id: Option<String>,
    /// Why there is none.
    #[param(max_length = 64)]
    error: Option<String>,
}

/// A consent that was received.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ReceivedConsentBody {
    /// The connection.
    connection_id: ConnectionId,
    /// For the person who started the connection, at `POST /v1/connections/{connection_id}/complete`. This answer
    /// alone has it.
    #[schema(example = "12345678")]
    completion_code: String,
    /// After this it is worth nothing.
    completion_expires_at: Timestamp,
}

#[derive(Template)]
#[template(path = "consented.html")]
struct ConsentedPage {
    account: String,
    code: String,
}

#[derive(Template)]
#[template(path = "not_connected.html")]
struct NotConnectedPage {
    sentence: &'static str,
}

#[derive(Template)]
#[template(path = "reauthenticated.html")]
struct ReauthenticatedPage;

/// Why there is no connection. A word that is not known is for the log alone: anybody can write it into an
/// address.
fn not_given(text: &str) -> NotGiven {
    let why = NotGiven::of(text);
    if why == NotGiven::Unreadable {
        let brought: String = text.chars().take(WORD_LENGTH_MAX).collect();
        tracing::warn!(?brought, "a browser came back with an error that is not known");
    }
    why
}

/// What an owner reads whose browser came back without consent (protocol page, section 1.2).
const fn sentence(why: Option<NotGiven>) -> &'static str {
    match why {
        Some(NotGiven::AccessDenied) => "You did not allow access to your car.",
        Some(NotGiven::VehicleIncompatible) => "This car cannot be reached through the internet.",
        Some(NotGiven::InvalidSubscription) => {
            "The connected services of this car are not active. Please activate them in the app of \
             the car's maker, and try again."
        }
        Some(NotGiven::NoVehicles) => "There is no car in this account.",
        Some(NotGiven::ReturnedEarly) => "You came back before you were done.",
        Some(NotGiven::LoginCancelled) => "The sign-in at the car's maker was cancelled.",
        Some(NotGiven::ConfigurationError) => {
            "The service is not set up right. Please tell the operator of the app."
        }
        Some(NotGiven::ServerError | NotGiven::Unreadable) | None => {
            "Something went wrong on the way. Please try again in a moment."
        }
    }
}

/// What an owner reads whose browser came back a second time, and is not known to be the same.
const USED_BEFORE: &str = "This page was opened before, or it took too long. If you have no code from it, please start \
    again in the app.";

/// Come back from the consent page, or from mending an account; for browsers. A consent is worth nothing before the
/// person who started the connection completes it with the code in this answer. A cookie lets the same browser load the
/// page again while the code lives; over plain http a browser keeps none, but on localhost.
#[utoipa::path(get, path = "/v1/connections/callback", operation_id = "connections.callback",
    tag = "connections", security(()), params(CallbackQuery),
    responses(
        (status = 200, description = "What completes the connection, for this browser alone.", content(
            (ReceivedConsentBody = "application/json"), (String = "text/html"))),
        (status = 303, description = "Back to the app that gave a `return_url`, with `connection_id` and \
            `completion_code`, or with `error`.")))]
pub(in crate::http) async fn callback(
    State(gateway): State<Arc<Gateway>>,
    request_id: RequestId,
    headers: HeaderMap,
    ApiQuery(query): ApiQuery<CallbackQuery>,
) -> Result<Response, Problem> {
    let json = wants(&headers, "application/json");
    let missing = |name: &str| Error::invalid(name, "required", "is missing");
    let state = query.state.ok_or_else(|| missing("?state"))?;
    let request_id = Some(request_id.recorded().to_owned());
    let too_long =
        |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > CODE_LENGTH_MAX);
    if query.vehicle_id.is_some() && query.error.is_none() {
        let mended =
            connections::reauthenticated(&gateway.service.base, &state, request_id).await?;
        return if json {
            Ok(Json(ConnectionBody::from(mended)).into_response())
        } else {
            page(&ReauthenticatedPage)
        };
    }
    let result = match (query.code, query.user_id, query.error) {
        (_, _, Some(error)) => Err(not_given(&error)),
        (None, None, None) => return Err(missing("?code").into()),
        (code, user_id, None) if too_long(&code) || too_long(&user_id) => {
            return Err(Error::invalid("?code", "too_long", "is too long").into());
        }
        (code, user_id, None) => Ok(Proof { code, user_id }),
    };
    let not_given = result.as_ref().err().copied();
    let browser = secret_of_browser(&headers);
    let returned = Return { state, result, browser, request_id };
    let (arrived, consented) = match connections::receive(&gateway.service, returned).await {
        Ok(Arrived { connection_id, return_url, consented }) => {
            (return_url.map(|return_url| (return_url, connection_id)), consented)
        }
        Err(error) => (None, Err(error)),
    };
    let secret = consented.as_ref().ok().and_then(|consented| consented.browser.as_ref());
    let cookie = secret.map(cookie).transpose()?;
    let mut answer = match arrived {
        Some((return_url, connection_id)) => {
            to_app(&return_url, connection_id, consented, not_given)
        }
        None => show(&headers, consented, not_given)?,
    };
    if let Some(cookie) = cookie {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// What tells the browser that consented from all others when its page is loaded again. No page or script reads it.
const COOKIE: &str = "__Host-keylend-consent";

fn cookie(secret: &RandomSecret) -> Result<HeaderValue, Problem> {
    let life_s = COMPLETION_TIME.as_secs();
    let secret = secret.expose();
    let text =
        format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={life_s}");
    Ok(HeaderValue::from_str(&text).map_err(Error::internal)?)
}

/// The secret that this service gave the browser, if it has one.
fn secret_of_browser(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|text| text.split_once('='));
    let mut ours = cookies.filter(|(name, _)| name.trim() == COOKIE);
    let (_, secret) = ours.next()?;
    SecretPrefix::Browser.fits(secret.trim()).then(|| secret.trim().to_owned())
}

/// Shows the browser its code, or why there is none.
fn show(
    headers: &HeaderMap,
    consented: Result<Consented, Error>,
    not_given: Option<NotGiven>,
) -> Result<Response, Problem> {
    match consented {
        Ok(consented) if wants(headers, "application/json") => {
            Ok(Json(body(consented)).into_response())
        }
        Ok(consented) => page(&code_page(&consented)),
        Err(error) if !wants(headers, "text/html") => Err(error.into()),
        Err(error) => {
            let sentence = match (&error, not_given) {
                (Error::State(StateFault::ConsentNotPending), None) => USED_BEFORE,
                (_, _) => sentence(not_given),
            };
            let status = Problem::from(error).status_code();
            Ok((status, page(&NotConnectedPage { sentence })?).into_response())
        }
    }
}

/// Sends the browser back to the app that began the connection, with the code or with a word that says why there is
/// none.
fn to_app(
    return_url: &ReturnUrl,
    connection_id: ConnectionId,
    consented: Result<Consented, Error>,
    not_given: Option<NotGiven>,
) -> Response {
    let connection_id = connection_id.to_string();
    let (name, word) = match (consented, not_given) {
        (Ok(consented), _) => ("completion_code", consented.completion_code),
        (Err(_), Some(why)) => ("error", why.to_string()),
        (Err(error), None) => ("error", Problem::from(error).code().as_str().to_owned()),
    };
    let address = return_url.with(&[("connection_id", &connection_id), (name, &word)]);
    Redirect::to(&address).into_response()
}

fn wants(headers: &HeaderMap, media_type: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(media_type))
}

fn body(received: Consented) -> ReceivedConsentBody {
    ReceivedConsentBody {
        connection_id: received.connection_id,
        completion_code: received.completion_code,
        completion_expires_at: received.expires_at,
    }
}

/// The code in two groups, as people read and type it.
fn code_page(received: &Consented) -> ConsentedPage {
    let code = received.completion_code.as_str();
    let (first, second) = code.split_at_checked(code.len() / 2).unwrap_or((code, ""));
    ConsentedPage {
        account: received.owner.email.as_str().to_owned(),
        code: format!("{first} {second}"),
    }
}

fn page(page: &impl Template) -> Result<Response, Problem> {
    let html = page.render().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Html(html).into_response())
}

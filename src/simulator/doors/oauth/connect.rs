//! The page on which an owner decides: which application asks, for what, and for which cars. The
//! answer goes back through the owner's browser. Any login is good; some go wrong on purpose.

use askama::Template;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;

use super::asked::{Asked, Unasked};
use crate::entropy::NoEntropy;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::connect::ConnectResult;
use crate::simulator::cloud::consents::Terms;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::simulator::doors::query::{pairs, text};
use crate::simulator::faults::connect_error::ConnectError;
use crate::simulator::faults::test_logins::Login;
use crate::smartcar::{ErrorKind, OAuthError};

/// Cars on one page; the page is for people.
const SHOWN_CARS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "simulator/consent.html")]
struct ConsentPage<'a> {
    asked: &'a Asked,
    email: Option<String>,
    cars: Vec<&'a Car>,
}

impl IntoResponse for Unasked {
    fn into_response(self) -> Response {
        match self {
            Self::Back(url) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
            Self::Nowhere(why) => {
                let body = Json(OAuthError::new("invalid_request", why));
                (StatusCode::BAD_REQUEST, body).into_response()
            }
        }
    }
}

/// `GET /oauth/authorize`: the page, or the answer at once if the owner agrees to everything.
pub(super) async fn ask(
    State(cloud): Shared,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let asked = Asked::read(&query).map_err(Unasked::into_response)?;
    let email = text(&query, "email");
    let offered = offered(&cloud, &asked);
    if offered.is_empty() {
        return Ok(refused(&asked, ConnectError::NoVehicles, StatusCode::FOUND));
    }
    if cloud.auto_approve {
        let permissions = asked.permissions.iter().map(|(name, _)| *name).collect();
        let cars = match asked.single {
            true => offered.into_iter().take(1).collect(),
            false => offered,
        };
        let decision = Decision { email, cars, permissions };
        return decision.carry_out(&cloud, &asked, StatusCode::FOUND).map_err(failed);
    }
    let cars = offered.iter().take(SHOWN_CARS_MAX);
    let consent = ConsentPage {
        asked: &asked,
        email,
        cars: cars.filter_map(|place| cloud.cars().get(*place).map(AsRef::as_ref)).collect(),
    };
    Ok(page(consent.render().map_err(failed)?))
}

/// `POST /oauth/authorize`: the owner has decided.
pub(super) async fn decide(State(cloud): Shared, body: Bytes) -> Result<Response, Response> {
    let form = pairs(&body);
    let asked = Asked::read(&form).map_err(Unasked::into_response)?;
    let has = |name: &str, value: &str| form.iter().any(|(k, v)| k == name && v == value);
    if has("decision", "return") {
        let error = ConnectError::UserManuallyReturnedToApplication;
        return Ok(refused(&asked, error, StatusCode::SEE_OTHER));
    }
    if !has("decision", "approve") {
        return Ok(refused(&asked, ConnectError::AccessDenied, StatusCode::SEE_OTHER));
    }
    let chosen: Vec<usize> = offered(&cloud, &asked)
        .into_iter()
        .filter(|place| {
            let car = cloud.cars().get(*place);
            car.is_some_and(|car| has("vehicle", &car.id))
        })
        .collect();
    let given: Vec<&'static str> = asked
        .permissions
        .iter()
        .filter(|(name, required)| *required || has("permission", name))
        .map(|(name, _)| *name)
        .collect();
    if chosen.is_empty() || given.is_empty() || (asked.single && chosen.len() > 1) {
        let why = "choose at least one permission and one car, and no more cars than asked for";
        return Err(Unasked::Nowhere(why).into_response());
    }
    let decision = Decision { email: text(&form, "email"), cars: chosen, permissions: given };
    decision.carry_out(&cloud, &asked, StatusCode::SEE_OTHER).map_err(failed)
}

/// Places of the cars that the request is about.
fn offered(cloud: &Cloud, asked: &Asked) -> Vec<usize> {
    let fits = |car: &Car| match (&asked.single_vin, &asked.make) {
        (Some(vin), _) if asked.single => car.vin == *vin,
        (_, Some(make)) => car.make.eq_ignore_ascii_case(make),
        (_, None) => true,
    };
    let cars = cloud.cars().iter().enumerate();
    cars.filter(|(_, car)| fits(car)).map(|(place, _)| place).collect()
}

/// An owner who agreed.
struct Decision {
    /// The login with the cars' maker.
    email: Option<String>,
    cars: Vec<usize>,
    permissions: Vec<&'static str>,
}

impl Decision {
    fn carry_out(
        self,
        cloud: &Cloud,
        asked: &Asked,
        status: StatusCode,
    ) -> Result<Response, NoEntropy> {
        let always = match Login::with(self.email.as_deref()) {
            Login::Failing(error) => return Ok(refused(asked, error, status)),
            Login::Troubled(kind) => Some(kind),
            Login::Good => None,
        };
        if let Some(error) = cloud.connect_manners.take_error() {
            return Ok(refused(asked, error, status));
        }
        let user = cloud.user(asked.user.as_deref())?;
        let terms = Terms { permissions: self.permissions, always };
        let consent = cloud.connect(&asked.client_id, &user, &self.cars, asked.mode, &terms)?;
        let code = cloud.issue_code(consent, asked.redirect_uri.clone())?;
        let (code, user) = (("code", code.as_str()), ("user_id", user.id.as_str()));
        let back = match cloud.connect_manners.result() {
            ConnectResult::Both => asked.back.with(&[code, user]),
            ConnectResult::V2 => asked.back.with(&[code]),
            ConnectResult::V3 => asked.back.with(&[user]),
        };
        Ok((status, [(header::LOCATION, back)]).into_response())
    }
}

fn refused(asked: &Asked, error: ConnectError, status: StatusCode) -> Response {
    (status, [(header::LOCATION, asked.back.with(error.answer()))]).into_response()
}

/// A page for an owner's browser.
pub(super) fn page(html: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

/// What an owner's browser is shown when the cloud fails.
pub(super) fn failed<E>(_: E) -> Response {
    Failure::new(ErrorKind::ServerInternal).into_response()
}

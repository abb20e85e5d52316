//! The page on which an owner decides: which application asks, for what, and for which cars. The
//! answer goes back through the owner's browser. Nobody logs in; the cloud has one owner.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;

use super::answer::Failure;
use super::asked::{Asked, Unasked, pairs};
use super::car::Car;
use super::consents::Terms;
use super::state::Cloud;
use crate::smartcar::{ErrorKind, OAuthError};

/// Cars on one page; the page is for people.
const SHOWN_CARS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "simulator/consent.html")]
struct ConsentPage<'a> {
    asked: &'a Asked,
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
    State(cloud): State<Arc<Cloud>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let query = query.unwrap_or_default();
    let asked = Asked::read(&pairs(query.as_bytes())).map_err(Unasked::into_response)?;
    let offered = offered(&cloud, &asked);
    if offered.is_empty() {
        let text = "No vehicles found on this account.";
        let answer = [("error", "no_vehicles"), ("error_description", text)];
        return Ok(Unasked::Back(asked.back_with(&answer)).into_response());
    }
    if cloud.auto_approve {
        let all = asked.permissions.iter().map(|(name, _)| *name).collect();
        let cars = match asked.single {
            true => offered.into_iter().take(1).collect(),
            false => offered,
        };
        return approve(&cloud, &asked, cars, all, StatusCode::FOUND);
    }
    let cars = offered.iter().take(SHOWN_CARS_MAX);
    let page = ConsentPage {
        asked: &asked,
        cars: cars.filter_map(|place| cloud.cars().get(*place).map(AsRef::as_ref)).collect(),
    };
    let page =
        page.render().map_err(|_| Failure::new(ErrorKind::ServerInternal).into_response())?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

/// `POST /oauth/authorize`: the owner has decided.
pub(super) async fn decide(
    State(cloud): State<Arc<Cloud>>,
    body: Bytes,
) -> Result<Response, Response> {
    let form = pairs(&body);
    let asked = Asked::read(&form).map_err(Unasked::into_response)?;
    let has = |name: &str, value: &str| form.iter().any(|(k, v)| k == name && v == value);
    if !has("decision", "approve") {
        let text = "User denied access to application.";
        let answer = [("error", "access_denied"), ("error_description", text)];
        let back = asked.back_with(&answer);
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, back)]).into_response());
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
    approve(&cloud, &asked, chosen, given, StatusCode::SEE_OTHER)
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

#[expect(clippy::result_large_err, reason = "both are the answer to a browser")]
fn approve(
    cloud: &Cloud,
    asked: &Asked,
    cars: Vec<usize>,
    permissions: Vec<&'static str>,
    status: StatusCode,
) -> Result<Response, Response> {
    let failed = |error| Failure::from(error).into_response();
    let user = cloud.user(asked.user.as_deref()).map_err(failed)?;
    let terms = Terms { permissions, mode: asked.mode, always: None };
    let consent = cloud.connect(&asked.client_id, &user, &cars, &terms).map_err(failed)?;
    let code = cloud
        .issue_code(consent, asked.redirect_uri.clone())
        .map_err(|error| Failure::from(error).into_response())?;
    let back = asked.back_with(&[("code", &code)]);
    Ok((status, [(header::LOCATION, back)]).into_response())
}

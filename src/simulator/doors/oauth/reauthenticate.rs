//! The page on which an owner logs in with the car's maker again, when the maker no longer accepts
//! the old login. No consent changes; what was wrong with the account is mended.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::asked::{Back, Unasked};
use super::connect::{failed, page};
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::call::Shared;
use crate::simulator::doors::query::{pairs, text};
use crate::simulator::faults::connect_error::ConnectError;
use crate::simulator::faults::test_logins::Login;

/// A request for a new login.
#[derive(Template)]
#[template(path = "simulator/reauthenticate.html")]
struct Again {
    client_id: String,
    vehicle_id: String,
    redirect_uri: String,
    state: Option<String>,
    email: Option<String>,
    /// What the car is.
    car: String,
    place: usize,
    back: Back,
}

impl Again {
    fn read(cloud: &Cloud, pairs: &[(String, String)]) -> Result<Self, Unasked> {
        let back = Back::read(pairs)?;
        let (client_id, vehicle_id) =
            (text(pairs, "client_id").unwrap_or_default(), text(pairs, "vehicle_id"));
        let is_asked = text(pairs, "response_type").as_deref() == Some("vehicle_id");
        let vehicle_id = vehicle_id.filter(|_| is_asked).unwrap_or_default();
        let found = cloud.car(&vehicle_id).filter(|(place, _)| {
            cloud.consents.at(*place).iter().any(|one| one.client_id == client_id)
        });
        let Some((place, car)) = found else {
            let why = "response_type must be vehicle_id, and vehicle_id a car of this application";
            return Err(back.misconfigured(why));
        };
        Ok(Self {
            client_id,
            redirect_uri: text(pairs, "redirect_uri").unwrap_or_default(),
            state: text(pairs, "state"),
            email: text(pairs, "email"),
            car: format!("{} {} ({})", car.make, car.model, car.year),
            vehicle_id,
            place,
            back,
        })
    }

    fn finish(&self, cloud: &Cloud, denied: bool, status: StatusCode) -> Response {
        let error = match Login::with(self.email.as_deref()) {
            _ if denied => Some(ConnectError::UserManuallyReturnedToApplication),
            Login::Failing(error) => Some(error),
            Login::Good | Login::Troubled(_) => cloud.connect_manners.take_error(),
        };
        let back = match error {
            Some(error) => self.back.with(error.answer()),
            None => {
                cloud.reauthenticated(self.place);
                self.back.with(&[("vehicle_id", &self.vehicle_id)])
            }
        };
        (status, [(header::LOCATION, back)]).into_response()
    }
}

/// `GET /oauth/reauthenticate`: the page, or the answer at once if owners agree to everything.
pub(super) async fn ask(
    State(cloud): Shared,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let query = pairs(query.unwrap_or_default().as_bytes());
    let again = Again::read(&cloud, &query).map_err(Unasked::into_response)?;
    if cloud.auto_approve {
        return Ok(again.finish(&cloud, false, StatusCode::FOUND));
    }
    Ok(page(again.render().map_err(failed)?))
}

/// `POST /oauth/reauthenticate`: the owner has logged in, or gone back.
pub(super) async fn decide(State(cloud): Shared, body: Bytes) -> Result<Response, Response> {
    let form = pairs(&body);
    let again = Again::read(&cloud, &form).map_err(Unasked::into_response)?;
    let denied = text(&form, "decision").as_deref() != Some("approve");
    Ok(again.finish(&cloud, denied, StatusCode::SEE_OTHER))
}

//! A request about a car, taken apart once, and what its token allows. Which version of the API it
//! came through is not its business.

use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use url::form_urlencoded;
use uuid::Uuid;

use super::answer::{Failure, RequestId};
use super::credentials::bearer;
use super::listener::Peer;
use super::query::pairs;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::consents::{Connection, Consent, Terms};
use crate::simulator::cloud::journal::Cause;
use crate::simulator::cloud::state::Cloud;
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::{self, UnitSystem};

/// Bodies beyond this are refused.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest name of a request, given by its client, that is kept.
const CLIENT_REQUEST_ID_BYTES_MAX: usize = 128;

/// The cloud, as handlers are given it.
pub(super) type Shared = State<Arc<Cloud>>;

/// A request about a car.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) peer: Peer,
    pub(super) request_id: Uuid,
    /// The car, or whatever else the path names.
    pub(super) vehicle_id: String,
    /// The signal that is asked for, if the path names one.
    pub(super) code: String,
    pub(super) headers: HeaderMap,
    pub(super) query: Vec<(String, String)>,
}

impl FromRequestParts<Arc<Cloud>> for Call {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        cloud: &Arc<Cloud>,
    ) -> Result<Self, Self::Rejection> {
        let broken = || Failure::new(ErrorKind::ServerInternal);
        let ConnectInfo(peer) =
            ConnectInfo::<Peer>::from_request_parts(parts, cloud).await.map_err(|_| broken())?;
        let params = RawPathParams::from_request_parts(parts, cloud).await.map_err(|_| broken())?;
        let param = |name: &str| {
            let mut found = params.iter().filter(|(key, _)| *key == name);
            found.next().map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let RequestId(request_id) = *parts.extensions.get::<RequestId>().ok_or_else(broken)?;
        Ok(Self {
            peer,
            request_id,
            vehicle_id: param("id"),
            code: param("code"),
            headers: parts.headers.clone(),
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        })
    }
}

impl Call {
    /// The units that the answer is to have.
    pub(super) fn units(&self) -> UnitSystem {
        let word = self.headers.get(v2::HEADER_UNIT_SYSTEM);
        word.and_then(|word| UnitSystem::parse(word.to_str().ok()?)).unwrap_or_default()
    }

    /// What the journal says of it.
    pub(super) fn cause(&self) -> Cause {
        let name = self.headers.get("x-request-id").and_then(|value| value.to_str().ok());
        let name = name.filter(|name| name.len() <= CLIENT_REQUEST_ID_BYTES_MAX);
        Cause { request_id: self.request_id, client_request_id: name.map(Into::into) }
    }

    /// The first value of a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The car, if the token's owner shared it and gave the permission, and what else was given.
    pub(super) fn allowed(
        &self,
        cloud: &Cloud,
        needed: Option<&'static str>,
    ) -> Result<(Arc<Car>, Terms), Failure> {
        let consent = consent(cloud, &self.headers)?;
        let (connection, car) = shared(cloud, &consent, &self.vehicle_id, needed)
            .ok_or_else(|| Failure::new(ErrorKind::Permission))?;
        self.untroubled(cloud, &connection)?;
        let terms = connection.terms().ok_or_else(|| Failure::new(ErrorKind::Permission))?;
        Ok((car, terms))
    }
}

impl Call {
    /// Nothing, unless something is wrong with the owner's account or the owner's login asked for
    /// it. Then every request about the car is answered with that.
    pub(super) fn untroubled(&self, cloud: &Cloud, given: &Connection) -> Result<(), Failure> {
        let Some(kind) = cloud.account_error(given.place).or_else(|| given.always()) else {
            return Ok(());
        };
        let failure = Failure::new(kind);
        Err(match kind {
            ErrorKind::AccountAuthenticationFailed => {
                failure.resolving_at(self.login_url(&given.client_id))
            }
            _ => failure,
        })
    }

    /// Where the owner logs in again; the application adds the way back.
    fn login_url(&self, client_id: &str) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "vehicle_id")
            .append_pair("client_id", client_id)
            .append_pair("vehicle_id", &self.vehicle_id)
            .finish();
        format!("http://{}/oauth/reauthenticate?{query}", host.unwrap_or("localhost"))
    }
}

/// What the token of a request stands for.
pub(super) fn consent(cloud: &Cloud, headers: &HeaderMap) -> Result<Arc<Consent>, Failure> {
    bearer(headers)
        .and_then(|token| cloud.consent_of(token))
        .ok_or_else(|| Failure::new(ErrorKind::Authentication))
}

/// The car and the consent for it, if the token is for it and the permission was given. A car that
/// was not shared and one that does not exist look the same.
pub(super) fn shared(
    cloud: &Cloud,
    consent: &Consent,
    vehicle_id: &str,
    needed: Option<&'static str>,
) -> Option<(Arc<Connection>, Arc<Car>)> {
    let (place, car) = cloud.car(vehicle_id)?;
    let connection = consent.connection(place).filter(|given| given.gives(needed))?;
    Some((Arc::clone(connection), Arc::clone(car)))
}

//! API v3: what is asked, with the application's token and the owner's id. What the answers prove
//! is in [`signals`], [`commands`] and [`connections`], what can be read in [`readings`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use secrecy::SecretString;

use super::{HEADER_COMMAND, JSON, bearer, bounds, classify, decode, named};
use crate::clock::Clock;
use crate::connector::transport::{Answer, Transport};
use crate::connector::{Acknowledgement, ConnectorError, ConsentedVehicle, Happened};
use crate::domain::fault::Fault;
use crate::domain::id::CommandId;
use crate::domain::instruction::Instruction;
use crate::domain::reading::{Observable, Observation, Reading};
use crate::smartcar::v3::{self as wire, HEADER_USER_ID};
use application_token::{ApplicationToken, Credentials};

pub(super) mod application_token;
mod bodies;
mod commands;
mod connections;
mod openings;
pub(crate) mod parts;
pub(crate) mod readings;
mod signals;

/// API v3.
#[derive(Clone)]
pub(super) struct V3 {
    transport: Transport,
    clock: Arc<dyn Clock>,
    /// `{api_v3_origin}/v3`.
    base_url: String,
    token: Arc<ApplicationToken>,
}

impl V3 {
    pub(super) fn new(
        transport: Transport,
        api_origin: &str,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let token = ApplicationToken::new(transport.clone(), credentials, Arc::clone(&clock));
        Self { transport, clock, base_url: format!("{api_origin}/v3"), token: Arc::new(token) }
    }

    /// `{base_url}/vehicles/{vehicle}{path}`, if the id cannot change what the address means.
    fn vehicle_url(&self, vehicle: &str, path: &str) -> Result<String, ConnectorError> {
        if !bounds::is_vehicle_id(vehicle) {
            return Err(unfit("a vehicle id that cannot be put into an address"));
        }
        Ok([&self.base_url, "/vehicles/", vehicle, path].concat())
    }

    /// Makes one call for an owner; for a command, if it is still to be sent once there is a token. A token
    /// that is not accepted is not used again.
    async fn call(
        &self,
        method: Method,
        url: &str,
        user_id: &str,
        command: Option<(CommandId, Duration)>,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ConnectorError> {
        if !bounds::is_word(user_id) {
            return Err(unfit("the id of an owner that a header cannot carry"));
        }
        let user_id = HeaderValue::from_str(user_id)
            .map_err(|_| unfit("the id of an owner that a header cannot carry"))?;
        let token = self.token.get().await?;
        let secret: &SecretString = &token.secret;
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(AUTHORIZATION, bearer(secret)?)
            .header(HeaderName::from_static(HEADER_USER_ID), user_id);
        if let Some((command_id, deadline)) = command {
            // Another task's token may have been waited for.
            if self.clock.monotonic() >= deadline {
                return Err(unfit("the time to send it was over before it could be sent"));
            }
            request = request.header(HEADER_COMMAND, named(command_id)?);
        }
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, JSON).body(body.into()),
            None => request.body(Bytes::new()),
        };
        let answer = self.transport.exchange(request).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.token.forget(&token);
        }
        Ok(answer)
    }

    /// Reads; anything but 200 is an error.
    async fn get(&self, url: &str, user_id: &str) -> Result<Answer, ConnectorError> {
        let answer = self.call(Method::GET, url, user_id, None, None).await?;
        if answer.status == StatusCode::OK { Ok(answer) } else { Err(classify::api_error(&answer)) }
    }

    pub(super) async fn consented_vehicles(
        &self,
        user_id: &str,
        user: &str,
        mode: &str,
    ) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
        connections::consented_vehicles(self, user_id, user, mode).await
    }

    pub(super) async fn permissions(
        &self,
        user_id: &str,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError> {
        Ok(connections::of_vehicle(self, user_id, vehicle).await?.permissions)
    }

    pub(super) async fn send(
        &self,
        user_id: &str,
        vehicle: &str,
        instruction: &Instruction,
        command: (CommandId, Duration),
    ) -> Result<Acknowledgement, ConnectorError> {
        let (kind, body) = commands::request(instruction)?;
        let url = self.vehicle_url(vehicle, kind.path())?;
        let answer = self.call(Method::POST, &url, user_id, Some(command), body).await?;
        commands::acknowledgement(&answer, kind)
    }

    pub(super) async fn read(
        &self,
        user_id: &str,
        vehicle: &str,
        observable: Observable,
    ) -> Result<Reading, ConnectorError> {
        if observable == Observable::Attributes {
            return self.attributes(user_id, vehicle).await;
        }
        let now = self.clock.now();
        if let [only] = readings::kinds(observable)[..] {
            let url = self.vehicle_url(vehicle, &format!("/signals/{}", only.code))?;
            let answer = self.get(&url, user_id).await?;
            return signals::one(&answer, vehicle, observable, now);
        }
        let url = self.vehicle_url(vehicle, "/signals")?;
        let answer = self.get(&url, user_id).await?;
        signals::Seen::read(&answer, vehicle)?.reading(observable, now)
    }

    pub(super) async fn read_batch(
        &self,
        user_id: &str,
        vehicle: &str,
        observables: &[Observable],
    ) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
        let url = self.vehicle_url(vehicle, "/signals")?;
        let answer = self.get(&url, user_id).await?;
        let seen = signals::Seen::read(&answer, vehicle)?;
        let now = self.clock.now();
        let mut readings = Vec::with_capacity(observables.len());
        for &observable in observables {
            readings.push(match observable {
                Observable::Attributes => self.attributes(user_id, vehicle).await,
                observable => seen.reading(observable, now),
            });
        }
        Ok(readings)
    }

    async fn attributes(&self, user_id: &str, vehicle: &str) -> Result<Reading, ConnectorError> {
        let url = self.vehicle_url(vehicle, "")?;
        let answer = self.get(&url, user_id).await?;
        let document: wire::Document<wire::Vehicle> = decode(&answer)?;
        if document.data.id != vehicle {
            return Err(classify::garbled(&answer, "an answer about another car"));
        }
        let attributes = connections::attributes(document.data.attributes)
            .map_err(|why| classify::garbled(&answer, why))?;
        Ok(Reading {
            observation: Observation::Attributes(attributes),
            reported_at: None,
            fetched_at: self.clock.now(),
        })
    }

    pub(super) async fn disconnect(
        &self,
        user_id: &str,
        vehicle: &str,
    ) -> Result<(), ConnectorError> {
        let connection = connections::of_vehicle(self, user_id, vehicle).await?;
        let url = format!("{}/connections/{}", self.base_url, connection.connection_id);
        let answer = self.call(Method::DELETE, &url, user_id, None, None).await?;
        if answer.status.is_success() { Ok(()) } else { Err(classify::api_error(&answer)) }
    }
}

fn unfit(why: &str) -> ConnectorError {
    ConnectorError::bare(Happened::NotSent, Fault::Garbled, why)
}

#[cfg(test)]
#[path = "v3_test.rs"]
mod tests;

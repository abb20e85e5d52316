//! API v2.0: what is asked, with the owner's token. What the answers prove is in [`reads`], what
//! can be read in [`readings`].

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use secrecy::SecretString;
use serde::Serialize;

use super::unambiguous::Unambiguous;
use super::{HEADER_COMMAND, JSON, api_answer, bearer, bounds, classify, decode, named};
use crate::clock::Clock;
use crate::connector::transport::{Answer, Transport};
use crate::connector::{Acknowledgement, ConnectorError, ConsentedVehicle, Happened};
use crate::domain::fault::Fault;
use crate::domain::id::CommandId;
use crate::domain::instruction::Instruction;
use crate::domain::reading::{Observable, Observation, Reading};
use crate::smartcar::v2::batch::{BatchAnswer, BatchItem, BatchRequest};
use crate::smartcar::v2::commands::{
    ActionRequest, ChargeAction, DestinationRequest, LimitRequest, SecurityAction,
};
use crate::smartcar::v2::{self as wire, HEADER_UNIT_SYSTEM};

mod lists;
pub(crate) mod readings;
mod reads;

/// Everything is asked for in metric units.
const METRIC: HeaderValue = HeaderValue::from_static("metric");

/// API v2.0.
#[derive(Clone)]
pub(super) struct V2 {
    transport: Transport,
    clock: Arc<dyn Clock>,
    /// `{api_origin}/v2.0`.
    base_url: String,
}

impl V2 {
    pub(super) fn new(transport: Transport, api_origin: &str, clock: Arc<dyn Clock>) -> Self {
        Self { transport, clock, base_url: format!("{api_origin}/v2.0") }
    }

    /// `{base_url}/vehicles/{vehicle}{path}`, if the id cannot change what the address means.
    fn vehicle_url(&self, vehicle: &str, path: &str) -> Result<String, ConnectorError> {
        if !bounds::is_vehicle_id(vehicle) {
            return Err(ConnectorError::bare(
                Happened::NotSent,
                Fault::Garbled,
                "a vehicle id that cannot be put into an address",
            ));
        }
        Ok([&self.base_url, "/vehicles/", vehicle, path].concat())
    }

    /// Reads; anything but 200 is an error.
    async fn get(&self, token: &SecretString, url: &str) -> Result<Answer, ConnectorError> {
        let request = Request::get(url)
            .header(AUTHORIZATION, bearer(token)?)
            .header(HEADER_UNIT_SYSTEM, METRIC)
            .body(Bytes::new());
        api_answer(self.transport.exchange(request).await?)
    }

    /// Sends a body once, for a command if it is one; anything but 200 is an error.
    async fn post(
        &self,
        token: &SecretString,
        url: &str,
        command_id: Option<CommandId>,
        body: &(impl Serialize + Sync),
    ) -> Result<Answer, ConnectorError> {
        let body = serde_json::to_vec(body).map_err(|error| {
            ConnectorError::bare(Happened::NotSent, Fault::Rejected, error.to_string())
        })?;
        let mut request = Request::post(url)
            .header(AUTHORIZATION, bearer(token)?)
            .header(HEADER_UNIT_SYSTEM, METRIC)
            .header(CONTENT_TYPE, JSON);
        if let Some(command_id) = command_id {
            request = request.header(HEADER_COMMAND, named(command_id)?);
        }
        let request = request.body(body.into());
        api_answer(self.transport.exchange(request).await?)
    }

    pub(super) async fn user_id(&self, token: &SecretString) -> Result<String, ConnectorError> {
        let answer = self.get(token, &format!("{}/user", self.base_url)).await?;
        let user: wire::User = decode(&answer)?;
        if !bounds::is_word(&user.id) {
            return Err(classify::garbled(&answer, "the id of an owner with strange characters"));
        }
        Ok(user.id)
    }

    pub(super) async fn consented_vehicles(
        &self,
        token: &SecretString,
    ) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
        let mut vehicles = Vec::new();
        for provider_vehicle_id in self.vehicles(token).await? {
            let reading = self.read(token, &provider_vehicle_id, Observable::Attributes).await?;
            let Observation::Attributes(attributes) = reading.observation else { continue };
            let permissions = self.permissions(token, &provider_vehicle_id).await?;
            vehicles.push(ConsentedVehicle { provider_vehicle_id, attributes, permissions });
        }
        Ok(vehicles)
    }

    /// The ids of all cars.
    async fn vehicles(&self, token: &SecretString) -> Result<Vec<String>, ConnectorError> {
        let split = |list: wire::VehicleList| (list.vehicles, list.paging);
        let url = format!("{}/vehicles", self.base_url);
        lists::read(self, token, &url, split, bounds::is_vehicle_id).await
    }

    pub(super) async fn permissions(
        &self,
        token: &SecretString,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError> {
        let split = |list: wire::PermissionList| (list.permissions, list.paging);
        let url = self.vehicle_url(vehicle, "/permissions")?;
        lists::read(self, token, &url, split, bounds::is_word).await
    }

    pub(super) async fn send(
        &self,
        token: &SecretString,
        vehicle: &str,
        instruction: &Instruction,
        command_id: CommandId,
    ) -> Result<Acknowledgement, ConnectorError> {
        let url = |path| self.vehicle_url(vehicle, path);
        let name = Some(command_id);
        let security = |action| ActionRequest::<SecurityAction> { action };
        let charge = |action| ActionRequest::<ChargeAction> { action };
        let answer = match instruction {
            Instruction::Lock => {
                self.post(token, &url("/security")?, name, &security(SecurityAction::Lock)).await
            }
            Instruction::Unlock => {
                self.post(token, &url("/security")?, name, &security(SecurityAction::Unlock)).await
            }
            Instruction::StartCharge => {
                self.post(token, &url("/charge")?, name, &charge(ChargeAction::Start)).await
            }
            Instruction::StopCharge => {
                self.post(token, &url("/charge")?, name, &charge(ChargeAction::Stop)).await
            }
            Instruction::SetChargeLimit(limit) => {
                let body = LimitRequest { limit: limit.fraction() };
                self.post(token, &url("/charge/limit")?, name, &body).await
            }
            Instruction::SetDestination(place) => {
                let (latitude, longitude) = (place.latitude(), place.longitude());
                let body = DestinationRequest { latitude, longitude };
                self.post(token, &url("/navigation/destination")?, name, &body).await
            }
        };
        reads::acknowledgement(&answer?)
    }

    pub(super) async fn read(
        &self,
        token: &SecretString,
        vehicle: &str,
        observable: Observable,
    ) -> Result<Reading, ConnectorError> {
        let url = self.vehicle_url(vehicle, readings::path(observable))?;
        let answer = self.get(token, &url).await?;
        reads::reading(&answer, vehicle, observable, self.clock.now())
    }

    pub(super) async fn read_batch(
        &self,
        token: &SecretString,
        vehicle: &str,
        observables: &[Observable],
    ) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
        let url = self.vehicle_url(vehicle, "/batch")?;
        let requests =
            observables.iter().map(|&observable| BatchItem { path: batched(observable) });
        let body = BatchRequest { requests: requests.collect() };
        let answer = self.post(token, &url, None, &body).await?;
        // Each item is a value of its own, in which nobody would see a member that was there twice.
        decode::<Unambiguous>(&answer)?;
        let batch: BatchAnswer = decode(&answer)?;
        reads::batch(&answer, batch, vehicle, observables, self.clock.now())
    }

    pub(super) async fn disconnect(
        &self,
        token: &SecretString,
        vehicle: &str,
    ) -> Result<(), ConnectorError> {
        let url = self.vehicle_url(vehicle, "/application")?;
        let request = Request::delete(url).header(AUTHORIZATION, bearer(token)?);
        let request = request.body(Bytes::new());
        let answer = api_answer(self.transport.exchange(request).await?)?;
        reads::acknowledgement(&answer).map(drop)
    }
}

/// The path below the car in a batch, where the attributes have a path of their own.
fn batched(observable: Observable) -> String {
    match readings::path(observable) {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}

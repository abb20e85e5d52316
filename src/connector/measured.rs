//! A vehicle cloud whose calls are measured: how long each took and what it came to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{
    Access, Acknowledgement, AuthorizeRequest, ConnectorError, ConsentedVehicle,
    ReauthenticateRequest, TokenPair, VehicleConnector,
};
use crate::clock::Clock;
use crate::domain::id::CommandId;
use crate::domain::instruction::Instruction;
use crate::domain::reading::{Observable, Reading};
use crate::measures;

/// A connector, measured.
pub struct Measured<C> {
    inner: C,
    clock: Arc<dyn Clock>,
}

impl<C> Measured<C> {
    /// Measures the calls of a connector by this clock.
    pub const fn new(inner: C, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    async fn measure<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ConnectorError>> + Send,
    ) -> Result<T, ConnectorError> {
        let began_at = self.clock.monotonic();
        let result = call.await;
        let took = self.clock.monotonic().saturating_sub(began_at);
        let outcome = result.as_ref().map_or_else(|error| error.fault.as_str(), |_| "ok");
        metrics::histogram!(
            measures::VEHICLE_CLOUD_REQUEST_DURATION,
            "operation" => operation,
            "outcome" => outcome,
        )
        .record(took.as_secs_f64());
        result
    }
}

#[async_trait]
impl<C: VehicleConnector> VehicleConnector for Measured<C> {
    fn authorize_url(&self, request: &AuthorizeRequest) -> String {
        self.inner.authorize_url(request)
    }

    fn reauthenticate_url(&self, request: &ReauthenticateRequest) -> String {
        self.inner.reauthenticate_url(request)
    }

    async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
    ) -> Result<TokenPair, ConnectorError> {
        self.measure("exchange_code", self.inner.exchange_code(code, redirect_uri)).await
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, ConnectorError> {
        self.measure("refresh", self.inner.refresh(refresh_token)).await
    }

    async fn user_id(&self, access_token: &SecretString) -> Result<String, ConnectorError> {
        self.measure("user_id", self.inner.user_id(access_token)).await
    }

    async fn consented_vehicles(
        &self,
        access: &Access,
        user: &str,
        mode: &'static str,
    ) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
        let listed = self.inner.consented_vehicles(access, user, mode);
        self.measure("consented_vehicles", listed).await
    }

    async fn permissions(
        &self,
        access: &Access,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError> {
        self.measure("permissions", self.inner.permissions(access, vehicle)).await
    }

    async fn send(
        &self,
        access: &Access,
        vehicle: &str,
        instruction: &Instruction,
        command_id: CommandId,
        deadline: Duration,
    ) -> Result<Acknowledgement, ConnectorError> {
        let sent = self.inner.send(access, vehicle, instruction, command_id, deadline);
        self.measure("send", sent).await
    }

    async fn read(
        &self,
        access: &Access,
        vehicle: &str,
        observable: Observable,
    ) -> Result<Reading, ConnectorError> {
        self.measure("read", self.inner.read(access, vehicle, observable)).await
    }

    async fn read_batch(
        &self,
        access: &Access,
        vehicle: &str,
        observables: &[Observable],
    ) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
        self.measure("read_batch", self.inner.read_batch(access, vehicle, observables)).await
    }

    async fn disconnect(&self, access: &Access, vehicle: &str) -> Result<(), ConnectorError> {
        self.measure("disconnect", self.inner.disconnect(access, vehicle)).await
    }
}

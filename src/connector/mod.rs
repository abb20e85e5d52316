//! The contract between Keylend and a vehicle cloud.
//!
//! Callers decide from an error whether a car may have moved, so the two questions of
//! [`ConnectorError`] are part of the contract: **may it have happened**, and **may I try again**.
//! There is one implementation, [`smartcar::Smartcar`], and no fake: tests, demo and benchmarks
//! talk to the simulator over a real socket. Only where interleavings are the subject, in
//! `src/rehearsal`, a cloud is acted out.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::id::CommandId;
use crate::domain::impairment::ConnectionReason;
use crate::domain::instruction::Instruction;
use crate::domain::reading::{Attributes, Observable, Reading};

mod age;
mod breaker;
pub mod endpoint;
mod guarded;
pub mod measured;
mod public_address;
pub mod smartcar;
mod transport;
pub mod webhook;
pub mod witness;

/// What an owner is asked for at the vehicle cloud, and how their browser comes back.
#[derive(Debug, Clone)]
pub struct AuthorizeRequest {
    /// Where the cloud sends the browser back to; registered with the cloud.
    pub redirect_uri: String,
    /// The permissions asked for, in the cloud's words (protocol page, section 2.5), and whether
    /// the owner cannot leave one out.
    pub permissions: Vec<(&'static str, bool)>,
    /// Opaque; comes back with the answer.
    pub state: String,
    /// `live` or `simulated` (protocol page, section 1.1).
    pub mode: &'static str,
    /// The owner in our words; comes back from API v3 with the cars that were shared.
    pub user: String,
    /// Only cars of this maker.
    pub make: Option<String>,
    /// One car, and only this one if its VIN is given.
    pub single: Option<SingleVehicle>,
}

/// That an owner can share one car only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SingleVehicle {
    /// Only the car with this number.
    pub vin: Option<String>,
}

/// An access token and the refresh token that will replace it.
#[derive(Debug, Clone)]
pub struct TokenPair {
    /// Sent with each call until it expires.
    pub access_token: SecretString,
    /// Usable once; the cloud rotates it at each refresh.
    pub refresh_token: SecretString,
    /// How long the access token lives, from the moment of the answer.
    pub expires_in: Duration,
}

/// By which right a call is made. It also decides which version of the cloud's API is spoken.
#[derive(Debug, Clone)]
pub enum Access {
    /// API v2.0: a token that stands for the owner's consent.
    OwnerToken(SecretString),
    /// API v3: the application's own token, which the connector holds, for this owner.
    Application {
        /// The cloud's id of the owner.
        user_id: String,
    },
}

/// A car that an owner shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentedVehicle {
    /// The cloud's id of the car.
    pub provider_vehicle_id: String,
    /// What it is.
    pub attributes: Attributes,
    /// What the owner gave, in the cloud's words.
    pub permissions: Vec<String>,
}

/// How an owner mends an account with a maker that no longer works.
#[derive(Debug, Clone)]
pub struct ReauthenticateRequest {
    /// Where the cloud sends the browser back to; registered with the cloud.
    pub redirect_uri: String,
    /// The cloud's id of the car.
    pub provider_vehicle_id: String,
    /// Opaque; comes back with the answer.
    pub state: String,
    /// The owner, as the consent page was told.
    pub user: String,
}

/// The cloud took a command and says it passed it on. A car that moved is not proven by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The cloud's own name of the request, for its support.
    pub provider_request_id: Option<String>,
}

/// May what was asked for have happened?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// No: nothing left this machine, or the cloud never took the request.
    NotSent,
    /// No: the cloud answered that it did not do it.
    Refused,
    /// Perhaps: the request left and no trustworthy answer came.
    Maybe,
}

/// Why a call brought no result.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{fault:?} ({happened:?}): {detail}")]
pub struct ConnectorError {
    /// May it have happened?
    pub happened: Happened,
    /// What went wrong.
    pub fault: Fault,
    /// The cloud's own type and code.
    pub provider_code: Option<ProviderCode>,
    /// How long to wait before trying again; `None` if trying again is no use or nothing is known.
    pub retry_after: Option<Duration>,
    /// A sentence for the person at the car, where the cloud gives one.
    pub user_message: Option<String>,
    /// The cloud's own name of the request.
    pub provider_request_id: Option<String>,
    /// For the log, never for a client.
    pub detail: String,
}

impl ConnectorError {
    /// The same about a command for which a token was wanted: whatever became of the request for the token,
    /// the command itself was not sent.
    #[must_use]
    pub(crate) fn before_sending(self) -> Self {
        let fault = match self.fault {
            Fault::TimedOut | Fault::Garbled | Fault::Upstream => Fault::Unavailable,
            fault => fault,
        };
        Self { happened: Happened::NotSent, fault, ..self }
    }

    /// What it says about a consent that it brought to an end.
    #[must_use]
    pub fn connection_reason(&self) -> ConnectionReason {
        ConnectionReason::Connector { fault: self.fault, code: self.provider_code.clone() }
    }
}

/// A vehicle cloud.
///
/// Every call ends within the connector's time limit, reads bounded bodies and follows no
/// redirect. A call that changes something makes one attempt. An implementation answers `Ok` only
/// to an answer that is well-formed and about the car that was asked for.
#[async_trait]
pub trait VehicleConnector: Send + Sync {
    /// The address to send an owner's browser to.
    fn authorize_url(&self, request: &AuthorizeRequest) -> String;

    /// The address to send an owner's browser to whose maker's account no longer works.
    fn reauthenticate_url(&self, request: &ReauthenticateRequest) -> String;

    /// Turns the code from the browser into tokens. `redirect_uri` must equal the one sent before.
    async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
    ) -> Result<TokenPair, ConnectorError>;

    /// Turns a refresh token into a new pair; the old refresh token is then used up.
    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, ConnectorError>;

    /// The cloud's id of the owner whose token this is.
    async fn user_id(&self, access_token: &SecretString) -> Result<String, ConnectorError>;

    /// All cars the owner shared, at most 500. `user` is what the consent page was told about the
    /// owner: by [`Access::Application`] only cars are listed that were shared on a page that was
    /// told so, because the id of an owner proves nothing about who brings it.
    async fn consented_vehicles(
        &self,
        access: &Access,
        user: &str,
        mode: &'static str,
    ) -> Result<Vec<ConsentedVehicle>, ConnectorError>;

    /// The permissions the owner gave for this car, in the cloud's words.
    async fn permissions(
        &self,
        access: &Access,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError>;

    /// Sends one command, once, and names it to the cloud. `Ok` means acknowledged, not done. After
    /// `deadline` on the monotonic clock no exchange for it is begun any more, whatever it needs first.
    async fn send(
        &self,
        access: &Access,
        vehicle: &str,
        instruction: &Instruction,
        command_id: CommandId,
        deadline: Duration,
    ) -> Result<Acknowledgement, ConnectorError>;

    /// Reads one thing. The answer is about `vehicle` as far as the cloud says which car it is
    /// about.
    async fn read(
        &self,
        access: &Access,
        vehicle: &str,
        observable: Observable,
    ) -> Result<Reading, ConnectorError>;

    /// Reads several things at once, with an answer for each in the order of the request. The
    /// outer error means that nothing was read.
    async fn read_batch(
        &self,
        access: &Access,
        vehicle: &str,
        observables: &[Observable],
    ) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError>;

    /// Ends the owner's consent for this car at the cloud.
    async fn disconnect(&self, access: &Access, vehicle: &str) -> Result<(), ConnectorError>;
}

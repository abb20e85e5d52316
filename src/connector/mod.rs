//! The contract between Keylend and a vehicle cloud.
//!
//! Callers decide from an error whether a car may have moved, so the two questions of
//! [`ConnectorError`] are part of the contract: **may it have happened**, and **may I try again**.
//! There is one implementation, [`smartcar::Smartcar`], and no fake: tests, demo and benchmarks
//! talk to the simulator over a real socket.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::domain::command::Action;
use crate::domain::time::Timestamp;

pub mod smartcar;
mod transport;

/// What the browser of an owner is sent to the vehicle cloud with.
#[derive(Debug, Clone)]
pub struct AuthorizeRequest {
    /// Where the cloud sends the browser back to; registered with the cloud.
    pub redirect_uri: String,
    /// The permissions asked for, in the cloud's words (protocol page, section 2.5).
    pub permissions: Vec<&'static str>,
    /// Opaque; comes back with the answer.
    pub state: String,
    /// `live` or `simulated` (protocol page, section 1.1).
    pub mode: &'static str,
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

/// What the cloud says a car is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i32,
}

/// Whether a car is locked, and how old that knowledge is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockStatus {
    /// `true` if all doors are locked.
    pub is_locked: bool,
    /// Doors, with the cloud's names for place and status.
    pub doors: Vec<Opening>,
    /// Windows.
    pub windows: Vec<Opening>,
    /// Sunroof.
    pub sunroof: Vec<Opening>,
    /// Trunk and front trunk.
    pub storage: Vec<Opening>,
    /// Charging port.
    pub charging_port: Vec<Opening>,
    /// When the car reported it, if the cloud knows.
    pub observed_at: Option<Timestamp>,
}

/// One door, window or lid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its place, such as `frontLeft`.
    pub place: String,
    /// `OPEN`, `CLOSED` or `UNKNOWN`.
    pub status: String,
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

/// What went wrong, in the terms a caller branches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The cloud could not be reached, or answered that it is not available.
    Unavailable,
    /// No answer in time after the request had left.
    TimedOut,
    /// An answer that cannot be understood or is not about this car.
    Garbled,
    /// The access token was not accepted; a refresh may help.
    Authentication,
    /// The refresh token or the code was not accepted; the owner must connect again.
    ConsentLost,
    /// The owner did not give this permission, or has taken it back.
    Permission,
    /// The owner's account with the maker needs attention.
    Account,
    /// The car cannot do it in its present state; the code tells which.
    VehicleState,
    /// The car or its maker never supports it.
    NotCapable,
    /// Too many requests for this car or this application.
    RateLimited,
    /// The maker's cloud failed behind the vehicle cloud.
    Upstream,
    /// The vehicle cloud says that our request is wrong.
    Rejected,
    /// The plan with the vehicle cloud does not cover it.
    Billing,
}

/// Why a call brought no result.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{fault:?} ({happened:?}): {detail}")]
pub struct ConnectorError {
    /// May it have happened?
    pub happened: Happened,
    /// What went wrong.
    pub fault: Fault,
    /// The cloud's own type and code, such as `VEHICLE_STATE/ASLEEP`.
    pub provider_code: Option<String>,
    /// How long to wait before trying again; `None` if trying again is no use or nothing is known.
    pub retry_after: Option<Duration>,
    /// A sentence for the person at the car, where the cloud gives one.
    pub user_message: Option<String>,
    /// The cloud's own name of the request.
    pub provider_request_id: Option<String>,
    /// For the log, never for a client.
    pub detail: String,
}

/// A vehicle cloud.
///
/// Every call ends within the connector's time limit, reads a bounded body, follows no redirect
/// and makes one attempt. An implementation answers `Ok` only to an answer that is well-formed
/// and about the car that was asked for.
#[async_trait]
pub trait VehicleConnector: Send + Sync {
    /// The address to send an owner's browser to.
    fn authorize_url(&self, request: &AuthorizeRequest) -> String;

    /// Turns the code from the browser into tokens. `redirect_uri` must equal the one sent before.
    async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
    ) -> Result<TokenPair, ConnectorError>;

    /// Turns a refresh token into a new pair; the old refresh token is then used up.
    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, ConnectorError>;

    /// The cloud's ids of all cars the owner shared (all pages, at most 500 cars).
    async fn vehicles(&self, access_token: &SecretString) -> Result<Vec<String>, ConnectorError>;

    /// Make, model and year. The answer is about `vehicle` or an error.
    async fn attributes(
        &self,
        access_token: &SecretString,
        vehicle: &str,
    ) -> Result<Attributes, ConnectorError>;

    /// The permissions the owner gave for this car, in the cloud's words.
    async fn permissions(
        &self,
        access_token: &SecretString,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError>;

    /// Sends one command, once. `Ok` means acknowledged, not done.
    async fn send(
        &self,
        access_token: &SecretString,
        vehicle: &str,
        action: Action,
    ) -> Result<Acknowledgement, ConnectorError>;

    /// Reads whether the car is locked.
    async fn lock_status(
        &self,
        access_token: &SecretString,
        vehicle: &str,
    ) -> Result<LockStatus, ConnectorError>;
}

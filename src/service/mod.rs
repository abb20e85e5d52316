//! What can be done with the service: one file per noun and verb. A use case asks `authorization`
//! whether the caller may, asks the domain, and says in the frame of `transaction` what changes and
//! what is recorded of it. It knows nothing of HTTP.

pub mod access_checks;
pub mod agreement;
pub mod allowed_clients;
pub mod allowed_origins;
pub mod api_clients;
pub mod audit_entries;
mod authorization;
pub mod budget;
pub mod claims;
pub mod commands;
pub mod connections;
pub mod credentials;
pub mod device_keys;
pub mod due;
pub mod ends;
mod error;
pub mod events;
mod facts;
pub mod failpoint;
pub mod grants;
pub mod holds;
pub mod idempotency;
pub mod measure;
pub mod organizations;
pub mod pace;
mod precondition;
pub mod record;
pub mod refusals;
pub mod retention;
pub mod return_urls;
pub mod sessions;
pub mod shown_token;
mod transaction;
pub mod users;
pub mod vehicles;
pub mod webhook_endpoints;
pub mod webhooks;

use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::auth::password::PasswordHasher;
use crate::auth::throttle::Throttle;
use crate::clock::AgreedClock;
use crate::config::ApiVersions;
use crate::connector::VehicleConnector;
use crate::connector::endpoint::EndpointClient;
use crate::domain::actor::{Actor, Principal};
use crate::domain::event::{AuditEntry, Event};
use crate::domain::id::InstanceId;
use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::Issuers;
use crate::signing::grant_token::KnownTokens;
use crate::signing::keyring::Keyring;
use crate::storage::Store;

pub use crate::domain::access::Denial;
pub use error::{CredentialFault, Error, Limit, StateFault, Violation};
pub use precondition::Expected;
pub use transaction::{Run, Work};

/// What every use case works with. One that is given nothing else reaches neither a car nor anything else
/// outside but the database.
#[derive(Clone)]
pub struct Base {
    /// The database.
    pub store: Store,
    /// The time that clocks agree on, and whether they do (P9).
    pub clock: Arc<AgreedClock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How often each caller may ask.
    pub pace: Arc<pace::Pace>,
    /// The keys, as they are now.
    pub keyring: Arc<RwLock<Arc<Keyring>>>,
    /// What does not change while the process runs.
    pub settings: Arc<Settings>,
}

/// What there is in a running process: the base, and what commands, connections, reads, sign-ins and the
/// signing of the record need besides.
#[derive(Clone)]
pub struct Service {
    /// What every use case works with.
    pub base: Base,
    /// The grant tokens whose signature is known to be one of theirs.
    pub known_tokens: Arc<KnownTokens>,
    /// The vehicle cloud.
    pub connector: Arc<dyn VehicleConnector>,
    /// The vehicle cloud's access tokens.
    pub access_tokens: Arc<connections::CloudTokens>,
    /// Sends events to webhook endpoints.
    pub endpoints: Arc<EndpointClient>,
    /// How many endpoints may be sent to at once.
    pub delivery_lanes: Arc<webhook_endpoints::DeliveryLanes>,
    /// What cars were seen as lately.
    pub readings: Arc<vehicles::Readings>,
    /// How many requests may go to the vehicle cloud.
    pub budget: Arc<budget::Budget>,
    /// Slow hashing of passwords.
    pub passwords: Arc<PasswordHasher>,
    /// Failures of sign-in lately.
    pub throttle: Arc<Throttle>,
    /// Refusals of the last minute.
    pub refusals: Arc<refusals::Refusals>,
    /// Where decisions on commands are made.
    pub gate: commands::Gate,
    /// Where decisions on reads are made.
    pub reads: vehicles::ReadGate,
    /// Who waits for which command's outcome.
    pub waiters: Arc<commands::Waiters>,
    /// The record, as this process signs and shows it.
    pub record: Arc<record::Record>,
    /// Every task of this process that must not be cut off.
    pub tasks: TaskTracker,
}

/// What does not change while the process runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This process.
    pub instance_id: InstanceId,
    /// The address people and apps reach the service at, without a slash at its end.
    pub public_url: String,
    /// Whose tokens are accepted; new ones are issued under the public address.
    pub issuers: Issuers,
    /// Which versions of the vehicle cloud's API are spoken.
    pub api_versions: ApiVersions,
    /// The secret of the vehicle cloud's webhooks; without it none are taken.
    pub management_token: Option<secrecy::SecretString>,
    /// How long the vehicle cloud may take to answer a command.
    pub connector_timeout: Duration,
    /// How long commands and consents that are over are kept.
    pub kept: Duration,
    /// So many grants get their end in one transaction, if all of a scope end.
    pub grants_per_step: usize,
    /// What the clock is compared with.
    pub references: agreement::References,
}

/// Who asks for something, and in which HTTP request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// The request's name, for the record and the log.
    pub request_id: Option<String>,
}

/// What is known of people at an event, beyond their ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct PersonalContext<'a> {
    /// The address of the network that the request came from.
    pub network_address: Option<IpAddr>,
    /// What somebody wrote.
    pub note: Option<&'a str>,
}

impl Settings {
    /// Where the vehicle cloud sends owners' browsers back to.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/v1/connections/callback", self.public_url)
    }
}

impl Caller {
    /// The id under which idempotency keys are kept apart.
    #[must_use]
    pub fn principal_id(&self) -> uuid::Uuid {
        match &self.actor.principal {
            Principal::User { user_id, .. } => user_id.as_uuid(),
            Principal::ApiClient { api_client_id, .. } => api_client_id.as_uuid(),
            Principal::System => self.actor.organization_id.as_uuid(),
        }
    }

    /// The same caller, acting for this user if it is an API client.
    #[must_use]
    pub fn acting_for(&self, user_id: crate::domain::id::UserId) -> Self {
        Self { actor: self.actor.clone().acting_for(user_id), request_id: self.request_id.clone() }
    }
}

impl Base {
    /// The keys, as they are now.
    #[must_use]
    pub fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Puts other keys in place of the present ones, after a rotation.
    pub fn replace_keys(&self, keyring: Keyring) {
        *self.keyring.write().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Arc::new(keyring);
    }

    /// An entry for the record.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no randomness for its id.
    pub fn entry(
        &self,
        caller: &Caller,
        event: Event,
        now: Timestamp,
    ) -> Result<AuditEntry, Error> {
        Ok(AuditEntry {
            entry_id: self.entropy.id(now)?,
            occurred_at: now,
            actor: caller.actor.clone(),
            request_id: caller.request_id.clone(),
            event,
            facts: None,
            personal: None,
        })
    }
}

//! What a consent came to, as it is kept sealed between the browser that brought it and the owner who completes it.

use serde::{Deserialize, Serialize};

use super::{Sealed, seal};
use crate::connector::{ConsentedVehicle, TokenPair};
use crate::domain::connection::{ApiVersion, Permissions};
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::service::{Base, Error};
use crate::signing::sealed;
use crate::storage::consents::Activation;

/// What a consent came to.
pub(super) struct Consent {
    pub(super) api_version: ApiVersion,
    pub(super) provider_user_id: Option<String>,
    pub(super) pair: Option<TokenPair>,
    pub(super) cars: Vec<ConsentedVehicle>,
}

/// The form in which it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptConsent {
    api_version: ApiVersion,
    pub(super) provider_user_id: Option<String>,
    pair: Option<Sealed>,
    /// When the access token of the pair stops working.
    access_expires_at: Option<Timestamp>,
    pub(super) cars: Vec<KeptCar>,
}

/// A car of it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptCar {
    pub(super) provider_vehicle_id: String,
    pub(super) make: String,
    pub(super) model: String,
    pub(super) year: i64,
    permissions: Vec<String>,
}

impl KeptCar {
    pub(super) fn permissions(&self) -> Permissions {
        self.permissions.iter().map(String::as_str).collect()
    }
}

fn context(connection_id: ConnectionId) -> Vec<u8> {
    format!("connections/sealed_consent/{connection_id}").into_bytes()
}

fn context_of_code(connection_id: ConnectionId) -> Vec<u8> {
    format!("connections/sealed_code/{connection_id}").into_bytes()
}

/// The sealed form of a completion code.
pub(super) fn seal_code(
    base: &Base,
    connection_id: ConnectionId,
    code: &str,
) -> Result<Vec<u8>, Error> {
    let context = context_of_code(connection_id);
    sealed::seal(&base.keys(), &*base.entropy, &context, code.as_bytes())
        .map_err(|error| Error::Internal(format!("a code to seal: {error}")))
}

/// The completion code that was sealed.
pub(super) fn unseal_code(
    base: &Base,
    connection_id: ConnectionId,
    bytes: &[u8],
) -> Result<String, Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Internal(format!("sealed code: {error}"));
    let plain = sealed::open(&base.keys(), &context_of_code(connection_id), bytes)
        .map_err(|error| broken(&error))?;
    String::from_utf8(plain.to_vec()).map_err(|error| broken(&error))
}

impl Consent {
    /// The sealed form.
    pub(super) fn seal(&self, base: &Base, connection_id: ConnectionId) -> Result<Vec<u8>, Error> {
        let lifetime = self.pair.as_ref().map(|pair| pair.expires_in);
        let kept = KeptConsent {
            api_version: self.api_version,
            provider_user_id: self.provider_user_id.clone(),
            pair: self.pair.as_ref().map(Sealed::of),
            access_expires_at: lifetime.map(|lifetime| base.clock.now().plus(lifetime)),
            cars: self.cars.iter().map(kept_car).collect(),
        };
        kept.seal(base, connection_id)
    }
}

fn kept_car(car: &ConsentedVehicle) -> KeptCar {
    KeptCar {
        provider_vehicle_id: car.provider_vehicle_id.clone(),
        make: car.attributes.make.clone(),
        model: car.attributes.model.clone(),
        year: car.attributes.year.into(),
        permissions: car.permissions.clone(),
    }
}

impl KeptConsent {
    /// The cars of it that did not come to its owner, and nothing by which they could be used.
    pub(super) const fn of_others(api_version: ApiVersion, cars: Vec<KeptCar>) -> Self {
        Self { api_version, provider_user_id: None, pair: None, access_expires_at: None, cars }
    }

    /// The sealed form.
    pub(super) fn seal(&self, base: &Base, connection_id: ConnectionId) -> Result<Vec<u8>, Error> {
        let plain = serde_json::to_vec(self)
            .map_err(|error| Error::Internal(format!("a consent to seal: {error}")))?;
        sealed::seal(&base.keys(), &*base.entropy, &context(connection_id), &plain)
            .map_err(|error| Error::Internal(format!("a consent to seal: {error}")))
    }

    /// What was kept.
    pub(super) fn unseal(
        base: &Base,
        connection_id: ConnectionId,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        let broken =
            |error: &dyn std::fmt::Display| Error::Internal(format!("sealed consent: {error}"));
        let plain = sealed::open(&base.keys(), &context(connection_id), bytes)
            .map_err(|error| broken(&error))?;
        serde_json::from_slice(&plain).map_err(|error| broken(&error))
    }

    /// The owner's own token, with API v2.0.
    pub(super) fn access_token(&self) -> Option<&str> {
        self.pair.as_ref().map(|pair| pair.access_token.as_str())
    }

    /// By what the connection is used from now on.
    pub(super) fn activation(
        &self,
        base: &Base,
        connection_id: ConnectionId,
    ) -> Result<Activation, Error> {
        let tokens = match &self.pair {
            Some(pair) => Some(seal(base, connection_id, pair)?),
            None => None,
        };
        Ok(Activation {
            api_version: self.api_version,
            provider_user_id: self.provider_user_id.clone(),
            tokens: tokens.zip(self.access_expires_at),
        })
    }
}

//! Who asks API v3, and for whom: an application with its own token that names an owner, or a
//! client of API v2.0 with an owner's token, as the official SDKs do.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::super::answer::Failure;
use super::super::bounded::Bounded;
use super::super::call::{self, Call};
use super::super::car::Car;
use super::super::state::{Cloud, Consent};
use crate::domain::time::Timestamp;
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::{HEADER_USER_ID, TOKEN_LIFETIME_S};

/// Tokens of applications kept; the oldest go first.
const TOKENS_MAX: usize = 10_000;

/// The tokens of applications, with the ends of their lives.
#[derive(Debug)]
pub(in crate::simulator) struct Applications(RwLock<Bounded<Timestamp>>);

impl Default for Applications {
    fn default() -> Self {
        Self(RwLock::new(Bounded::new(TOKENS_MAX)))
    }
}

impl Applications {
    /// Takes a new token in.
    pub(super) fn admit(&self, token: String, now: Timestamp) {
        let expires_at = now.plus(Duration::from_secs(TOKEN_LIFETIME_S));
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(token, expires_at);
    }

    fn knows(&self, token: &str, now: Timestamp) -> bool {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).is_some_and(|expires_at| *expires_at > now)
    }
}

/// Whether a request must name the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Always, also with an owner's own token.
    Named,
    /// Unless the token is an owner's own.
    NamedByApplications,
    /// Not at all.
    Anyone,
}

/// What whoever asks has been given.
#[derive(Debug)]
pub(super) struct Given(Vec<Arc<Consent>>);

impl Given {
    /// The consents behind a request.
    pub(super) fn to(cloud: &Cloud, call: &Call, owner: Owner) -> Result<Self, Failure> {
        let token = call::bearer(&call.headers).unwrap_or_default();
        let own = cloud.consent_of(token);
        if own.is_none() && !cloud.applications.knows(token, cloud.clock.now()) {
            return Err(Failure::new(ErrorKind::Authentication));
        }
        let named = call.headers.get(HEADER_USER_ID).and_then(|id| id.to_str().ok());
        let consents = match (own, named.filter(|id| !id.is_empty())) {
            (Some(_), None) if owner == Owner::Named => return Err(nameless()),
            (Some(own), None) => vec![own],
            (Some(own), Some(id)) if id == cloud.user_id => vec![own],
            (Some(_), Some(_)) => Vec::new(),
            (None, Some(id)) => cloud.consents_of(id),
            (None, None) if owner == Owner::Anyone => cloud.consents_of(&cloud.user_id),
            (None, None) => return Err(nameless()),
        };
        Ok(Self(consents))
    }

    /// Whether the owner gave a permission for a car at all.
    pub(super) fn permits(
        &self,
        cloud: &Cloud,
        id: &str,
        needed: Option<&'static str>,
    ) -> Option<Arc<Car>> {
        let mut found = self.0.iter().filter_map(|given| call::shared(cloud, given, id, needed));
        found.next().map(|(_, car)| car)
    }

    /// The car, or why it is none of theirs.
    pub(super) fn car(
        &self,
        cloud: &Cloud,
        call: &Call,
        needed: Option<&'static str>,
    ) -> Result<Arc<Car>, Failure> {
        let car = self.permits(cloud, &call.vehicle_id, needed);
        car.ok_or_else(|| Failure::new(ErrorKind::Permission))
    }
}

fn nameless() -> Failure {
    Failure::new(ErrorKind::Validation).describing("missing userId")
}

//! Who asks API v3, and for whom: an application with its own token that names an owner, or a
//! client of API v2.0 with an owner's token, as the official SDKs do.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::super::answer::Failure;
use super::super::bounded::Bounded;
use super::super::call::{self, Call};
use super::super::car::Car;
use super::super::consents::{Connection, Consent};
use super::super::state::Cloud;
use crate::domain::time::Timestamp;
use crate::entropy::NoEntropy;
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::{HEADER_USER_ID, TOKEN_LIFETIME_S};

/// Tokens of applications kept; the oldest go first.
const TOKENS_MAX: usize = 10_000;
/// What the token of an application begins with.
const PREFIX: &str = "sim_app_";

/// The tokens of applications: whose they are, and the ends of their lives.
#[derive(Debug)]
pub(in crate::simulator) struct Applications(RwLock<Bounded<(String, Timestamp)>>);

impl Default for Applications {
    fn default() -> Self {
        Self(RwLock::new(Bounded::new(TOKENS_MAX)))
    }
}

impl Cloud {
    /// A new token of this application.
    pub(in crate::simulator) fn issue_application_token(
        &self,
        client_id: &str,
    ) -> Result<String, NoEntropy> {
        let token = format!("{PREFIX}{}", self.secret()?);
        let expires_at = self.clock.now().plus(Duration::from_secs(TOKEN_LIFETIME_S));
        let mut tokens = self.applications.0.write().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(token.clone(), (client_id.to_owned(), expires_at));
        Ok(token)
    }

    /// Whose this token is, while it lives.
    pub(in crate::simulator) fn application_of(&self, token: &str) -> Option<String> {
        let tokens = self.applications.0.read().unwrap_or_else(PoisonError::into_inner);
        let (client_id, expires_at) = tokens.get(token)?;
        (*expires_at > self.clock.now()).then(|| client_id.clone())
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

/// Whose cars a request may be about.
#[derive(Debug)]
pub(super) enum Given {
    /// Those that the token itself is for.
    Own(Arc<Consent>),
    /// Those of an owner. An application's id here and its id in Connect differ, so for which of
    /// them the owner gave the car is not asked.
    Of(String),
    /// Anybody's.
    Any,
    /// Nobody's: the token of one owner together with the name of another.
    Nothing,
}

impl Given {
    /// The owner behind a request.
    pub(super) fn to(cloud: &Cloud, call: &Call, owner: Owner) -> Result<Self, Failure> {
        let token = call::bearer(&call.headers).unwrap_or_default();
        let own = cloud.consent_of(token);
        if own.is_none() && cloud.application_of(token).is_none() {
            return Err(Failure::new(ErrorKind::Authentication));
        }
        let named = call.headers.get(HEADER_USER_ID).and_then(|id| id.to_str().ok());
        Ok(match (own, named.filter(|id| !id.is_empty())) {
            (Some(_), None) if owner == Owner::Named => return Err(nameless()),
            (Some(own), None) => Self::Own(own),
            (Some(own), Some(id)) if id == own.user.id => Self::Own(own),
            (Some(_), Some(_)) => Self::Nothing,
            (None, Some(id)) => Self::Of(id.to_owned()),
            (None, None) if owner == Owner::Anyone => Self::Any,
            (None, None) => return Err(nameless()),
        })
    }

    /// The car and the consent for it, if its owner gave this permission.
    pub(super) fn permits(
        &self,
        cloud: &Cloud,
        id: &str,
        needed: Option<&'static str>,
    ) -> Option<(Arc<Connection>, Arc<Car>)> {
        let (place, car) = cloud.car(id)?;
        let connection = match self {
            Self::Own(consent) => return call::shared(cloud, consent, id, needed),
            Self::Of(user_id) => cloud.given(Some(user_id), place, needed),
            Self::Any => cloud.given(None, place, needed),
            Self::Nothing => None,
        };
        Some((connection?, Arc::clone(car)))
    }

    /// The car, or why it is none of theirs.
    pub(super) fn car(
        &self,
        cloud: &Cloud,
        call: &Call,
        needed: Option<&'static str>,
    ) -> Result<Arc<Car>, Failure> {
        let (connection, car) = self
            .permits(cloud, &call.vehicle_id, needed)
            .ok_or_else(|| Failure::new(ErrorKind::Permission))?;
        call.untroubled(cloud, &connection)?;
        Ok(car)
    }
}

fn nameless() -> Failure {
    Failure::new(ErrorKind::Validation).describing("missing userId")
}

//! Who asks API v3, and for whom: an application with its own token that names an owner, or a
//! client of API v2.0 with an owner's token, as the official SDKs do.

use std::sync::Arc;

use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::consents::{Connection, Consent};
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{self, Call};
use crate::simulator::doors::credentials::bearer;
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::HEADER_USER_ID;

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
        let token = bearer(&call.headers).unwrap_or_default();
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

//! Who asks through the facade: the holder of a grant token, about the car of the grant.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use super::answer::{Refusal, request_id};
use crate::domain::grant::Grant;
use crate::domain::id::VehicleId;
use crate::domain::policy::Reason;
use crate::domain::vehicle::Vehicle;
use crate::http::Gateway;
use crate::http::extract::{Presented, basic, presented, shown_token};
use crate::service::pace::Lane;
use crate::service::shown_token::ShownToken;
use crate::service::vehicles::Read;
use crate::service::{Caller, Error, credentials, grants};
use crate::signing::grant_token::VerifiedGrantToken;

/// The holder of a genuine grant token, and the name of their request. Whether the token counts is decided by a gate, or
/// where [`Holder::grant`] is asked for.
pub(in crate::http) struct Holder {
    pub(in crate::http) caller: Caller,
    pub(in crate::http) token: VerifiedGrantToken,
    pub(in crate::http) shown: ShownToken,
    pub(in crate::http) request_id: String,
}

/// The same, about the car in the path, which is the car of their grant.
pub(in crate::http) struct HolderOfVehicle(pub(in crate::http) Holder);

/// The same, with the grant token in the place of the application management token.
pub(in crate::http) struct HolderAsManager(pub(in crate::http) Holder);

/// The name that goes with an application management token in HTTP Basic.
const MANAGER: &str = "default";

impl FromRequestParts<Arc<Gateway>> for Holder {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Refusal> {
        Self::of(state, parts, presented(&parts.headers))
    }
}

impl FromRequestParts<Arc<Gateway>> for HolderAsManager {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Refusal> {
        let shown = basic(&parts.headers).filter(|(name, _)| name == MANAGER);
        let token = match &shown {
            Some((_, token)) => Ok(Presented::Bearer(token.expose_secret())),
            None => presented(&parts.headers),
        };
        Holder::of(state, parts, token).map(Self)
    }
}

/// The part of a path that names a car, whatever else it has.
#[derive(Deserialize)]
struct VehiclePath {
    id: String,
}

impl FromRequestParts<Arc<Gateway>> for HolderOfVehicle {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Refusal> {
        let holder = Holder::from_request_parts(parts, state).await?;
        let named = Path::<VehiclePath>::from_request_parts(parts, state).await;
        let id = named.ok().and_then(|Path(path)| Uuid::try_parse(&path.id).ok());
        match id.map(VehicleId::from_uuid) {
            Some(id) if id == holder.token.claims().vehicle_id => Ok(Self(holder)),
            _ => Err(Refusal::denied(&[Reason::VehicleMismatch]).named(&holder.request_id)),
        }
    }
}

impl Holder {
    fn of(
        gateway: &Gateway,
        parts: &Parts,
        presented: Result<Presented<'_>, Error>,
    ) -> Result<Self, Refusal> {
        let request_id = request_id(gateway);
        let genuine = presented.and_then(|presented| {
            let token = credentials::check_grant_token(&gateway.service, presented.text())?;
            let shown = shown_token(gateway, parts, presented, &token)?;
            Ok((token, shown))
        });
        let (token, shown) = genuine.map_err(|error| Refusal::from(error).named(&request_id))?;
        let caller = credentials::holder(&token, Some(request_id.clone()));
        Ok(Self { caller, token, shown, request_id })
    }

    /// The grant of the token and its car, for what no gate decides on.
    pub(in crate::http) async fn grant(
        &self,
        gateway: &Gateway,
        lane: Lane,
    ) -> Result<(Grant, Vehicle), Refusal> {
        let token = (&self.token, &self.shown);
        let found = grants::of_token(&gateway.service.base, &self.caller, token, lane).await;
        found.map_err(|error| Refusal::from(error).named(&self.request_id))
    }

    /// A read of the grant's car, by the grant.
    pub(in crate::http) fn read(&self) -> Read {
        Read {
            user_id: self.token.claims().grantee_id,
            vehicle_id: self.token.claims().vehicle_id,
            grant_id: Some(self.token.claims().grant_id),
            token: Some(self.shown),
        }
    }
}

//! API v2.0: the owner, the list of cars, and the end of a consent for one of them.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use super::paging;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{self, Call, Shared, consent};
use crate::simulator::doors::query::pairs;
use crate::smartcar::{ErrorKind, v2};

/// `GET /user`.
pub(super) async fn user(
    State(cloud): Shared,
    headers: HeaderMap,
) -> Result<Json<v2::User>, Failure> {
    let consent = consent(&cloud, &headers)?;
    Ok(Json(v2::User { id: consent.user.id.clone() }))
}

/// `GET /vehicles`.
pub(super) async fn list(
    State(cloud): Shared,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<v2::VehicleList>, Failure> {
    let consent = consent(&cloud, &headers)?;
    let query = pairs(query.unwrap_or_default().as_bytes());
    let id = |place: &usize| cloud.cars().get(*place).map(|car| car.id.to_string());
    let (vehicles, paging) = paging::cut(&consent.connected(), &query, id)?;
    Ok(Json(v2::VehicleList { vehicles, paging }))
}

/// `DELETE /vehicles/{id}/application`: the client is no longer connected to this car.
pub(super) async fn disconnect(
    State(cloud): Shared,
    call: Call,
) -> Result<Json<v2::StatusAnswer>, Failure> {
    let consent = consent(&cloud, &call.headers)?;
    let (connection, _) = call::shared(&cloud, &consent, &call.vehicle_id, None)
        .ok_or_else(|| Failure::new(ErrorKind::Permission))?;
    cloud.disconnect(&consent, connection.place);
    Ok(Json(v2::StatusAnswer::success()))
}

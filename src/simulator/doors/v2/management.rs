//! API v2.0, the application's own connections: which owners share which cars, and the end of
//! that. The application management token opens this door, and sees the owners of all clients.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use crate::simulator::cloud::consents::{Connection, mode};
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::simulator::doors::credentials::basic;
use crate::simulator::doors::query::{pairs, text};
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::management::{ConnectionEntry, CursorPaging, ManagedConnections};

/// The name that goes with the token.
const NAME: &str = "default";
const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 100;

/// Which connections are asked for.
struct Filter {
    user_id: Option<String>,
    vehicle_id: Option<String>,
    mode: Option<&'static str>,
}

impl Filter {
    fn read(query: &[(String, String)]) -> Result<Self, Failure> {
        let text = |name: &str| text(query, name).filter(|value| !value.is_empty());
        let named = text("mode");
        let mode = named.as_deref().map(|name| mode(Some(name)).ok_or_else(|| wrong("mode")));
        let mode = mode.transpose()?;
        Ok(Self { user_id: text("user_id"), vehicle_id: text("vehicle_id"), mode })
    }

    fn fits(&self, cloud: &Cloud, one: &Connection) -> bool {
        let car = cloud.cars().get(one.place);
        let is_car = |id: &String| car.is_some_and(|car| *car.id == **id);
        self.user_id.as_ref().is_none_or(|id| one.user.id == *id)
            && self.vehicle_id.as_ref().is_none_or(is_car)
            && self.mode.is_none_or(|mode| one.mode == mode)
    }
}

/// `GET /management/connections`.
pub(super) async fn list(
    State(cloud): Shared,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<ManagedConnections>, Failure> {
    let query = opened(&cloud, &headers, query)?;
    let filter = Filter::read(&query)?;
    let limit = text(&query, "limit").map(|limit| limit.parse::<usize>()).transpose();
    let limit = limit.map_err(|_| wrong("limit"))?.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    // Ids are in the order of the list, so that the last one of a page is where the next begins.
    let after = text(&query, "cursor").unwrap_or_default();
    let found = cloud.consents.find(|one| one.id > after && filter.fits(&cloud, one));
    let page = found.get(..limit).unwrap_or(&found);
    let cursor = page.last().filter(|_| found.len() > limit).map(|last| last.id.clone());
    let connections = page.iter().filter_map(|one| entry(&cloud, one, true)).collect();
    Ok(Json(ManagedConnections { connections, paging: Some(CursorPaging { cursor }) }))
}

/// `DELETE /management/connections`: of an owner, of a car, or of both together.
pub(super) async fn disconnect(
    State(cloud): Shared,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<ManagedConnections>, Failure> {
    let query = opened(&cloud, &headers, query)?;
    let filter = Filter::read(&query)?;
    if filter.user_id.is_none() && filter.vehicle_id.is_none() {
        return Err(wrong("user_id"));
    }
    let ended = cloud.withdraw(|one| filter.fits(&cloud, one));
    let connections = ended.iter().filter_map(|one| entry(&cloud, one, false)).collect();
    Ok(Json(ManagedConnections { connections, paging: None }))
}

fn entry(cloud: &Cloud, one: &Connection, whole: bool) -> Option<ConnectionEntry> {
    let car = cloud.cars().get(one.place)?;
    Some(ConnectionEntry {
        user_id: one.user.id.clone(),
        vehicle_id: car.id.to_string(),
        connected_at: whole.then(|| one.connected_at.to_string()),
        mode: whole.then(|| one.mode.to_owned()),
    })
}

/// The query, if the request shows the token.
fn opened(
    cloud: &Cloud,
    headers: &HeaderMap,
    query: Option<String>,
) -> Result<Vec<(String, String)>, Failure> {
    let shown = basic(headers);
    let shown = shown.filter(|(name, token)| name == NAME && *token == cloud.management_token);
    shown.ok_or_else(|| Failure::new(ErrorKind::Authentication))?;
    Ok(pairs(query.unwrap_or_default().as_bytes()))
}

fn wrong(parameter: &str) -> Failure {
    Failure::new(ErrorKind::ValidationParameter)
        .describing(format!("`{parameter}` is missing or not valid."))
}

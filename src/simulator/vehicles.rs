//! API v2.0: the owner, the cars, and what can be asked of a car. A request passes the token, the
//! consent, the permission and the body, in this order; then the car's queue of faults has its
//! say; then the car does it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::answer::{Failure, RequestId};
use super::car::Car;
use super::faults::{FaultKind, Occasion};
use super::listener::Peer;
use super::state::{Cloud, Consent};
use crate::domain::time::Timestamp;
use crate::smartcar::v2::{self, ActionAnswer, ActionRequest, Paging, SecurityAction};
use crate::smartcar::{ErrorKind, permission};

type Shared = State<Arc<Cloud>>;

/// Which part of a list is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<u32>,
    offset: Option<u32>,
}

/// `GET /user`.
pub(super) async fn user(
    State(cloud): Shared,
    headers: HeaderMap,
) -> Result<Json<v2::User>, Failure> {
    consent(&cloud, &headers)?;
    Ok(Json(v2::User { id: cloud.user_id.clone() }))
}

/// `GET /vehicles`.
pub(super) async fn list(
    State(cloud): Shared,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<v2::VehicleList>, Failure> {
    let consent = consent(&cloud, &headers)?;
    let (vehicles, paging) =
        cut(&consent.cars, page, |place| cloud.cars().get(*place).map(|car| car.id.to_string()))?;
    Ok(Json(v2::VehicleList { vehicles, paging }))
}

/// `GET /vehicles/{id}`.
pub(super) async fn attributes(
    State(cloud): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (car, _) = allowed(&cloud, &headers, &id, Some(permission::READ_VEHICLE_INFO))?;
    read(&cloud, &peer, &headers, &car, |car, _| car.attributes()).await
}

/// `GET /vehicles/{id}/vin`.
pub(super) async fn vin(
    State(cloud): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (car, _) = allowed(&cloud, &headers, &id, Some(permission::READ_VIN))?;
    let answer = |car: &Car, _| v2::Vin { vin: car.vin.clone() };
    read(&cloud, &peer, &headers, &car, answer).await
}

/// `GET /vehicles/{id}/permissions`.
pub(super) async fn permissions(
    State(cloud): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Failure> {
    let (car, consent) = allowed(&cloud, &headers, &id, None)?;
    let (permissions, paging) = cut(&consent.permissions, page, |name| Some((*name).to_owned()))?;
    let answer = |_: &Car, _| v2::PermissionList { permissions, paging };
    read(&cloud, &peer, &headers, &car, answer).await
}

/// `GET /vehicles/{id}/security`.
pub(super) async fn security(
    State(cloud): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (car, _) = allowed(&cloud, &headers, &id, Some(permission::READ_SECURITY))?;
    read(&cloud, &peer, &headers, &car, |_, is_locked| Car::security(is_locked)).await
}

/// `POST /vehicles/{id}/security`.
pub(super) async fn command(
    State(cloud): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (car, _) = allowed(&cloud, &headers, &id, Some(permission::CONTROL_SECURITY))?;
    let ActionRequest::<SecurityAction> { action } =
        serde_json::from_slice(&body).map_err(|_| {
            Failure::new(ErrorKind::ValidationParameter)
                .describing("`action` must be `LOCK` or `UNLOCK`.")
        })?;
    let fault = car.next_fault(Occasion::Command);
    if let Some(FaultKind::Delay { delay_ms }) = fault {
        delayed(&cloud, car, action, request_id, delay_ms).await?;
    } else {
        before(&cloud, fault.as_ref()).await?;
        if fault != Some(FaultKind::AcknowledgedNotExecuted) {
            execute(&cloud, &car, action, request_id)?;
        }
    }
    let spoilt = after(&cloud, &peer, fault).await?;
    Ok(spoilt.unwrap_or_else(|| Json(ActionAnswer::success()).into_response()))
}

fn execute(cloud: &Cloud, car: &Car, action: SecurityAction, id: Uuid) -> Result<(), Failure> {
    car.execute(action, cloud.clock.now(), id, &cloud.journal).map_err(|error| {
        tracing::error!(%error, "the simulator's journal cannot be written");
        Failure::new(ErrorKind::ServerInternal)
    })
}

/// Executes later, also if the client does not wait for it: the request has been taken.
async fn delayed(
    cloud: &Arc<Cloud>,
    car: Arc<Car>,
    action: SecurityAction,
    request_id: Uuid,
    delay_ms: u64,
) -> Result<(), Failure> {
    let inside = Arc::clone(cloud);
    let task = cloud.tasks.spawn(async move {
        if !inside.pause(delay_ms).await {
            return Err(Failure::unavailable());
        }
        execute(&inside, &car, action, request_id)
    });
    task.await.unwrap_or_else(|_| Err(Failure::new(ErrorKind::ServerInternal)))
}

/// The faults that strike before anything is done.
async fn before(cloud: &Cloud, fault: Option<&FaultKind>) -> Result<(), Failure> {
    match fault {
        Some(FaultKind::Delay { delay_ms }) => match cloud.pause(*delay_ms).await {
            true => Ok(()),
            false => Err(Failure::unavailable()),
        },
        Some(FaultKind::Refuse) => Err(Failure::unavailable()),
        Some(FaultKind::RateLimited { retry_after_s }) => {
            Err(Failure::new(ErrorKind::RateLimitVehicle).retry_after(*retry_after_s))
        }
        Some(FaultKind::ExecutedThen500) | None => Ok(()),
        Some(other) => match other.documented() {
            Some(kind) => Err(Failure::new(kind)),
            None => Ok(()),
        },
    }
}

/// The faults that strike when it is done: an answer to send in place of the right one.
async fn after(
    cloud: &Cloud,
    peer: &Peer,
    fault: Option<FaultKind>,
) -> Result<Option<Response>, Failure> {
    match fault {
        Some(FaultKind::ExecutedThenNoAnswer) => {
            peer.cut_off();
            Ok(Some(().into_response()))
        }
        Some(FaultKind::ExecutedThen500) => Err(Failure::new(ErrorKind::ServerInternal)),
        Some(FaultKind::Garbage) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            Ok(Some((json, "{\"status\": \"suc\u{0}").into_response()))
        }
        Some(FaultKind::Hold { hold_ms }) => {
            cloud.pause(hold_ms).await;
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Answers a read about a car, with the headers that tell how old the answer is.
async fn read<T: Serialize>(
    cloud: &Cloud,
    peer: &Peer,
    headers: &HeaderMap,
    car: &Car,
    answer: impl FnOnce(&Car, bool) -> T,
) -> Result<Response, Failure> {
    let fault = car.next_fault(Occasion::Read);
    before(cloud, fault.as_ref()).await?;
    let lock = *car.lock();
    let fetched_at = cloud.clock.now();
    if let Some(spoilt) = after(cloud, peer, fault).await? {
        return Ok(spoilt);
    }
    let mut response = Json(answer(car, lock.is_locked)).into_response();
    let imperial = headers.get(v2::HEADER_UNIT_SYSTEM);
    let imperial = imperial.is_some_and(|value| value.as_bytes() == b"imperial");
    let units = HeaderValue::from_static(if imperial { "imperial" } else { "metric" });
    let to = response.headers_mut();
    to.insert(v2::HEADER_UNIT_SYSTEM, units);
    let mut time = |name, at: Timestamp| {
        if let Ok(value) = HeaderValue::try_from(at.to_string()) {
            to.insert(name, value);
        }
    };
    time(v2::HEADER_DATA_AGE, lock.since);
    time(v2::HEADER_FETCHED_AT, fetched_at);
    Ok(response)
}

/// What the token of a request stands for.
fn consent(cloud: &Cloud, headers: &HeaderMap) -> Result<Arc<Consent>, Failure> {
    let value = headers.get(header::AUTHORIZATION);
    value
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| cloud.consent_of(token.trim()))
        .ok_or_else(|| Failure::new(ErrorKind::Authentication))
}

/// The car, if the token's owner shared it and gave the permission. A car that was not shared and
/// one that does not exist look the same.
fn allowed(
    cloud: &Cloud,
    headers: &HeaderMap,
    id: &str,
    needed: Option<&'static str>,
) -> Result<(Arc<Car>, Arc<Consent>), Failure> {
    let consent = consent(cloud, headers)?;
    let given = needed.is_none_or(|needed| consent.permissions.contains(&needed));
    cloud
        .car(id)
        .filter(|(place, _)| given && consent.cars.binary_search(place).is_ok())
        .map(|(_, car)| (Arc::clone(car), Arc::clone(&consent)))
        .ok_or_else(|| Failure::new(ErrorKind::Permission))
}

/// One page of a list.
fn cut<T>(
    all: &[T],
    page: Result<Query<Page>, QueryRejection>,
    show: impl Fn(&T) -> Option<String>,
) -> Result<(Vec<String>, Paging), Failure> {
    let Query(page) = page.map_err(|_| {
        Failure::new(ErrorKind::ValidationParameter)
            .describing("`limit` and `offset` must be whole numbers.")
    })?;
    let limit = page.limit.unwrap_or(v2::PAGE_LIMIT_DEFAULT);
    let limit = limit.clamp(1, v2::PAGE_LIMIT_MAX);
    let offset = page.offset.unwrap_or(0);
    let paging = Paging { count: u32::try_from(all.len()).unwrap_or(u32::MAX), offset };
    let from = all.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
    let shown = from.take(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((shown.filter_map(show).collect(), paging))
}

//! The facade's other half: what Smartcar's SDKs read of API v3, with a grant token in the place of
//! the access token (protocol page, section 5.6). Reads alone; commands are those of v2.0.

mod signals;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::Gateway;
use super::smartcar_v2::answer::{Refusal, request_id};
use super::smartcar_v2::holder::{Holder, HolderOfVehicle};
use crate::connector::smartcar::v3_readings;
use crate::domain::reading::{Observable, Observation, Reading};
use crate::service::pace::Lane;
use crate::service::{Error, vehicles};
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::HEADER_REQUEST_ID;
use crate::smartcar::v3::signal::{Included, SignalList};
use crate::smartcar::v3::{Document, ErrorList, SelfLink, Vehicle, VehicleAttributes};

#[derive(OpenApi)]
#[openapi(paths(vehicle, list, one))]
struct DescriptionOfV3;

/// Every route of this half, each with and without a slash at its end.
pub(super) fn routes() -> OpenApiRouter<Arc<Gateway>> {
    let served = [
        ("/v3/vehicles/{id}", get(vehicle)),
        ("/v3/vehicles/{id}/signals", get(list)),
        ("/v3/vehicles/{id}/signals/{code}", get(one)),
    ];
    let router = served.into_iter().fold(Router::new(), |router, (path, methods)| {
        router.route(&format!("{path}/"), methods.clone()).route(path, methods)
    });
    let router = router.route("/v3/{*path}", any(no_such_path));
    OpenApiRouter::with_openapi(DescriptionOfV3::openapi()).merge(router.into())
}

/// A failure in the shape of v3: a JSON:API document.
struct Failure(Refusal);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl Failure {
    fn list(&self) -> ErrorList {
        let body = self.0.body();
        let name = body.request_id.unwrap_or_default();
        let mut list = ErrorList::of(self.0.kind(), &name).detailing(body.description);
        if let Some(first) = list.errors.first_mut() {
            first.suggested_user_message = body.suggested_user_message;
        }
        list
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let list = self.list();
        // The head is the same in both versions.
        let head = self.0.into_response().into_parts().0;
        let mut response = (head.status, Json(list)).into_response();
        let name_of_request = HeaderName::from_static(HEADER_REQUEST_ID);
        for name in [name_of_request, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
            if let Some(value) = head.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}

fn success(holder: &Holder, body: &impl Serialize) -> Response {
    let mut response = (StatusCode::OK, Json(body)).into_response();
    if let Ok(name) = HeaderValue::from_str(&holder.request_id) {
        response.headers_mut().insert(HeaderName::from_static(HEADER_REQUEST_ID), name);
    }
    response
}

fn uuid(holder: &Holder) -> String {
    holder.token.claims().vehicle_id.as_uuid().hyphenated().to_string()
}

async fn no_such_path(State(gateway): State<Arc<Gateway>>) -> Failure {
    Failure(Refusal::no_such_path().named(&request_id(&gateway)))
}

async fn read(gateway: &Gateway, holder: &Holder, what: Observable) -> Result<Reading, Failure> {
    let read = vehicles::read(&gateway.service, &holder.caller, holder.read(), what).await;
    read.map_err(|error| Failure(Refusal::from(error).named(&holder.request_id)))
}

fn described(holder: &Holder, observation: Observation) -> Option<Vehicle> {
    let Observation::Attributes(attributes) = observation else { return None };
    let id = uuid(holder);
    Some(Vehicle {
        links: Some(SelfLink { itself: format!("/vehicles/{id}") }),
        id,
        kind: "vehicle".to_owned(),
        attributes: VehicleAttributes {
            make: attributes.make,
            model: attributes.model,
            year: attributes.year,
            powertrain_type: None,
            mode: None,
        },
    })
}

/// Smartcar's vehicle, as API v3 shows it.
#[utoipa::path(get, path = "/v3/vehicles/{id}", operation_id = "smartcar_v3.vehicle", tag = "smartcar_v3",
    security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "Make, model and year.", body = Object),
        (status = "4XX", description = "An error in Smartcar's shape.", body = Object),
        (status = "5XX", description = "An error in Smartcar's shape.", body = Object)))]
async fn vehicle(
    State(gateway): State<Arc<Gateway>>,
    holder: Result<HolderOfVehicle, Refusal>,
) -> Result<Response, Failure> {
    let HolderOfVehicle(holder) = holder?;
    let reading = read(&gateway, &holder, Observable::Attributes).await?;
    match described(&holder, reading.observation) {
        Some(data) => Ok(success(&holder, &Document { data })),
        None => Err(Failure(Refusal::no_such_path().named(&holder.request_id))),
    }
}

/// Smartcar's signals: everything that the grant lets be read.
#[utoipa::path(get, path = "/v3/vehicles/{id}/signals", operation_id = "smartcar_v3.signals", tag = "smartcar_v3",
    security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "The signals.", body = Object),
        (status = "4XX", description = "An error in Smartcar's shape.", body = Object),
        (status = "5XX", description = "An error in Smartcar's shape.", body = Object)))]
async fn list(
    State(gateway): State<Arc<Gateway>>,
    holder: Result<HolderOfVehicle, Refusal>,
) -> Result<Response, Failure> {
    let HolderOfVehicle(holder) = holder?;
    let named = |error: Error| Failure(Refusal::from(error).named(&holder.request_id));
    let (grant, car) = holder.grant(&gateway, Lane::Show).await?;
    // What the grant does not name is not asked for, so that the record is not full of refusals.
    let wanted: Vec<Observable> = Observable::ALL
        .iter()
        .copied()
        .filter(|observable| {
            let entitlement = observable.entitlement();
            (v3_readings::is_listed(*observable) || *observable == Observable::Attributes)
                && grant.entitlements.contains(entitlement)
                && car.permissions.contains(entitlement.permission())
        })
        .collect();
    let read = holder.read();
    let answers = vehicles::read_batch(&gateway.service, &holder.caller, read, &wanted).await;
    let (mut data, mut included, mut is_allowed) = (Vec::new(), None, false);
    for (observable, answer) in wanted.into_iter().zip(answers.map_err(named)?) {
        // What the grant lost in the meantime is left out like what it never had.
        is_allowed |= !matches!(answer, Err(Error::Refused(_)));
        match answer {
            Ok(Reading { observation: told @ Observation::Attributes(_), .. }) => {
                included = described(&holder, told).map(|vehicle| Included { vehicle });
            }
            Ok(reading) => data.extend(signals::of(&reading, &uuid(&holder))),
            Err(Error::Refused(_)) => {}
            Err(error) => {
                let now = gateway.service.base.clock.now();
                data.extend(signals::failed(observable, &named(error), &uuid(&holder), now));
            }
        }
    }
    if !is_allowed {
        return Err(Failure(Refusal::of("PERMISSION", None).named(&holder.request_id)));
    }
    let links = Some(SelfLink { itself: format!("/vehicles/{}/signals", uuid(&holder)) });
    Ok(success(&holder, &SignalList { data, links, included }))
}

/// Which signal is asked for.
#[derive(Deserialize)]
struct SignalPath {
    code: String,
}

/// One of Smartcar's signals.
#[utoipa::path(get, path = "/v3/vehicles/{id}/signals/{code}", operation_id = "smartcar_v3.signal", tag = "smartcar_v3",
    security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id."),
        ("code" = String, Path, pattern = "^[a-z0-9-]{1,64}$", description = "The signal's code, such as `closure-islocked`.")),
    responses((status = 200, description = "The signal.", body = Object),
        (status = "4XX", description = "An error in Smartcar's shape.", body = Object),
        (status = "5XX", description = "An error in Smartcar's shape.", body = Object)))]
async fn one(
    State(gateway): State<Arc<Gateway>>,
    holder: Result<HolderOfVehicle, Refusal>,
    path: Path<SignalPath>,
) -> Result<Response, Failure> {
    let HolderOfVehicle(holder) = holder?;
    let SignalPath { code } = path.0;
    let failure = |refusal: Refusal| Failure(refusal.named(&holder.request_id));
    let observable = v3_readings::observable_of(&code);
    let observable = observable.ok_or_else(|| failure(Refusal::no_such_path()))?;
    let reading = read(&gateway, &holder, observable).await?;
    let told = signals::of(&reading, &uuid(&holder)).into_iter();
    let data = told.into_iter().find(|signal| signal.attributes.code == code);
    let data =
        data.ok_or_else(|| failure(Refusal::new(ErrorKind::CompatibilityVehicleNotCapable)))?;
    Ok(success(&holder, &Document { data }))
}

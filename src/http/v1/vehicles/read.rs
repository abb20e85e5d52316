//! `GET /v1/vehicles/{vehicle_id}/{observable}`: what a car says about itself, for its owner and
//! for a guest whose grant allows it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::domain::id::{GrantId, VehicleId};
use crate::domain::policy::Reason;
use crate::domain::reading::{Observable, Reading};
use crate::http::Gateway;
use crate::http::extract::{ApiPath, ApiQuery, Decided, TokenCaller};
use crate::http::problem::{Code, Problem};
use crate::service::Error;
use crate::service::vehicles::{self, Read};

/// By which right a car is read.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReadQuery {
    /// The grant to use; not needed with a grant token or for one's own car. Without it the best
    /// of one's grants is used.
    grant_id: Option<GrantId>,
}

/// Read something from a car, in metric units.
///
/// An answer may be up to 15 seconds old: `fetched_at` says when the vehicle cloud was asked,
/// `reported_at` when the car reported it.
#[utoipa::path(get, path = "/v1/vehicles/{vehicle_id}/{observable}", operation_id = "vehicles.read",
    tag = "vehicles",
    security(("session" = []), ("api_client" = ["vehicles:read"]), ("grant_token" = [])),
    params(("vehicle_id" = VehicleId, Path, description = "The car."),
        ("observable" = inline(ObservableWord), Path, description = "What to read."),
        ReadQuery),
    responses((status = 200, description = "What was read.", body = Reading)))]
pub(in crate::http) async fn read(
    State(gateway): State<Arc<Gateway>>,
    ApiPath((vehicle_id, observable)): ApiPath<(VehicleId, String)>,
    Decided(caller): Decided,
    ApiQuery(query): ApiQuery<ReadQuery>,
) -> Result<Json<Reading>, Problem> {
    let observable = of_path(&observable).ok_or_else(|| Problem::of(Code::NotFound))?;
    let service = &gateway.service;
    let shown = caller.token();
    let (caller, user_id, grant_id) = match caller {
        TokenCaller::SignedIn(caller) => {
            let named = query.grant_id;
            vehicles::choose_grant(&service.base, &caller, vehicle_id, observable.into(), named)
                .await?
        }
        TokenCaller::Holder(caller, token, _) => {
            // A token speaks for its own grant alone.
            if query.grant_id.is_some_and(|named| named != token.claims().grant_id) {
                return Err(Error::Refused(vec![Reason::NotTheGrantee]).into());
            }
            (caller, token.claims().grantee_id, Some(token.claims().grant_id))
        }
    };
    let read = Read { user_id, vehicle_id, grant_id, token: shown };
    let reading = vehicles::read(service, &caller, read, observable).await?;
    Ok(Json(reading))
}

/// The word in the path has hyphens where the word in the record has underscores.
fn of_path(word: &str) -> Option<Observable> {
    (!word.contains('_')).then(|| word.replace('-', "_").parse().ok())?
}

/// Describes the words that [`of_path`] knows.
struct ObservableWord;

impl ToSchema for ObservableWord {}

impl PartialSchema for ObservableWord {
    fn schema() -> RefOr<Schema> {
        let words = Observable::ALL.iter().map(|one| one.as_str().replace('_', "-"));
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
        word.description(Some("What can be read from a car.")).into()
    }
}

//! `POST /v2.0/vehicles/{id}/batch`: several reads in one request. The outer answer is a success
//! also if every item failed; a failing item carries the error that the read alone would have had.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;

use super::answer::{Refusal, success};
use super::holder::{Holder, HolderOfVehicle};
use super::reads::{Period, UnitsWanted, body};
use crate::connector::smartcar::v2_readings;
use crate::domain::reading::Reading;
use crate::http::Gateway;
use crate::service::{Error, vehicles};
use crate::smartcar::v2::UnitSystem;
use crate::smartcar::v2::batch::{BatchAnswer, BatchHeaders, BatchItemAnswer, BatchRequest};

/// More items than there are things to read.
const ITEMS_MAX: usize = 50;

/// Smartcar's batch.
#[utoipa::path(post, path = "/v2.0/vehicles/{id}/batch", operation_id = "smartcar_v2.batch",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    request_body(content = Object, description = "`{\"requests\": [{\"path\": \"/odometer\"}, …]}`"),
    responses((status = 200, description = "An answer for each item.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn batch(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    units: Result<UnitsWanted, Refusal>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let UnitsWanted(units) = units.map_err(named)?;
    let request: BatchRequest = serde_json::from_slice(&body)
        .ok()
        .filter(|request: &BatchRequest| (1..=ITEMS_MAX).contains(&request.requests.len()))
        .ok_or_else(|| {
            let why = r#"The body must be {"requests":[{"path":"/…"}]} with 1 to 50 items."#;
            named(Refusal::of("VALIDATION", None).describing(why))
        })?;
    let found: Vec<_> =
        request.requests.iter().map(|item| v2_readings::observable_at(&item.path)).collect();
    let wanted: Vec<_> = found.iter().copied().flatten().collect();
    let answers = if wanted.is_empty() {
        Vec::new()
    } else {
        let read = holder.read();
        let answers = vehicles::read_batch(&gateway.service, &holder.caller, read, &wanted).await;
        answers.map_err(|error| named(error.into()))?
    };
    let mut answers = answers.into_iter();
    let responses = request.requests.into_iter().zip(found).map(|(item, observable)| {
        let answer = observable.and_then(|_| answers.next());
        item_answer(&holder, item.path, answer, units)
    });
    let body = BatchAnswer { responses: responses.collect() };
    Ok(success(&holder.request_id, &body, None, None))
}

/// The answer to one item; `None` for a path where there is nothing to read.
fn item_answer(
    holder: &Holder,
    path: String,
    answer: Option<Result<Reading, Error>>,
    units: UnitSystem,
) -> BatchItemAnswer {
    let refusal = match answer {
        Some(Ok(reading)) => {
            let period = Period::default();
            return BatchItemAnswer {
                path,
                code: 200,
                headers: BatchHeaders {
                    sc_data_age: reading.reported_at.map(|at| at.to_string()),
                    sc_fetched_at: Some(reading.fetched_at.to_string()),
                    sc_unit_system: Some(units.as_str().to_owned()),
                },
                body: body(holder, &reading.observation, units, &period),
            };
        }
        Some(Err(error)) => Refusal::from(error),
        None => Refusal::no_such_path(),
    };
    let body = refusal.named(&holder.request_id).body();
    BatchItemAnswer {
        path,
        code: body.status_code.unwrap_or(500),
        headers: BatchHeaders::default(),
        body: serde_json::to_value(&body).unwrap_or_default(),
    }
}

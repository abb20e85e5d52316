//! API v3, the kinds of cars that could be connected. The shape of an entry is not documented in
//! full; it follows that of the other lists.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::connections::{Page, opened};
use crate::simulator::cloud::compatibility::{fits, is_region, kinds};
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::{Call, Shared};
use crate::smartcar::ErrorKind;

/// `GET /compatible-vehicles`.
pub(super) async fn list(State(cloud): Shared, call: Call) -> Result<Json<Value>, Failure> {
    opened(&cloud, &call)?;
    let page = Page::read(&call)?;
    if call.parameter("filter[region]").is_some_and(|region| !is_region(region)) {
        let why = "`filter[region]` must be `US`, `CA` or `EUROPE`.";
        return Err(Failure::new(ErrorKind::Validation).describing(why));
    }
    let (make, powertrain) =
        (call.parameter("filter[make]"), call.parameter("filter[powertrainType]"));
    let mut all = Vec::new();
    for (known, list) in kinds(&cloud) {
        for kind in list {
            let word = kind.powertrain.as_str();
            if !fits(make, &known) || !fits(powertrain, word) {
                continue;
            }
            all.push(json!({
                "id": format!("{known}-{}-{word}", kind.model).replace(' ', "-").to_lowercase(),
                "type": "compatible-vehicle",
                "attributes": {
                    "make": known,
                    "model": kind.model,
                    "startYear": kind.start_year,
                    "endYear": kind.end_year,
                    "powertrainType": word,
                    "permissions": kind.permissions,
                    "regions": ["US", "CA", "EUROPE"],
                },
            }));
        }
    }
    let (data, meta) = page.cut(all);
    Ok(Json(json!({ "data": data, "meta": meta })))
}

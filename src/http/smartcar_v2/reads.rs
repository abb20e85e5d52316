//! `GET /v2.0/vehicles/{id}/…`: what a car says about itself, in the units that the app wants.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Refusal, success_in};
use super::holder::{Holder, HolderOfVehicle};
use crate::connector::smartcar::v2_readings;
use crate::domain::reading::{Observable, Observation};
use crate::http::Gateway;
use crate::service::vehicles;
use crate::smartcar::v2::{HEADER_UNIT_SYSTEM, UnitSystem};

/// The units that an app wants; metric unless it says otherwise (protocol page, section 2.1).
pub(in crate::http) struct UnitsWanted(pub(super) UnitSystem);

impl<S: Send + Sync> FromRequestParts<S> for UnitsWanted {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(word) = parts.headers.get(HEADER_UNIT_SYSTEM) else {
            return Ok(Self(UnitSystem::Metric));
        };
        let known = word.to_str().ok().and_then(|word| UnitSystem::parse(word.trim()));
        known.map(Self).ok_or_else(|| {
            Refusal::of("VALIDATION", None)
                .describing("`SC-Unit-System` must be `metric` or `imperial`.")
        })
    }
}

/// Between which days visits to the workshop are wanted. One SDK writes the names in another
/// case, one the literal `undefined` where nothing was asked for.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Period {
    #[serde(default, alias = "startDate")]
    start_date: String,
    #[serde(default, alias = "endDate")]
    end_date: String,
}

impl Period {
    /// Whether a time, in ISO 8601, lies between the two days, both included.
    pub(super) fn includes(&self, at: Option<&str>) -> bool {
        let day = |text: &str| {
            let day = text.get(..10)?;
            let is_day = day.bytes().enumerate().all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
            is_day.then(|| day.to_owned())
        };
        let Some(at) = at.and_then(day) else { return true };
        day(&self.start_date).is_none_or(|start| at >= start)
            && day(&self.end_date).is_none_or(|end| at <= end)
    }
}

/// The route that reads this.
pub(super) fn route(observable: Observable) -> MethodRouter<Arc<Gateway>> {
    get(move |state, holder, units, period| read(state, holder, units, period, observable))
}

async fn read(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    units: Result<UnitsWanted, Refusal>,
    period: Result<Query<Period>, QueryRejection>,
    observable: Observable,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let UnitsWanted(units) = units.map_err(named)?;
    let reading = vehicles::read(&gateway.service, &holder.caller, holder.read(), observable).await;
    let reading = reading.map_err(|error| named(error.into()))?;
    let Query(period) = period.map_err(|_| {
        named(Refusal::of("VALIDATION", None).describing("The query cannot be read."))
    })?;
    let body = body(&holder, &reading.observation, units, &period);
    Ok(success_in(&holder.request_id, &body, units, &reading))
}

/// An observation as the answer to `holder`.
pub(super) fn body(
    holder: &Holder,
    observation: &Observation,
    units: UnitSystem,
    period: &Period,
) -> Value {
    match observation {
        Observation::ServiceHistory(history) => {
            let mut history = history.clone();
            history.records.retain(|visit| period.includes(visit.serviced_at.as_deref()));
            v2_readings::body(&Observation::ServiceHistory(history), units)
        }
        Observation::Attributes(_) => {
            let mut body = v2_readings::body(observation, units);
            if let Some(members) = body.as_object_mut() {
                let id = holder.token.claims().vehicle_id.as_uuid().hyphenated().to_string();
                members.insert("id".to_owned(), id.into());
            }
            body
        }
        observation => v2_readings::body(observation, units),
    }
}

macro_rules! described {
    ($name:ident, $path:literal, $operation_id:literal, $description:literal, ($($param:tt)*)) => {
        #[doc = $description]
        #[utoipa::path(get, path = $path, operation_id = $operation_id, tag = "smartcar_v2",
            security(("grant_token" = [])),
            params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id."),
                $($param)*
                ("SC-Unit-System" = Option<String>, Header, pattern = "^(metric|imperial)$", description = "`metric` or `imperial`.")),
            responses((status = 200, description = "As Smartcar documents it.", body = Object),
                (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
                (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
        #[expect(dead_code, reason = "read by the description alone")]
        pub(super) fn $name() {}
    };
}

described!(
    attributes,
    "/v2.0/vehicles/{id}",
    "smartcar_v2.attributes",
    "Smartcar's attributes of a vehicle.",
    ()
);
described!(
    lock_status,
    "/v2.0/vehicles/{id}/security",
    "smartcar_v2.lock_status",
    "Smartcar's lock status.",
    ()
);
described!(
    charge_state,
    "/v2.0/vehicles/{id}/charge",
    "smartcar_v2.charge_state",
    "Smartcar's state of charging.",
    ()
);
described!(
    charge_limit,
    "/v2.0/vehicles/{id}/charge/limit",
    "smartcar_v2.observed_charge_limit",
    "Smartcar's limit of charging.",
    ()
);
described!(
    reading,
    "/v2.0/vehicles/{id}/{reading}",
    "smartcar_v2.reading",
    "Smartcar's other readings with a path of one part.",
    ((
        "reading" = String,
        Path,
        pattern = "^[a-z_]{1,64}$",
        description = "As Smartcar documents it, such as `odometer`."
    ),)
);
described!(
    reading_of_part,
    "/v2.0/vehicles/{id}/{part}/{reading}",
    "smartcar_v2.reading_of_part",
    "Smartcar's other readings with a path of two parts.",
    (
        (
            "part" = String,
            Path,
            pattern = "^[a-z_]{1,64}$",
            description = "The first part, such as `tires`."
        ),
        (
            "reading" = String,
            Path,
            pattern = "^[a-z_]{1,64}$",
            description = "The second part, such as `pressure`."
        ),
    )
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_includes_its_days_and_what_has_no_day() {
        let period: Period =
            serde_json::from_str(r#"{"startDate": "2026-01-02", "end_date": "2026-01-03"}"#)
                .unwrap();
        for (at, included) in [
            (Some("2026-01-01T23:59:59Z"), false),
            (Some("2026-01-02T00:00:00Z"), true),
            (Some("2026-01-03T23:59:59Z"), true),
            (Some("2026-01-04"), false),
            (Some("lately"), true),
            (None, true),
        ] {
            assert_eq!(period.includes(at), included, "{at:?}");
        }
        let undefined: Period =
            serde_json::from_str(r#"{"start_date": "undefined", "end_date": "undefined"}"#)
                .unwrap();
        assert!(undefined.includes(Some("2026-01-01")));
    }
}

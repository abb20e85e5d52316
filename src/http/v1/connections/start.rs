//! `POST /v1/connections`: sending an owner to the vehicle cloud.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConnectionBody;
use crate::connector::SingleVehicle;
use crate::domain::connection::Mode;
use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::return_url::{InvalidReturnUrl, ReturnUrl};
use crate::http::Gateway;
use crate::http::extract::{IdempotencyKey, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::Error;
use crate::service::connections::{self, Started, Wanted};

/// How a connection is asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StartConnection {
    /// Which cars are offered, `live` or `simulated`; `live` if not given.
    #[schema(example = "live")]
    mode: Option<Mode>,
    /// What the owner wants to be able to grant; decides what the vehicle cloud asks the owner
    /// for. `unlock`, `lock`, `read_lock_status` and `read_attributes` if not given.
    #[schema(example = json!(["unlock", "lock", "read_location"]))]
    entitlements: Option<Entitlements>,
    /// What of it the owner cannot leave out on the vehicle cloud's page.
    required: Option<Entitlements>,
    /// Only cars of this maker.
    #[schema(max_length = 64, pattern = "^[A-Za-z_]+$", example = "TESLA")]
    make: Option<String>,
    /// Only one car can be shared.
    single_vehicle: Option<bool>,
    /// Only the car with this vehicle identification number can be shared.
    #[schema(min_length = 17, max_length = 17, pattern = "^[A-Za-z0-9]+$")]
    vin: Option<String>,
    /// Where the browser is sent when the owner has consented, with `connection_id` and `completion_code`, or `error`.
    /// An address that an administrator has listed (`PUT /v1/organization/return-urls`), as it is listed. If not given,
    /// a page shows the code.
    #[schema(max_length = 512, example = "https://app.example/cars/connected")]
    return_url: Option<String>,
}

impl StartConnection {
    fn wanted(self) -> Result<Wanted, Error> {
        let usual = [
            Entitlement::Unlock,
            Entitlement::Lock,
            Entitlement::ReadLockStatus,
            Entitlement::ReadAttributes,
        ];
        let is_make = |make: &String| {
            (1..=64).contains(&make.len())
                && make.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        };
        let is_vin =
            |vin: &String| vin.len() == 17 && vin.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if self.make.as_ref().is_some_and(|make| !is_make(make)) {
            return Err(Error::invalid("/make", "invalid", "must be the name of a maker"));
        }
        if self.vin.as_ref().is_some_and(|vin| !is_vin(vin)) {
            return Err(Error::invalid("/vin", "invalid", "must have 17 letters and digits"));
        }
        let return_url = self.return_url.map(|url| url.parse()).transpose();
        let return_url: Option<ReturnUrl> = return_url
            .map_err(|why: InvalidReturnUrl| Error::invalid("/return_url", "invalid", why))?;
        let single = self.single_vehicle.unwrap_or(self.vin.is_some());
        if self.vin.is_some() && !single {
            let why = "must not be false if a vin is given";
            return Err(Error::invalid("/single_vehicle", "invalid", why));
        }
        Ok(Wanted {
            mode: self.mode.unwrap_or(Mode::Live),
            return_url,
            entitlements: self.entitlements.unwrap_or_else(|| usual.into_iter().collect()),
            required: self.required.unwrap_or_default(),
            make: self.make.map(|make| make.to_ascii_uppercase()),
            single: single.then_some(SingleVehicle { vin: self.vin }),
        })
    }
}

/// A connection that was started.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StartedConnectionBody {
    #[serde(flatten)]
    connection: ConnectionBody,
    /// Where to send the owner's browser.
    authorize_url: String,
}

/// Start connecting a car: answers where to send the owner's browser.
#[utoipa::path(post, path = "/v1/connections", operation_id = "connections.start", tag = "connections",
    security(("session" = []), ("api_client" = ["connections:write"])), request_body(content = Option<StartConnection>, description = "May be left out."),
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats give the same answer.")),
    responses((status = 201, description = "The connection that is under way.", body = StartedConnectionBody)))]
pub(in crate::http) async fn start(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    key: Option<IdempotencyKey>,
    body: OptionalJson<StartConnection>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let wanted = body.value.wanted()?;
    let answer = connections::start(&gateway.service, &caller, &idempotency, wanted).await?;
    Ok(created(answer, |Started { connection, authorize_url }| StartedConnectionBody {
        connection: connection.into(),
        authorize_url,
    }))
}

//! `GET /v1/grants/{grant_id}/statement`: how a key was used.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::GrantBody;
use crate::audit::entry::RecordedEntry;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, UserId};
use crate::domain::reading::{Observable, Reading};
use crate::domain::statement::{STATED, Side, seconds_after};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants::{self, StatedReading, Statement, Used};

/// How a key was used.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StatementBody {
    /// The grant.
    grant: GrantBody,
    /// The owner of the car.
    owner_id: UserId,
    /// The first unlock, apart from those that certainly did not happen; `null` too if the entries are not complete.
    first_unlock: Option<UsedCommandBody>,
    /// The last lock, apart from those that certainly did not happen.
    last_lock: Option<UsedCommandBody>,
    /// What the car was seen as after the first unlock.
    start: Vec<StatedReadingBody>,
    /// What the car was seen as after the grant was over.
    end: Vec<StatedReadingBody>,
    /// How far it was driven in between, if both is known.
    distance_km: Option<f64>,
    /// The entries of the record about the grant, oldest first.
    entries: Vec<StatedEntryBody>,
    /// Whether these are all: `false` if there are more than 256, or some were archived; then the oldest are missing.
    complete: bool,
}

/// A command.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct UsedCommandBody {
    /// When it was authorized.
    at: Timestamp,
    /// The command.
    command_id: CommandId,
    /// The entry that says so.
    entry_id: AuditEntryId,
}

/// One thing that a car is read for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StatedReadingBody {
    /// `odometer`, `fuel`, `battery` or `location`.
    observable: Observable,
    /// What was read, as `GET /v1/vehicles/{vehicle_id}/{observable}` answers it; `null` if it is unknown: the grant has no
    /// `statement`, the owner does not permit it, or the car did not say.
    #[schema(value_type = Option<Reading>)]
    reading: Option<Value>,
    /// How many seconds after the first unlock or the end the car reported it; negative is before. `null` if it is unknown.
    age_s: Option<i64>,
}

/// An entry of the record.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StatedEntryBody {
    /// Identifies the entry.
    entry_id: AuditEntryId,
    /// What happened, such as `command.authorized`.
    event: String,
    /// When.
    occurred_at: Timestamp,
    /// The command it is about.
    command_id: Option<CommandId>,
    /// Where its proof is.
    proof: String,
}

impl From<Used> for UsedCommandBody {
    fn from(Used { at, command_id, entry_id }: Used) -> Self {
        Self { at, command_id, entry_id }
    }
}

impl From<&RecordedEntry> for StatedEntryBody {
    fn from(entry: &RecordedEntry) -> Self {
        Self {
            entry_id: entry.entry_id,
            event: entry.event.clone().into_owned(),
            occurred_at: entry.occurred_at,
            command_id: entry.command_id,
            proof: format!("/v1/audit-entries/{}/proof", entry.entry_id),
        }
    }
}

/// What is known of a car at one end, in the order of [`STATED`].
fn at_end(
    readings: &[StatedReading],
    side: Side,
    moment: Option<Timestamp>,
) -> Vec<StatedReadingBody> {
    let body = |observable: Observable| {
        let known = readings
            .iter()
            .find(|known| known.side == side && known.observable == observable.as_str());
        let reading = known.map(|known| known.reading.clone());
        let told = |reading: &Value, name: &str| reading[name].as_str()?.parse::<Timestamp>().ok();
        let reported_at = reading.as_ref().and_then(|reading| {
            told(reading, "reported_at").or_else(|| told(reading, "fetched_at"))
        });
        StatedReadingBody {
            observable,
            age_s: moment.zip(reported_at).map(|(moment, at)| seconds_after(moment, at)),
            reading,
        }
    };
    STATED.into_iter().map(body).collect()
}

fn odometer_km(readings: &[StatedReadingBody]) -> Option<f64> {
    let odometer = readings.iter().find(|reading| reading.observable == Observable::Odometer)?;
    odometer.reading.as_ref()?["distance_km"].as_f64()
}

impl StatementBody {
    fn at(statement: Statement, now: Timestamp) -> Self {
        let Statement { grant, readings, first_unlock, .. } = statement;
        let start = at_end(&readings, Side::Start, first_unlock.map(|used| used.at));
        let end = at_end(&readings, Side::End, grant.ended_by(now).map(|end| end.ended_at));
        let driven = odometer_km(&start).zip(odometer_km(&end)).map(|(from, to)| to - from);
        Self {
            grant: GrantBody::at(grant, now),
            owner_id: statement.owner_id,
            first_unlock: first_unlock.map(UsedCommandBody::from),
            last_lock: statement.last_lock.map(UsedCommandBody::from),
            start,
            end,
            distance_km: driven,
            entries: statement.entries.iter().map(StatedEntryBody::from).collect(),
            complete: statement.is_complete,
        }
    }
}

/// Tell how a key was used, for a parking fine or a dispute: for its grantee, the owner, administrators and support.
#[utoipa::path(get, path = "/v1/grants/{grant_id}/statement", operation_id = "grants.get_statement", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:read"])),
    params(("grant_id" = GrantId, Path, description = "The grant.")),
    responses((status = 200, description = "How it was used.", body = StatementBody)))]
pub(in crate::http) async fn statement(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
) -> Result<Json<StatementBody>, Problem> {
    let base = &gateway.service.base;
    let told = grants::statement(base, &caller, grant_id).await?;
    Ok(Json(StatementBody::at(told, base.clock.now())))
}

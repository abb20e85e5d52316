//! Puts the three sources together when a run is over: the clients' log, the journal of the cars,
//! and the record with the rows that it describes.

use std::collections::HashMap;

use keylend::domain::command::CommandStatus;
use keylend::domain::id::{CommandId, OrganizationId, VehicleId};
use keylend::domain::time::Timestamp;
use keylend::storage::db::{FromRow, Origin, Row, query};
use keylend::storage::{Db, Executor, PostgresSettings, Priority, StorageError};
use serde::Deserialize;
use serde_json::Value;

use super::clients_log::ClientsLog;
use super::installation::Installation;
use crate::checker::history::{Car, Execution, History};
use crate::support::app::http_client;
use crate::support::record;

const CARS: &str = "SELECT vehicle_id, organization_id, provider_vehicle_id FROM vehicles";
const OF_STATUS: &str = "SELECT command_id FROM commands WHERE status = $1";
const OPEN: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM commands \
    WHERE status IN ('sending', 'acknowledged', 'unknown')";
const NOT_ENDED: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM scope_ends WHERE completed_at IS NULL";
const WAITING: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM record_queue";
const UNSIGNED: &str = "SELECT size - checkpoint_size FROM record_state";

/// How far the clock of the journal is from the clients': at least and at most, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offset {
    least: i64,
    most: i64,
}

impl Offset {
    /// Asks the vehicle cloud for the time, often, and believes the quickest answer most.
    pub(crate) async fn measured(log: &ClientsLog, cloud_url: &str) -> Self {
        let http = http_client();
        let mut known = Self { least: i64::MIN, most: i64::MAX };
        for _ in 0..40 {
            let before = log.now_us() as i64;
            let answer = http.get(format!("{cloud_url}/_sim/clock")).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            let after = log.now_us() as i64;
            let theirs = answer["elapsed_us"].as_i64().unwrap();
            known.least = known.least.max(before - theirs);
            known.most = known.most.min(after - theirs);
        }
        assert!(known.least <= known.most, "the clocks do not go alike: {known:?}");
        known
    }

    fn earliest(self, elapsed_us: i64) -> u64 {
        u64::try_from(elapsed_us + self.least).unwrap_or(0)
    }

    fn latest(self, elapsed_us: i64) -> u64 {
        u64::try_from(elapsed_us + self.most).unwrap_or(0)
    }
}

/// A line of the journal.
#[derive(Debug, Deserialize)]
struct Line {
    at: Timestamp,
    elapsed_us: i64,
    vehicle_id: String,
    action: String,
    client_request_id: Option<String>,
}

/// What cars did, as far as the journal was written.
pub(crate) fn executions(journal: &str, offset: Offset) -> Vec<Execution> {
    let lines = journal.lines().map(|line| serde_json::from_str::<Line>(line).unwrap());
    let execution = |line: Line| Execution {
        earliest_us: offset.earliest(line.elapsed_us),
        latest_us: offset.latest(line.elapsed_us),
        at: line.at,
        provider_vehicle_id: line.vehicle_id,
        action: line.action.to_lowercase(),
        command_id: line.client_request_id,
    };
    lines.map(execution).collect()
}

/// The database of an installation, as its owner sees it.
pub(crate) async fn open(installation: &Installation) -> Db {
    let settings = PostgresSettings::default();
    Db::open(&installation.location, settings, false).await.unwrap()
}

/// How much is not settled yet: commands without an end, entries without a position or signature.
pub(crate) async fn unsettled(db: &Db) -> Result<i64, StorageError> {
    let mut reader = db.read(Priority::Ordinary).await?;
    let mut count = 0;
    for sql in [OPEN, NOT_ENDED, WAITING, UNSIGNED] {
        count += query(sql).fetch_optional::<i64>(&mut reader).await?.unwrap_or(0);
    }
    Ok(count)
}

struct KnownCar(VehicleId, Car);

impl FromRow for KnownCar {
    const ORIGIN: Origin = Origin::of::<VehicleId>("vehicles", "vehicle_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let organization_id: OrganizationId = row.get("organization_id")?;
        let car = Car {
            provider_vehicle_id: row.get("provider_vehicle_id")?,
            organization_id: organization_id.to_string(),
        };
        Ok(Self(row.get("vehicle_id")?, car))
    }
}

async fn statuses(on: &mut impl Executor) -> HashMap<String, String> {
    let mut statuses = HashMap::new();
    for status in CommandStatus::ALL {
        let of_status = query(OF_STATUS).bind(status.as_str());
        let ids: Vec<CommandId> = of_status.fetch_all(on).await.unwrap();
        statuses.extend(ids.into_iter().map(|id| (id.to_string(), status.to_string())));
    }
    statuses
}

/// Everything that is known of a run whose service has stopped.
pub(crate) async fn gather(
    installation: &Installation,
    log: &ClientsLog,
    restarts: Vec<Timestamp>,
) -> History {
    let offset = Offset::measured(log, &installation.cloud_url).await;
    let journal = std::fs::read_to_string(installation.journal()).unwrap();
    let db = open(installation).await;
    let mut reader = db.read(Priority::Ordinary).await.unwrap();
    let cars: Vec<KnownCar> = query(CARS).fetch_all(&mut reader).await.unwrap();
    let history = History {
        requests: log.requests(),
        executions: executions(&journal, offset),
        leaves: record::leaves(&mut reader).await,
        heads: log.heads(),
        statuses: statuses(&mut reader).await,
        cars: cars.into_iter().map(|KnownCar(id, car)| (id.to_string(), car)).collect(),
        restarts,
        ..History::default()
    };
    drop(reader);
    db.close().await;
    history
}

//! A car whose consent is replaced while a decision waits for its row: the decision has locked the grant by
//! then, and locks the new consent after it (ADR 0026), against the order of everything else.

#![expect(clippy::disallowed_methods, reason = "these are sessions beside the service's")]

use keylend::domain::id::VehicleId;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::support::blocking::{pid, until_blocking, until_some};
use crate::support::{Database, TestApp};

async fn consent_of(watch: &mut PgConnection, car: Uuid) -> Uuid {
    let consent = "SELECT connection_id FROM vehicles WHERE vehicle_id = $1";
    sqlx::query_scalar(consent).bind(car).fetch_one(watch).await.unwrap()
}

const CONSENT_BECOMES: &str = "UPDATE vehicles SET connection_id = $2 WHERE vehicle_id = $1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_over_a_replaced_consent_costs_no_command() {
    let app = TestApp::start(Database::Postgres).await;
    let (mut owner, guest) = (app.owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let grant_id = owner.lend(&app, &guest).await;
    let holder = guest.holder_of(&grant_id).await;

    let url = app.database_url();
    let mut watch = PgConnection::connect(&url).await.unwrap();
    let mut replacing = PgConnection::connect(&url).await.unwrap();
    let mut narrowing = PgConnection::connect(&url).await.unwrap();
    let vehicle_id = car.parse::<VehicleId>().unwrap().as_uuid();
    let before = consent_of(&mut watch, vehicle_id).await;
    app.connect(&mut owner).await;
    let after = consent_of(&mut watch, vehicle_id).await;
    assert_ne!(before, after, "the consent was not replaced");
    sqlx::query(CONSENT_BECOMES).bind(vehicle_id).bind(before).execute(&mut watch).await.unwrap();

    let (replacing_pid, narrowing_pid) = (pid(&mut replacing).await, pid(&mut narrowing).await);
    let mut replacement = replacing.begin().await.unwrap();
    let becomes = sqlx::query(CONSENT_BECOMES).bind(vehicle_id).bind(after);
    becomes.execute(&mut *replacement).await.unwrap();
    let attack = async {
        // The decision waits for the car.
        until_blocking(&mut watch, replacing_pid).await;
        let mut narrowed = narrowing.begin().await.unwrap();
        let consent = "UPDATE connections SET revision = revision WHERE connection_id = $1";
        sqlx::query(consent).bind(after).execute(&mut *narrowed).await.unwrap();
        replacement.commit().await.unwrap();
        // It has the car and the grant, and waits for the consent, whose holder now waits for the car.
        until_blocking(&mut watch, narrowing_pid).await;
        let of_car = "UPDATE vehicles SET revision = revision WHERE vehicle_id = $1";
        match sqlx::query(of_car).bind(vehicle_id).execute(&mut *narrowed).await {
            Ok(_) => narrowed.commit().await.unwrap(),
            Err(error) => {
                let code = error.as_database_error().and_then(|error| error.code());
                assert_eq!(code.as_deref(), Some("40P01"), "{error}");
                narrowed.rollback().await.unwrap();
            }
        }
        let deadlocks = "SELECT deadlocks + 0 * $1 FROM pg_stat_database \
            WHERE datname = current_database()";
        until_some(&mut watch, deadlocks, 0).await;
    };
    let (unlocked, ()) = tokio::join!(holder.command(&car, "unlock"), attack);
    assert_eq!(unlocked.expect(200).text("status"), "acknowledged");
    assert_eq!(app.cloud.journal_length().await, 1);
    let grant = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
    assert_eq!(grant.body["uses"], 1, "{}", grant.body);
    for connection in [watch, replacing, narrowing] {
        connection.close().await.unwrap();
    }
    app.finish().await;
}

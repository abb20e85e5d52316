//! A request whose decision is held up: whoever asked may have walked away from the car by then.

#![expect(clippy::disallowed_methods, reason = "this is a session beside the service's")]

use std::time::Duration;

use keylend::domain::id::VehicleId;
use sqlx::{Connection as _, PgConnection};

use crate::support::blocking::{pid, until_blocking};
use crate::support::{Database, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waited_too_long_for_its_decision_opens_nothing() {
    let app = TestApp::start(Database::Postgres).await;
    let owner = app.owner().await;
    let car = owner.vehicles[0].clone();
    let vehicle_id = car.parse::<VehicleId>().unwrap().as_uuid();
    let mut watch = PgConnection::connect(&app.database_url()).await.unwrap();
    let mut blocker = PgConnection::connect(&app.database_url()).await.unwrap();
    let blocker_pid = pid(&mut blocker).await;
    let mut holding = blocker.begin().await.unwrap();
    let touch = "UPDATE vehicles SET revision = revision + 1 WHERE vehicle_id = $1";
    sqlx::query(touch).bind(vehicle_id).execute(&mut *holding).await.unwrap();

    let first = owner.command(&car, "unlock");
    let rest = async {
        until_blocking(&mut watch, blocker_pid).await;
        let second = owner.command(&car, "unlock");
        let release = async {
            while !app.service().gate.is_waited_for() {
                tokio::task::yield_now().await;
            }
            app.advance(Duration::from_millis(10_001));
            holding.rollback().await.unwrap();
        };
        tokio::join!(second, release).0
    };
    let (first, second) = tokio::join!(first, rest);
    // One waited for the row, the other in the queue.
    first.expect_problem(503, "overloaded");
    second.expect_problem(503, "overloaded");
    assert!(app.cloud.journal().await.is_empty());
}

//! Somebody lends at the moment in which the car leaves or the other's account is closed. On SQLite one of the two comes
//! first, because there is one writer.

#![expect(clippy::disallowed_methods, reason = "this is a session beside the service's")]

use keylend::domain::id::{UserId, VehicleId};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::support::blocking::{pid, until_blocking};
use crate::support::{Actor, Database, Reply, TestApp};

/// Closes something, and commits when somebody who lends waits for that.
async fn lend_while(
    app: &TestApp,
    (owner, guest): (&Actor, &Actor),
    closing: &'static str,
    id: Uuid,
) -> Reply {
    let mut watch = PgConnection::connect(&app.database_url()).await.unwrap();
    let mut other = PgConnection::connect(&app.database_url()).await.unwrap();
    let blocker = pid(&mut other).await;
    let mut closes = other.begin().await.unwrap();
    sqlx::query(closing).bind(id).execute(&mut *closes).await.unwrap();
    let commit = async {
        until_blocking(&mut watch, blocker).await;
        closes.commit().await.unwrap();
    };
    tokio::join!(owner.lend_with(app, guest, json!({})), commit).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lent_of_a_car_that_leaves_or_to_an_account_that_is_closed() {
    let app = TestApp::start(Database::Postgres).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    let car = owner.vehicles[0].parse::<VehicleId>().unwrap().as_uuid();
    let person = guest.id.parse::<UserId>().unwrap().as_uuid();
    for (closing, id, code) in [
        (
            "UPDATE users SET disabled_at = 1, revision = revision + 1 WHERE user_id = $1",
            person,
            "unknown_user",
        ),
        (
            "UPDATE vehicles SET removed_at = 1, revision = revision + 1 WHERE vehicle_id = $1",
            car,
            "vehicle_removed",
        ),
    ] {
        let refused = lend_while(&app, (&owner, &guest), closing, id).await;
        let refused = refused.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], code);
        app.execute("UPDATE users SET disabled_at = NULL").await;
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 0);
    app.finish().await;
}

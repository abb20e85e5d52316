//! The example of a booking backend, as its README runs it: a company with twenty cars and fifty customers.

use serde_json::json;

use crate::sdk::{ROOT, installed};
use crate::support::people::all_scopes;
use crate::support::postgres::cluster;
use crate::trouble::stage::Stage;

/// What it prints: how many calls each change of a booking takes.
const TOLD: &str = include_str!("../../examples/booking/README.md");

async fn play(stage: Stage) {
    let service = stage.serve(&[("KEYLEND_VISITS_PER_SECOND", "100000")]).await;
    let owner = stage.owner(&service).await;
    assert_eq!(owner.vehicles.len(), 20);
    let body = json!({ "name": "Bookings", "scopes": all_scopes() });
    let client = owner.post("/v1/api-clients", body).await.expect(201);
    let path = format!("/v1/users/me/allowed-clients/{}", client.text("client_id"));
    owner.put(&path, json!({})).await.expect(200);
    let owner_id = owner.get("/v1/users/me").await.expect(200).text("user_id");
    let program = installed(std::path::Path::new(ROOT).join("examples/booking/booking.py"));
    let played = tokio::process::Command::new("python3")
        .arg(program)
        .env("KEYLEND_URL", &service.url)
        .env("KEYLEND_CLIENT_ID", client.text("client_id"))
        .env("KEYLEND_CLIENT_SECRET", client.text("client_secret"))
        .env("KEYLEND_OWNER_ID", owner_id)
        .output();
    let played = played.await.unwrap();
    let (told, errors) = (String::from_utf8(played.stdout), String::from_utf8(played.stderr));
    assert!(played.status.success(), "{told:?} {errors:?}");
    assert!(TOLD.contains(&told.unwrap()), "examples/booking/README.md should show what it prints");
    stage.close(vec![service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_booking_backend_plays_its_day_on_sqlite() {
    play(Stage::with_cars(20, None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_booking_backend_plays_its_day_on_postgres() {
    let url = tokio::task::spawn_blocking(|| cluster().create_database(None)).await.unwrap();
    play(Stage::with_cars(20, Some(&url)).await).await;
}

//! Reads, against servers that answer badly.

use std::time::Duration;

use secrecy::ExposeSecret;

use crate::connector::smartcar::test_server::{
    Then, meaning, ok, owner, say, server, smartcar, token,
};
use crate::connector::{Happened, VehicleConnector};
use crate::domain::fault::Fault;
use crate::domain::reading::{Observable, Observation};

fn page(ids: std::ops::Range<usize>, count: usize, offset: usize) -> Then {
    let vehicles: Vec<String> = ids.map(|n| format!("car-{n}")).collect();
    let paging = serde_json::json!({"count": count, "offset": offset});
    ok(&serde_json::json!({"vehicles": vehicles, "paging": paging}).to_string())
}

#[tokio::test]
async fn cars_are_read_page_by_page() {
    let (origin, requests) = server(vec![page(0..50, 70, 0), page(50..70, 70, 50)]);
    let cars = smartcar(&origin).v2.vehicles(&token()).await.unwrap();
    assert_eq!((cars.len(), cars[69].as_str()), (70, "car-69"));
    let lines: Vec<String> =
        requests.try_iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    let expected = [0, 50].map(|n| format!("GET /v2.0/vehicles?limit=50&offset={n} HTTP/1.1"));
    assert_eq!(lines, expected);
    let many = (0..10).map(|n| page(n * 50..n * 50 + 50, 600, n * 50));
    let (origin, _requests) = server(many.collect());
    assert_eq!(smartcar(&origin).v2.vehicles(&token()).await.unwrap().len(), 500);
    let (origin, _requests) = server(vec![page(0..0, 0, 0)]);
    assert!(smartcar(&origin).v2.vehicles(&token()).await.unwrap().is_empty());
}

#[tokio::test]
async fn lists_that_loop_or_contradict_themselves_are_garbled() {
    for plan in [
        vec![page(0..50, 100, 0), page(0..50, 100, 50)],
        vec![page(0..50, 100, 0), page(50..100, 100, 0)],
        vec![page(0..0, 10, 0)],
        vec![page(0..10, 70, 0)],
        vec![page(0..10, 5, 0)],
        vec![page(0..51, 51, 0)],
        vec![ok(r#"{"vehicles":["a/b"],"paging":{"count":1,"offset":0}}"#)],
        vec![ok(r#"{"vehicles":["a"]}"#)],
    ] {
        let (origin, _requests) = server(plan);
        let cars = smartcar(&origin).v2.vehicles(&token()).await;
        assert_eq!(meaning(cars).0, Fault::Garbled);
    }
}

#[tokio::test]
async fn attributes_and_permissions_are_about_the_car_asked_for() {
    let car = r#"{"id":"car-1","make":"TESLA","model":"Model 3","year":"2024"}"#;
    let list = r#"{"permissions":["read_vin"],"paging":{"count":1,"offset":0}}"#;
    let (origin, requests) = server(vec![ok(car), ok(list), ok(car)]);
    let cloud = smartcar(&origin);
    let reading = cloud.read(&owner(), "car-1", Observable::Attributes).await.unwrap();
    let Observation::Attributes(attributes) = reading.observation else { panic!("{reading:?}") };
    assert_eq!((attributes.make.as_str(), attributes.year), ("TESLA", 2024));
    let permissions = cloud.permissions(&owner(), "car-1").await.unwrap();
    assert_eq!(permissions, ["read_vin"]);
    let other = cloud.read(&owner(), "car-2", Observable::Attributes).await;
    assert_eq!(meaning(other).0, Fault::Garbled);
    let lines: Vec<String> = requests.try_iter().collect();
    assert!(lines[0].starts_with("GET /v2.0/vehicles/car-1 HTTP/1.1\r\n"));
    assert!(lines[1].starts_with("GET /v2.0/vehicles/car-1/permissions?limit=50&offset=0 "));
}

#[tokio::test]
async fn a_lock_status_tells_its_age_if_known() {
    let body = r#"{"isLocked":true,"doors":[{"type":"frontLeft","status":"CLOSED"}]}"#;
    let known = say("200 OK", "SC-Data-Age: 2026-07-01T11:00:00.5Z\r\n", body);
    let unknown = say("200 OK", "SC-Data-Age: null\r\n", body);
    let strange = ok(r#"{"isLocked":true,"doors":[{"type":"<b>","status":"CLOSED"}]}"#);
    let (origin, _requests) = server(vec![known, unknown, strange]);
    let cloud = smartcar(&origin);
    let reading = cloud.read(&owner(), "car-1", Observable::LockStatus).await.unwrap();
    let Observation::LockStatus(status) = reading.observation else { panic!("{reading:?}") };
    assert!(status.is_locked && status.doors[0].place == "frontLeft");
    assert_eq!(reading.reported_at.unwrap().to_string(), "2026-07-01T11:00:00.5Z");
    let reading = cloud.read(&owner(), "car-1", Observable::LockStatus).await.unwrap();
    assert_eq!(reading.reported_at, None);
    let strange = cloud.read(&owner(), "car-1", Observable::LockStatus).await;
    assert_eq!(meaning(strange).0, Fault::Garbled);
}

#[tokio::test]
async fn a_lock_that_is_told_twice_is_garbled_alone_and_in_a_batch() {
    let twice = r#"{"isLocked":true,"isLocked":false}"#;
    let batch = format!(r#"{{"responses":[{{"path":"/security","code":200,"body":{twice}}}]}}"#);
    let (origin, _requests) = server(vec![ok(twice), ok(&batch)]);
    let cloud = smartcar(&origin);
    let alone = cloud.read(&owner(), "car-1", Observable::LockStatus).await;
    assert_eq!(meaning(alone).0, Fault::Garbled);
    let batch = cloud.read_batch(&owner(), "car-1", &[Observable::LockStatus]).await;
    assert_eq!(batch.unwrap_err().fault, Fault::Garbled);
}

#[tokio::test]
async fn codes_and_refresh_tokens_become_pairs() {
    let pair =
        r#"{"access_token":"a1","token_type":"bearer","expires_in":7200,"refresh_token":"r1"}"#;
    let lost = say("400 Bad Request", "", r#"{"error":"invalid_grant"}"#);
    let (origin, requests) = server(vec![ok(pair), ok(pair), lost]);
    let cloud = smartcar(&origin);
    let tokens = cloud.exchange_code("c&1", "https://x.example/cb").await.unwrap();
    assert_eq!(tokens.access_token.expose_secret(), "a1");
    assert_eq!(tokens.refresh_token.expose_secret(), "r1");
    assert_eq!(tokens.expires_in, Duration::from_secs(7200));
    cloud.refresh(&"old".into()).await.unwrap();
    let error = cloud.refresh(&"old".into()).await;
    assert_eq!(meaning(error), (Fault::ConsentLost, Happened::Refused));
    let sent: Vec<String> = requests.try_iter().collect();
    assert!(sent[0].starts_with("POST /oauth/token HTTP/1.1\r\n"));
    assert!(sent[0].contains("authorization: Basic YXBwOnNlY3JldA==\r\n"));
    let form = "grant_type=authorization_code&code=c%261&redirect_uri=https%3A%2F%2Fx.example%2Fcb";
    assert!(sent[0].ends_with(form), "{}", sent[0]);
    assert!(sent[1].ends_with("grant_type=refresh_token&refresh_token=old"));
}

#[tokio::test]
async fn tokens_that_cannot_be_used_are_garbled_and_not_quoted() {
    for pair in [
        r#"{"access_token":"t-1","token_type":"Bearer","expires_in":7200}"#,
        r#"{"access_token":"","token_type":"Bearer","expires_in":1,"refresh_token":"t-1"}"#,
        r#"{"access_token":"t-1","token_type":"Bearer","expires_in":0,"refresh_token":"r"}"#,
        r#"{"access_token":"t-1","token_type":"mac","expires_in":1,"refresh_token":"r"}"#,
        r#"{"access_token":"t-1\n","token_type":"Bearer","expires_in":1,"refresh_token":"r"}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":"t-1","refresh_token":"r"}"#,
    ] {
        let (origin, _requests) = server(vec![ok(pair)]);
        let tokens = smartcar(&origin).refresh(&"old".into()).await;
        assert_eq!(meaning(tokens), (Fault::Garbled, Happened::Maybe), "{pair}");
    }
}

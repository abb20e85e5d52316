//! API v3 over a real socket: the application's token and commands.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde_json::{Value, json};

use crate::connector::smartcar::test_server::{
    COMMAND, Then, clock, meaning, ok, raw, say, server, settings, smartcar,
};
use crate::connector::smartcar::{Smartcar, SmartcarSettings};
use crate::connector::{Access, Acknowledgement, ConnectorError, Happened, VehicleConnector};
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::instruction::{ChargeLimit, Instruction};
use crate::domain::reading::{Coordinates, Observable};

const TOKEN: &str = r#"{"access_token":"t-1","token_type":"Bearer","expires_in":3600}"#;
const RENEWED: &str = r#"{"access_token":"t-2","token_type":"Bearer","expires_in":3600}"#;
const ACCEPTED: &str = "202 Accepted";

pub(super) fn application() -> Access {
    Access::Application { user_id: "owner-1".to_owned() }
}

/// A cloud that gives a token first and then these answers.
pub(super) fn cloud(answers: Vec<Then>) -> (Smartcar, Receiver<String>) {
    let mut plan = vec![ok(TOKEN)];
    plan.extend(answers);
    let (origin, requests) = server(plan);
    (smartcar(&origin), requests)
}

async fn send(cloud: &Smartcar) -> Result<Acknowledgement, ConnectorError> {
    cloud.send(&application(), "car-1", &Instruction::Unlock, COMMAND, Duration::MAX).await
}

async fn unlock(answer: Then) -> Result<Acknowledgement, ConnectorError> {
    send(&cloud(vec![answer]).0).await
}

fn execution(command: &str, status: &Value) -> String {
    let attributes = json!({"commandType": command, "status": status, "executionMode": "sync"});
    json!({"data": {"id": "exec_1", "type": "command-execution", "attributes": attributes}})
        .to_string()
}

fn success(command: &str) -> String {
    execution(command, &json!({"value": "SUCCESS"}))
}

/// The head at once, the body in pieces: what a cloud does that has waited long for a car.
fn streamed(body: &str) -> Then {
    let (first, rest) = body.split_at(body.len() / 2);
    let chunk = |text: &str| match text.len() {
        0 => String::new(),
        length => format!("{length:x}\r\n{text}\r\n"),
    };
    let chunks = format!("{}{}0\r\n\r\n", chunk(first), chunk(rest));
    raw("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n", &chunks)
}

pub(super) fn lines(requests: &Receiver<String>) -> Vec<String> {
    requests.try_iter().map(|request| request.lines().next().unwrap().to_owned()).collect()
}

/// How many tokens were asked for, and by which the calls were made.
fn bearers(requests: &Receiver<String>) -> (usize, Vec<String>) {
    let all: Vec<String> = requests.try_iter().collect();
    let asked = all.iter().filter(|request| request.starts_with("POST /oauth2/token ")).count();
    let bearer = |request: &String| {
        let (_, rest) = request.split_once("authorization: Bearer ")?;
        Some(rest.lines().next()?.to_owned())
    };
    (asked, all.iter().filter_map(bearer).collect())
}

#[tokio::test]
async fn an_unlock_names_the_owner_and_has_no_body() {
    let answer = say("200 OK", "SC-Request-Id: r-1\r\n", &success("security-unlock"));
    let (cloud, requests) = cloud(vec![answer]);
    let acknowledged = send(&cloud).await.unwrap();
    assert_eq!(acknowledged.provider_request_id.as_deref(), Some("r-1"));
    let token = requests.recv().unwrap();
    assert!(token.starts_with("POST /oauth2/token HTTP/1.1\r\n"), "{token}");
    let form = "grant_type=client_credentials&client_id=app%263&client_secret=secret%3D3";
    assert!(token.ends_with(&format!("\r\n\r\n{form}")), "{token}");
    let request = requests.recv().unwrap();
    let line = "POST /v3/vehicles/car-1/commands/security/unlock HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
    assert!(request.contains("authorization: Bearer t-1\r\n"));
    assert!(request.contains("sc-user-id: owner-1\r\n"));
    assert!(!request.contains("content-type") && request.ends_with("\r\n\r\n"), "{request}");
}

#[tokio::test]
async fn every_command_has_its_address_its_body_and_its_word() {
    let limit = ChargeLimit::from_fraction(0.8).unwrap();
    let place = Coordinates::new(47.5, -122.25).unwrap();
    let limited = r#"{"data":{"attributes":{"percent":80}}}"#;
    let there = r#"{"data":{"attributes":{"latitude":47.5,"longitude":-122.25}}}"#;
    for (instruction, path, word, body) in [
        (Instruction::Lock, "security/lock", "security-lock", ""),
        (Instruction::Unlock, "security/unlock", "security-unlock", ""),
        (Instruction::StartCharge, "charge/start", "charge-start", ""),
        (Instruction::StopCharge, "charge/stop", "charge-stop", ""),
        (Instruction::SetChargeLimit(limit), "charge/set-limit", "charge-set-limit", limited),
        (
            Instruction::SetDestination(place),
            "navigation/set-destination",
            "navigation-set-destination",
            there,
        ),
    ] {
        let (cloud, requests) = cloud(vec![streamed(&success(word))]);
        cloud.send(&application(), "car-1", &instruction, COMMAND, Duration::MAX).await.unwrap();
        let request = requests.iter().nth(1).unwrap();
        let line = format!("POST /v3/vehicles/car-1/commands/{path} HTTP/1.1\r\n");
        assert!(request.starts_with(&line), "{request}");
        let named = format!("\r\nx-request-id: {COMMAND}\r\n");
        assert!(request.contains(&named), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        assert_eq!(request.contains("content-type: application/json\r\n"), !body.is_empty());
    }
}

#[tokio::test]
async fn only_the_success_of_this_very_command_acknowledges() {
    let done = success("security-unlock");
    assert!(unlock(ok(&done)).await.is_ok());
    assert!(unlock(say(ACCEPTED, "", &done)).await.is_ok());
    assert!(unlock(streamed(&done)).await.is_ok());
    let garbled = Fault::Garbled;
    for (name, answer, fault) in [
        ("201", say("201 Created", "", &done), garbled),
        ("203", say("203 Non-Authoritative Information", "", &done), garbled),
        ("204", raw("HTTP/1.1 204 No Content\r\n", ""), garbled),
        ("307", say("307 Temporary Redirect", "Location: /v3\r\n", &done), garbled),
        ("another command", streamed(&success("security-lock")), garbled),
        ("empty", streamed(""), garbled),
        ("empty with 200", ok(""), garbled),
        ("null", streamed("null"), garbled),
        ("html", streamed("<html>hello</html>"), garbled),
        ("no status", streamed(&execution("security-unlock", &Value::Null)), garbled),
        ("a bare success", ok(r#"{"status":"success"}"#), garbled),
        ("two", streamed(&format!("{done}{done}")), garbled),
        ("half", streamed(&done[..done.len() - 1]), garbled),
        (
            "cut",
            raw("HTTP/1.1 202 Accepted\r\nContent-Length: 5000\r\n", &done),
            Fault::Unavailable,
        ),
        (
            "cut between chunks",
            raw("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n", "1\r\n{\r\n"),
            Fault::Unavailable,
        ),
        ("gone", Then::Reset, Fault::Unavailable),
    ] {
        assert_eq!(meaning(unlock(answer).await), (fault, Happened::Maybe), "{name}");
    }
}

#[tokio::test]
async fn an_execution_that_did_not_succeed_is_refused_only_if_it_ended_for_a_known_reason() {
    let (maybe, refused) = (Happened::Maybe, Happened::Refused);
    let asleep = json!({"type": "VEHICLE_STATE", "code": "ASLEEP"});
    for (word, error, fault, happened) in [
        ("FAILURE", asleep.clone(), Fault::VehicleState, refused),
        ("FAILURE", json!({"type": "COMPATIBILITY"}), Fault::NotCapable, refused),
        ("FAILURE", json!({"type": "PERMISSION"}), Fault::Permission, refused),
        ("FAILURE", json!({"type": "UPSTREAM", "code": "RATE_LIMIT"}), Fault::Upstream, maybe),
        ("FAILURE", json!({"type": "SERVER"}), Fault::Unavailable, maybe),
        ("FAILURE", json!({"type": "AUTHENTICATION"}), Fault::Authentication, maybe),
        ("FAILURE", json!({"type": "NEW"}), Fault::Upstream, maybe),
        ("FAILURE", json!("ASLEEP"), Fault::Upstream, maybe),
        ("FAILURE", Value::Null, Fault::Upstream, maybe),
        ("PENDING", Value::Null, Fault::Upstream, maybe),
        ("PENDING", asleep.clone(), Fault::VehicleState, maybe),
        ("success", Value::Null, Fault::Upstream, maybe),
        ("WHO_KNOWS", Value::Null, Fault::Upstream, maybe),
        ("WHO_KNOWS", asleep.clone(), Fault::VehicleState, maybe),
    ] {
        let status = json!({"value": word, "error": error});
        for answer in [ok, streamed] {
            let sent = unlock(answer(&execution("security-unlock", &status))).await;
            assert_eq!(meaning(sent), (fault, happened), "{status}");
        }
    }
    let status = json!({"value": "FAILURE", "error": asleep});
    let error = unlock(streamed(&execution("security-unlock", &status))).await.unwrap_err();
    assert_eq!(
        error.provider_code.as_ref().map(ProviderCode::as_str),
        Some("VEHICLE_STATE/ASLEEP")
    );
}

#[tokio::test]
async fn an_error_inside_an_acceptance_means_what_its_own_status_says() {
    let (maybe, refused) = (Happened::Maybe, Happened::Refused);
    for (error, fault, happened) in [
        (
            json!({"status": "409", "type": "VEHICLE_STATE", "code": "ASLEEP"}),
            Fault::VehicleState,
            refused,
        ),
        (json!({"status": 409, "type": "VEHICLE_STATE"}), Fault::VehicleState, refused),
        (json!({"status": "403", "type": "AUTHENTICATION"}), Fault::Permission, refused),
        (json!({"status": "501", "type": "COMPATIBILITY"}), Fault::NotCapable, refused),
        (json!({"status": "429"}), Fault::RateLimited, refused),
        (json!({"status": "502", "type": "UPSTREAM"}), Fault::Upstream, maybe),
        (json!({"status": "409", "type": "UPSTREAM"}), Fault::Upstream, maybe),
        (json!({"status": "408"}), Fault::TimedOut, maybe),
        (json!({"status": "503"}), Fault::Unavailable, maybe),
        (json!({"status": "200", "type": "VEHICLE_STATE"}), Fault::VehicleState, maybe),
        (json!({"status": "x", "type": "VEHICLE_STATE"}), Fault::VehicleState, maybe),
        (json!({"type": "VEHICLE_STATE", "code": "ASLEEP"}), Fault::VehicleState, maybe),
        (json!({}), Fault::Unavailable, maybe),
        (json!(null), Fault::Unavailable, maybe),
    ] {
        let mut document: Value = json!({"errors": [error]});
        for answer in [ok, streamed] {
            let sent = unlock(answer(&document.to_string())).await;
            assert_eq!(meaning(sent), (fault, happened), "{document}");
        }
        // Not even a success beside it makes it one.
        let done: Value = serde_json::from_str(&success("security-unlock")).unwrap();
        document["data"] = done["data"].clone();
        assert!(unlock(streamed(&document.to_string())).await.is_err(), "{document}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_not_used_again() {
    let body = r#"{"errors":[{"status":"401","type":"AUTHENTICATION","code":"UNAUTHORIZED"}]}"#;
    let (origin, requests) = server(vec![
        ok(TOKEN),
        say("401 Unauthorized", "", body),
        ok(RENEWED),
        ok(&success("security-unlock")),
    ]);
    let cloud = smartcar(&origin);
    assert_eq!(meaning(send(&cloud).await), (Fault::Authentication, Happened::Refused));
    assert!(send(&cloud).await.is_ok());
    assert_eq!(bearers(&requests), (2, vec!["t-1".to_owned(), "t-2".to_owned()]));
}

#[tokio::test]
async fn an_owner_who_does_not_allow_it_is_no_matter_of_tokens() {
    let body = r#"{"errors":[{"status":"403","type":"AUTHENTICATION","code":"ACCESS_DENIED"}]}"#;
    let denied = say("403 Forbidden", "", body);
    let (cloud, requests) = cloud(vec![denied, ok(&success("security-unlock"))]);
    let error = send(&cloud).await.unwrap_err();
    assert_eq!((error.fault, error.happened), (Fault::Permission, Happened::Refused));
    assert_eq!(
        error.provider_code.as_ref().map(ProviderCode::as_str),
        Some("AUTHENTICATION/ACCESS_DENIED")
    );
    assert!(send(&cloud).await.is_ok());
    assert_eq!(bearers(&requests).0, 1);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let client = r#"{"error":"invalid_client"}"#;
    let strange = [
        r#"{"access_token":"t-1","token_type":"mac","expires_in":3600}"#,
        r#"{"access_token":"t-1\n","token_type":"Bearer","expires_in":3600}"#,
        r#"{"access_token":"","token_type":"Bearer","expires_in":3600}"#,
        r#"{"access_token":"t-1","token_type":"Bearer","expires_in":0}"#,
        r#"{"access_token":"t-1"}"#,
        "<html>hello</html>",
        "",
    ];
    let mut cases = vec![
        (Then::Reset, Fault::Unavailable),
        (Then::SayAndWait(""), Fault::Unavailable),
        (say("401 Unauthorized", "", client), Fault::Rejected),
        (say("401 Unauthorized", "", "<html>"), Fault::Rejected),
        (say("429 Too Many Requests", "Retry-After: 7\r\n", ""), Fault::RateLimited),
        (say("500 Internal Server Error", "", ""), Fault::Unavailable),
        (say("504 Gateway Timeout", "", ""), Fault::Unavailable),
        (say("302 Found", "Location: /\r\n", TOKEN), Fault::Unavailable),
    ];
    cases.extend(strange.map(|body| (ok(body), Fault::Unavailable)));
    for (answer, fault) in cases {
        let timeout = match answer {
            Then::SayAndWait(_) => Duration::from_millis(200),
            _ => Duration::from_secs(30),
        };
        let (iam_origin, _tokens) = server(vec![answer]);
        let (origin, requests) = server(vec![ok(&success("security-unlock"))]);
        let settings = SmartcarSettings { iam_origin, timeout, ..settings(&origin) };
        let cloud = Smartcar::new(settings, clock()).unwrap();
        assert_eq!(meaning(send(&cloud).await), (fault, Happened::NotSent));
        assert_eq!(requests.try_iter().count(), 0);
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_renewed_before_its_end_by_one_task() {
    let done = || ok(&success("security-unlock"));
    let broken = say("500 Internal Server Error", "", "");
    let (iam_origin, tokens) = server(vec![ok(TOKEN), broken, ok(RENEWED)]);
    let (origin, requests) = server((0..20).map(|_| done()).collect());
    let clock = clock();
    let settings = SmartcarSettings { iam_origin, ..settings(&origin) };
    let cloud = Smartcar::new(settings, clock.clone()).unwrap();
    let by = |token: &str, times| vec![token.to_owned(); times];
    // Everybody waits for the first one.
    let all = tokio::join!(send(&cloud), send(&cloud), send(&cloud));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
    clock.advance(Duration::from_secs(3299));
    send(&cloud).await.unwrap();
    assert_eq!((tokens.try_iter().count(), bearers(&requests).1), (1, by("t-1", 4)));
    // A renewal that fails leaves the old one in use.
    clock.advance(Duration::from_secs(1));
    send(&cloud).await.unwrap();
    assert_eq!((tokens.try_iter().count(), bearers(&requests).1), (1, by("t-1", 1)));
    let all = tokio::join!(send(&cloud), send(&cloud), send(&cloud));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
    let mut used = bearers(&requests).1;
    used.sort_unstable();
    assert_eq!((tokens.try_iter().count(), used), (1, [by("t-1", 2), by("t-2", 1)].concat()));
    // The wall clock moves nothing.
    clock.set_wall("2036-07-01T12:00:00Z".parse().unwrap());
    send(&cloud).await.unwrap();
    assert_eq!(bearers(&requests).1, by("t-2", 1));
    // The token endpoint is gone, and so is the token at its end.
    clock.advance(Duration::from_secs(3599));
    send(&cloud).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(meaning(send(&cloud).await), (Fault::Unavailable, Happened::NotSent));
}

#[tokio::test]
async fn a_command_is_not_sent_once_its_time_is_over() {
    let (cloud, requests) = cloud(vec![]);
    // So many failures in a row would open the circuit, but these are not the cloud's.
    for number in 0..20 {
        let (car, late) = (format!("car-{number}"), Duration::ZERO);
        let sent = cloud.send(&application(), &car, &Instruction::Unlock, COMMAND, late).await;
        assert_eq!(meaning(sent), (Fault::Garbled, Happened::NotSent));
    }
    assert!(requests.recv().unwrap().contains("/oauth2/token"));
    assert!(requests.try_recv().is_err());
}

#[tokio::test]
async fn strange_ids_of_cars_and_owners_never_leave() {
    let (cloud, requests) = cloud(vec![]);
    for (owner, car) in [("owner-1", "a/b"), ("owner-1", ".."), ("a\r\nb", "car-1"), ("", "car-1")]
    {
        let access = Access::Application { user_id: owner.to_owned() };
        let sent = cloud.send(&access, car, &Instruction::Unlock, COMMAND, Duration::MAX).await;
        assert_eq!(meaning(sent), (Fault::Garbled, Happened::NotSent), "{owner} {car}");
        let read = cloud.read(&access, car, Observable::LockStatus).await;
        assert_eq!(meaning(read), (Fault::Garbled, Happened::NotSent), "{owner} {car}");
    }
    assert_eq!(requests.try_iter().count(), 0);
}

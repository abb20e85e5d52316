//! The connector over a real socket.

use std::net::TcpListener;
use std::time::Duration;

use super::test_server::{
    COMMAND, Then, clock, meaning, ok, owner, raw, say, server, settings, smartcar,
};
use super::{InvalidSettings, Smartcar, SmartcarSettings};
use crate::connector::transport::BODY_BYTES_MAX;
use crate::connector::{
    Access, AuthorizeRequest, ConnectorError, Happened, ReauthenticateRequest, SingleVehicle,
    VehicleConnector,
};
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::instruction::Instruction;
use crate::domain::reading::Observable;
use crate::smartcar::v2::commands::{ActionRequest, SecurityAction};

async fn unlock(origin: &str) -> Result<Option<String>, ConnectorError> {
    let cloud = smartcar(origin);
    let sent = cloud.send(&owner(), "car-1", &Instruction::Unlock, COMMAND, Duration::MAX).await;
    sent.map(|acknowledgement| acknowledgement.provider_request_id)
}

#[tokio::test]
async fn an_unlock_is_sent_once_and_acknowledged() {
    let body = r#"{"status":"SUCCESS","message":"sent"}"#;
    let (origin, requests) = server(vec![say("200 OK", "SC-Request-Id: r-1\r\n", body)]);
    assert_eq!(unlock(&origin).await.unwrap().as_deref(), Some("r-1"));
    let request = requests.recv().unwrap();
    assert!(request.starts_with("POST /v2.0/vehicles/car-1/security HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer t-1\r\n"));
    assert!(request.contains("content-type: application/json\r\n"));
    assert!(request.contains(&format!("x-request-id: {COMMAND}\r\n")));
    assert!(!request.contains("accept-encoding"));
    let (_, sent) = request.split_once("\r\n\r\n").unwrap();
    let sent: ActionRequest<SecurityAction> = serde_json::from_str(sent).unwrap();
    assert_eq!(sent.action, SecurityAction::Unlock);
}

#[tokio::test]
async fn a_connection_that_never_came_about_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let nothing = (Fault::Unavailable, Happened::NotSent);
    assert_eq!(meaning(unlock(&closed).await), nothing);
    let (origin, _requests) = server(vec![Then::Reset]);
    let tls = origin.replace("http://", "https://");
    assert_eq!(meaning(unlock(&tls).await), nothing);
}

#[tokio::test]
async fn a_connection_that_broke_leaves_it_open_and_is_not_tried_again() {
    let success = r#"{"status":"success"}"#;
    for broken in [
        Then::Say(Vec::new()),
        Then::Reset,
        Then::Say(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n", success),
        raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n", success),
        raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "14\r\n{\"status\""),
        raw("HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n", "{}"),
    ] {
        let (origin, requests) = server(vec![broken, ok(success)]);
        let maybe = (Fault::Unavailable, Happened::Maybe);
        assert_eq!(meaning(unlock(&origin).await), maybe);
        assert!(requests.try_iter().count() <= 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_plain_success_leaves_it_open() {
    let huge = " ".repeat(BODY_BYTES_MAX) + r#"{"status":"success"}"#;
    let chunked = format!("{:x}\r\n{huge}\r\n0\r\n\r\n", huge.len());
    for (name, strange) in [
        ("huge", ok(&huge)),
        ("huge in chunks", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", &chunked)),
        ("huge to the end", raw("HTTP/1.1 200 OK\r\n", &huge)),
        ("cut", raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", r#"{"status":"success"}"#)),
        ("garbage", ok("<html>hello</html>")),
        ("empty", ok("")),
        ("failed", ok(r#"{"status":"failed"}"#)),
        ("null", ok(r#"{"status":null}"#)),
        ("two", ok(r#"{"status":"success"}{"status":"success"}"#)),
        ("202", say("202 Accepted", "", r#"{"status":"success"}"#)),
        ("204", raw("HTTP/1.1 204 No Content\r\n", "")),
        ("307", say("307 Temporary Redirect", "Location: /elsewhere\r\n", "")),
    ] {
        let (origin, requests) = server(vec![strange, ok(r#"{"status":"success"}"#)]);
        let maybe = (Fault::Garbled, Happened::Maybe);
        assert_eq!(meaning(unlock(&origin).await), maybe, "{name}");
        assert_eq!(requests.try_iter().count(), 1, "{name}");
    }
}

#[tokio::test]
async fn silence_ends_at_the_time_limit_and_leaves_it_open() {
    let unfinished = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"status\":\"success\"}";
    for said in ["", unfinished] {
        let (origin, _requests) = server(vec![Then::SayAndWait(said)]);
        let timeout = Duration::from_millis(200);
        let limited = SmartcarSettings { timeout, ..settings(&origin) };
        let limited = Smartcar::new(limited, clock()).unwrap();
        let sent =
            limited.send(&owner(), "car-1", &Instruction::Lock, COMMAND, Duration::MAX).await;
        assert_eq!(meaning(sent), (Fault::TimedOut, Happened::Maybe));
    }
}

#[tokio::test]
async fn a_refusal_carries_what_the_cloud_said() {
    let body = r#"{"type":"RATE_LIMIT","code":"VEHICLE","suggestedUserMessage":"Wait."}"#;
    let headers = "Retry-After: 7\r\nSC-Request-Id: r-2\r\n";
    let (origin, _requests) = server(vec![say("429 Too Many Requests", headers, body)]);
    let error = unlock(&origin).await.unwrap_err();
    assert_eq!((error.fault, error.happened), (Fault::RateLimited, Happened::Refused));
    assert_eq!(error.provider_code.as_ref().map(ProviderCode::as_str), Some("RATE_LIMIT/VEHICLE"));
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(error.user_message.as_deref(), Some("Wait."));
    assert_eq!(error.provider_request_id.as_deref(), Some("r-2"));
}

#[tokio::test]
async fn strange_ids_and_tokens_never_leave() {
    let (origin, requests) = server(vec![]);
    let cloud = smartcar(&origin);
    for id in ["", "a/b", "..", "a?b", "a%2fb", "a b", "ä", &"a".repeat(65)] {
        let sent = cloud.send(&owner(), id, &Instruction::Unlock, COMMAND, Duration::MAX).await;
        assert_eq!(meaning(sent), (Fault::Garbled, Happened::NotSent), "{id}");
        let read = cloud.read(&owner(), id, Observable::Attributes).await;
        assert_eq!(meaning(read).1, Happened::NotSent);
    }
    let sent = cloud
        .send(
            &Access::OwnerToken("a\r\nb".into()),
            "car-1",
            &Instruction::Unlock,
            COMMAND,
            Duration::MAX,
        )
        .await;
    assert_eq!(meaning(sent), (Fault::Authentication, Happened::NotSent));
    assert_eq!(requests.try_iter().count(), 0);
}

#[test]
fn an_owner_is_sent_to_an_encoded_address() {
    let cloud = smartcar("http://127.0.0.1:1");
    let request = AuthorizeRequest {
        redirect_uri: "https://x.example/cb?a=b&c".to_owned(),
        permissions: vec![("read_security", true), ("control_security", false)],
        state: "s&mode=live".to_owned(),
        mode: "simulated",
        user: "usr_1".to_owned(),
        make: None,
        single: None,
    };
    let url = "https://connect.example.com/oauth/authorize?response_type=code&client_id=app\
               &redirect_uri=https%3A%2F%2Fx.example%2Fcb%3Fa%3Db%26c\
               &scope=required%3Aread_security+control_security\
               &state=s%26mode%3Dlive&mode=simulated&approval_prompt=auto&user=usr_1";
    assert_eq!(cloud.authorize_url(&request), url);
    let any = AuthorizeRequest { single: Some(SingleVehicle::default()), ..request.clone() };
    assert_eq!(cloud.authorize_url(&any), format!("{url}&single_select=true"));
    let single = Some(SingleVehicle { vin: Some("1".repeat(17)) });
    let make = Some("TESLA & CO".to_owned());
    let one = cloud.authorize_url(&AuthorizeRequest { single, make, ..request });
    let asked = "&make=TESLA+%26+CO&single_select=true&single_select_vin=11111111111111111";
    assert_eq!(one, format!("{url}{asked}"));
}

#[test]
fn an_owner_is_sent_back_to_the_maker_for_one_car() {
    let url = smartcar("http://127.0.0.1:1").reauthenticate_url(&ReauthenticateRequest {
        redirect_uri: "https://x.example/cb".to_owned(),
        provider_vehicle_id: "car-1".to_owned(),
        state: "a&b".to_owned(),
        user: "usr_1".to_owned(),
    });
    assert_eq!(
        url,
        "https://connect.example.com/oauth/reauthenticate?response_type=vehicle_id&client_id=app\
         &vehicle_id=car-1&redirect_uri=https%3A%2F%2Fx.example%2Fcb&state=a%26b&user=usr_1"
    );
}

#[test]
fn settings_that_cannot_be_right_are_refused_and_secrets_stay_hidden() {
    let refused = |settings| Smartcar::new(settings, clock()).err().unwrap();
    let good = || settings("http://127.0.0.1:1");
    for bad in ["", "ftp://x", "http://x/path", "http://u@x", "http://x?q", "http://x#f", "x:1"] {
        let origin = || bad.to_owned();
        for (name, settings) in [
            ("api_origin", SmartcarSettings { api_origin: origin(), ..good() }),
            ("api_v3_origin", SmartcarSettings { api_v3_origin: origin(), ..good() }),
            ("iam_origin", SmartcarSettings { iam_origin: origin(), ..good() }),
            ("auth_origin", SmartcarSettings { auth_origin: origin(), ..good() }),
            ("connect_origin", SmartcarSettings { connect_origin: origin(), ..good() }),
        ] {
            assert!(
                matches!(refused(settings), InvalidSettings::Origin(told) if told == name),
                "{name} {bad}"
            );
        }
    }
    for id in ["", "a:b", "a b", "ä"] {
        let error = refused(SmartcarSettings { client_id: id.to_owned(), ..good() });
        assert!(matches!(error, InvalidSettings::Credentials), "{id}");
    }
    for timeout in [Duration::ZERO, Duration::from_secs(601)] {
        let error = refused(SmartcarSettings { timeout, ..good() });
        assert!(matches!(error, InvalidSettings::Timeout));
    }
    let shown = format!("{:?}", good());
    assert!(!shown.contains("secret\"") && !shown.contains("secret=3"), "{shown}");
}

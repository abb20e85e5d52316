//! Over a real socket, against servers of a few lines that say exactly what a test needs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{InvalidSettings, Smartcar, SmartcarSettings};
use crate::connector::transport::BODY_BYTES_MAX;
use crate::connector::{AuthorizeRequest, ConnectorError, Fault, Happened, VehicleConnector};
use crate::domain::command::Action;
use crate::smartcar::v2::{ActionRequest, SecurityAction};

/// What a server does with one connection.
enum Then {
    /// Reads the request, answers these bytes and closes.
    Say(Vec<u8>),
    /// Reads the request, says this much and nothing more until the client gives up.
    SayAndWait(&'static str),
    /// Closes with the request unread, which resets the connection.
    Reset,
}

/// An answer with a true content length.
fn say(status: &str, headers: &str, body: &str) -> Then {
    let length = body.len();
    raw(
        &format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n"),
        body,
    )
}

fn raw(head: &str, body: &str) -> Then {
    Then::Say(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())
}

fn ok(body: &str) -> Then {
    say("200 OK", "", body)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Serves one connection after the other; the requests come out of the channel.
fn server(plan: Vec<Then>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (tell, requests) = channel();
    std::thread::spawn(move || {
        for then in plan {
            let (mut stream, _) = listener.accept().unwrap();
            if matches!(then, Then::Reset) {
                stream.peek(&mut [0]).unwrap();
                continue;
            }
            let _ = tell.send(read_request(&mut stream));
            // The client may have gone; then there is nobody to tell.
            let _ = match then {
                Then::Say(bytes) => stream.write_all(&bytes),
                Then::SayAndWait(text) => stream
                    .write_all(text.as_bytes())
                    .and_then(|()| stream.read(&mut [0]).map(drop)),
                Then::Reset => Ok(()),
            };
        }
    });
    (origin, requests)
}

fn settings(origin: &str) -> SmartcarSettings {
    SmartcarSettings {
        client_id: "app".to_owned(),
        client_secret: "secret".into(),
        api_origin: origin.to_owned(),
        auth_origin: format!("{origin}/"),
        connect_origin: "https://connect.example.com".to_owned(),
        timeout: Duration::from_secs(30),
    }
}

fn smartcar(origin: &str) -> Smartcar {
    Smartcar::new(settings(origin)).unwrap()
}

fn token() -> SecretString {
    "t-1".into()
}

async fn unlock(origin: &str) -> Result<Option<String>, ConnectorError> {
    let cloud = smartcar(origin);
    let sent = cloud.send(&token(), "car-1", Action::Unlock).await;
    sent.map(|acknowledgement| acknowledgement.provider_request_id)
}

fn meaning<T>(result: Result<T, ConnectorError>) -> (Fault, Happened) {
    let error = result.err().unwrap();
    assert!(!error.detail.contains("t-1"), "{error}");
    (error.fault, error.happened)
}

#[tokio::test]
async fn an_unlock_is_sent_once_and_acknowledged() {
    let body = r#"{"status":"SUCCESS","message":"sent"}"#;
    let (origin, requests) = server(vec![say("200 OK", "SC-Request-Id: r-1\r\n", body)]);
    assert_eq!(unlock(&origin).await.unwrap().as_deref(), Some("r-1"));
    let request = requests.recv().unwrap();
    assert!(
        request.starts_with("POST /v2.0/vehicles/car-1/security HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("authorization: Bearer t-1\r\n"));
    assert!(request.contains("content-type: application/json\r\n"));
    assert!(!request.contains("accept-encoding"));
    let (_, sent) = request.split_once("\r\n\r\n").unwrap();
    let sent: ActionRequest = serde_json::from_str(sent).unwrap();
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
        raw(
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n",
            success,
        ),
        raw(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
            "14\r\n{\"status\"",
        ),
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
        (
            "huge in chunks",
            raw(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
                &chunked,
            ),
        ),
        ("huge to the end", raw("HTTP/1.1 200 OK\r\n", &huge)),
        (
            "cut",
            raw(
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n",
                r#"{"status":"success"}"#,
            ),
        ),
        ("garbage", ok("<html>hello</html>")),
        ("empty", ok("")),
        ("failed", ok(r#"{"status":"failed"}"#)),
        ("null", ok(r#"{"status":null}"#)),
        ("two", ok(r#"{"status":"success"}{"status":"success"}"#)),
        ("202", say("202 Accepted", "", r#"{"status":"success"}"#)),
        ("204", raw("HTTP/1.1 204 No Content\r\n", "")),
        (
            "307",
            say("307 Temporary Redirect", "Location: /elsewhere\r\n", ""),
        ),
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
        let limited = Smartcar::new(SmartcarSettings {
            timeout: Duration::from_millis(200),
            ..settings(&origin)
        });
        let limited = limited.unwrap();
        let sent = limited.send(&token(), "car-1", Action::Lock).await;
        assert_eq!(meaning(sent), (Fault::TimedOut, Happened::Maybe));
    }
}

#[tokio::test]
async fn a_refusal_carries_what_the_cloud_said() {
    let body = r#"{"type":"RATE_LIMIT","code":"VEHICLE","suggestedUserMessage":"Wait."}"#;
    let headers = "Retry-After: 7\r\nSC-Request-Id: r-2\r\n";
    let (origin, _requests) = server(vec![say("429 Too Many Requests", headers, body)]);
    let error = unlock(&origin).await.unwrap_err();
    assert_eq!(
        (error.fault, error.happened),
        (Fault::RateLimited, Happened::Refused)
    );
    assert_eq!(error.provider_code.as_deref(), Some("RATE_LIMIT/VEHICLE"));
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(error.user_message.as_deref(), Some("Wait."));
    assert_eq!(error.provider_request_id.as_deref(), Some("r-2"));
}

#[tokio::test]
async fn strange_ids_and_tokens_never_leave() {
    let (origin, requests) = server(vec![]);
    let cloud = smartcar(&origin);
    for id in ["", "a/b", "..", "a?b", "a%2fb", "a b", "ä", &"a".repeat(65)] {
        let sent = cloud.send(&token(), id, Action::Unlock).await;
        assert_eq!(meaning(sent), (Fault::Garbled, Happened::NotSent), "{id}");
        assert_eq!(
            meaning(cloud.attributes(&token(), id).await).1,
            Happened::NotSent
        );
    }
    let sent = cloud.send(&"a\r\nb".into(), "car-1", Action::Unlock).await;
    assert_eq!(meaning(sent), (Fault::Authentication, Happened::NotSent));
    assert_eq!(requests.try_iter().count(), 0);
}

fn page(ids: std::ops::Range<usize>, count: usize, offset: usize) -> Then {
    let vehicles: Vec<String> = ids.map(|n| format!("car-{n}")).collect();
    let paging = serde_json::json!({"count": count, "offset": offset});
    ok(&serde_json::json!({"vehicles": vehicles, "paging": paging}).to_string())
}

#[tokio::test]
async fn cars_are_read_page_by_page() {
    let (origin, requests) = server(vec![page(0..50, 70, 0), page(50..70, 70, 50)]);
    let cars = smartcar(&origin).vehicles(&token()).await.unwrap();
    assert_eq!((cars.len(), cars[69].as_str()), (70, "car-69"));
    let lines: Vec<String> = requests
        .try_iter()
        .map(|request| request.lines().next().unwrap().to_owned())
        .collect();
    let expected = [0, 50].map(|n| format!("GET /v2.0/vehicles?limit=50&offset={n} HTTP/1.1"));
    assert_eq!(lines, expected);
    let many = (0..10).map(|n| page(n * 50..n * 50 + 50, 600, n * 50));
    let (origin, _requests) = server(many.collect());
    assert_eq!(
        smartcar(&origin).vehicles(&token()).await.unwrap().len(),
        500
    );
    let (origin, _requests) = server(vec![page(0..0, 0, 0)]);
    assert!(
        smartcar(&origin)
            .vehicles(&token())
            .await
            .unwrap()
            .is_empty()
    );
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
        vec![ok(
            r#"{"vehicles":["a/b"],"paging":{"count":1,"offset":0}}"#,
        )],
        vec![ok(r#"{"vehicles":["a"]}"#)],
    ] {
        let (origin, _requests) = server(plan);
        let cars = smartcar(&origin).vehicles(&token()).await;
        assert_eq!(meaning(cars).0, Fault::Garbled);
    }
}

#[tokio::test]
async fn attributes_and_permissions_are_about_the_car_asked_for() {
    let car = r#"{"id":"car-1","make":"TESLA","model":"Model 3","year":"2024"}"#;
    let list = r#"{"permissions":["read_vin"],"paging":{"count":1,"offset":0}}"#;
    let (origin, requests) = server(vec![ok(car), ok(list), ok(car)]);
    let cloud = smartcar(&origin);
    let attributes = cloud.attributes(&token(), "car-1").await.unwrap();
    assert_eq!((attributes.make.as_str(), attributes.year), ("TESLA", 2024));
    let permissions = cloud.permissions(&token(), "car-1").await.unwrap();
    assert_eq!(permissions, ["read_vin"]);
    let other = cloud.attributes(&token(), "car-2").await;
    assert_eq!(meaning(other).0, Fault::Garbled);
    let lines: Vec<String> = requests.try_iter().collect();
    assert!(lines[0].starts_with("GET /v2.0/vehicles/car-1 HTTP/1.1\r\n"));
    assert!(lines[1].starts_with("GET /v2.0/vehicles/car-1/permissions?limit=50&offset=0 "));
}

#[tokio::test]
async fn a_lock_status_tells_its_age_if_known() {
    let body = r#"{"isLocked":true,"doors":[{"type":"frontLeft","status":"CLOSED"}]}"#;
    let known = say("200 OK", "SC-Data-Age: 2026-07-01T12:00:00.5Z\r\n", body);
    let unknown = say("200 OK", "SC-Data-Age: null\r\n", body);
    let strange = ok(r#"{"isLocked":true,"doors":[{"type":"<b>","status":"CLOSED"}]}"#);
    let (origin, _requests) = server(vec![known, unknown, strange]);
    let cloud = smartcar(&origin);
    let status = cloud.lock_status(&token(), "car-1").await.unwrap();
    assert!(status.is_locked && status.doors[0].place == "frontLeft");
    assert_eq!(
        status.observed_at.unwrap().to_string(),
        "2026-07-01T12:00:00.5Z"
    );
    let status = cloud.lock_status(&token(), "car-1").await.unwrap();
    assert_eq!(status.observed_at, None);
    assert_eq!(
        meaning(cloud.lock_status(&token(), "car-1").await).0,
        Fault::Garbled
    );
}

#[tokio::test]
async fn codes_and_refresh_tokens_become_pairs() {
    let pair =
        r#"{"access_token":"a1","token_type":"bearer","expires_in":7200,"refresh_token":"r1"}"#;
    let lost = say("400 Bad Request", "", r#"{"error":"invalid_grant"}"#);
    let (origin, requests) = server(vec![ok(pair), ok(pair), lost]);
    let cloud = smartcar(&origin);
    let tokens = cloud
        .exchange_code("c&1", "https://x.example/cb")
        .await
        .unwrap();
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

#[test]
fn an_owner_is_sent_to_an_encoded_address() {
    let url = smartcar("http://127.0.0.1:1").authorize_url(&AuthorizeRequest {
        redirect_uri: "https://x.example/cb?a=b&c".to_owned(),
        permissions: vec!["read_security", "control_security"],
        state: "s&mode=live".to_owned(),
        mode: "simulated",
    });
    assert_eq!(
        url,
        "https://connect.example.com/oauth/authorize?response_type=code&client_id=app\
         &redirect_uri=https%3A%2F%2Fx.example%2Fcb%3Fa%3Db%26c\
         &scope=read_security+control_security&state=s%26mode%3Dlive&mode=simulated\
         &approval_prompt=auto"
    );
}

#[test]
fn settings_that_cannot_be_right_are_refused_and_secrets_stay_hidden() {
    let origin = "http://127.0.0.1:1";
    for bad in [
        "",
        "ftp://x",
        "http://x/path",
        "http://u@x",
        "http://x?q",
        "http://x#f",
        "x:1",
    ] {
        let error = Smartcar::new(settings(bad)).unwrap_err();
        assert!(
            matches!(error, InvalidSettings::Origin("api_origin")),
            "{bad}"
        );
    }
    for id in ["", "a:b", "a b", "ä"] {
        let client_id = id.to_owned();
        let error = Smartcar::new(SmartcarSettings {
            client_id,
            ..settings(origin)
        })
        .unwrap_err();
        assert!(matches!(error, InvalidSettings::Credentials), "{id}");
    }
    let timeout = Duration::ZERO;
    let error = Smartcar::new(SmartcarSettings {
        timeout,
        ..settings(origin)
    })
    .unwrap_err();
    assert!(matches!(error, InvalidSettings::Timeout));
    let shown = format!("{:?} {:?}", settings(origin), smartcar(origin));
    assert!(
        !shown.contains("secret\"") && !shown.contains("YXBwOnNlY3JldA"),
        "{shown}"
    );
}

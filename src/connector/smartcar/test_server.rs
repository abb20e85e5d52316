//! Servers of a few lines that say exactly what a test needs, over a real socket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use secrecy::SecretString;

use super::{Smartcar, SmartcarSettings};
use crate::clock::ManualClock;
use crate::connector::{Access, ConnectorError, Happened};
use crate::domain::fault::Fault;
use crate::domain::id::CommandId;

/// The command that is sent.
pub(super) const COMMAND: CommandId = CommandId::from_uuid(uuid::Uuid::from_u128(7));

/// What a server does with one connection.
pub(super) enum Then {
    /// Reads the request, answers these bytes and closes.
    Say(Vec<u8>),
    /// Reads the request, says this much and nothing more until the client gives up.
    SayAndWait(&'static str),
    /// Closes with the request unread, which resets the connection.
    Reset,
}

/// An answer with a true content length.
pub(super) fn say(status: &str, headers: &str, body: &str) -> Then {
    let length = body.len();
    raw(&format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n"), body)
}

pub(super) fn raw(head: &str, body: &str) -> Then {
    Then::Say(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())
}

pub(super) fn ok(body: &str) -> Then {
    say("200 OK", "", body)
}

pub(super) fn read_request(stream: &mut TcpStream) -> String {
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
pub(super) fn server(plan: Vec<Then>) -> (String, Receiver<String>) {
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
                Then::SayAndWait(text) => {
                    stream.write_all(text.as_bytes()).and_then(|()| stream.read(&mut [0]).map(drop))
                }
                Then::Reset => Ok(()),
            };
        }
    });
    (origin, requests)
}

pub(super) fn settings(origin: &str) -> SmartcarSettings {
    SmartcarSettings {
        client_id: "app".to_owned(),
        client_secret: "secret".into(),
        api_origin: origin.to_owned(),
        api_v3_origin: origin.to_owned(),
        iam_origin: format!("{origin}/"),
        v3_client_id: "app&3".to_owned(),
        v3_client_secret: "secret=3".into(),
        auth_origin: format!("{origin}/"),
        connect_origin: "https://connect.example.com".to_owned(),
        timeout: Duration::from_secs(30),
    }
}

pub(super) fn smartcar(origin: &str) -> Smartcar {
    Smartcar::new(settings(origin), clock()).unwrap()
}

/// A clock that stands at [`NOW`].
pub(super) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(NOW.parse().unwrap()))
}

/// The time in all tests.
pub(super) const NOW: &str = "2026-07-01T12:00:00Z";

pub(super) fn token() -> SecretString {
    "t-1".into()
}

/// The right by which API v2.0 is called.
pub(super) fn owner() -> Access {
    Access::OwnerToken(token())
}

pub(super) fn meaning<T>(result: Result<T, ConnectorError>) -> (Fault, Happened) {
    let error = result.err().unwrap();
    assert!(!error.detail.contains("t-1"), "{error}");
    (error.fault, error.happened)
}

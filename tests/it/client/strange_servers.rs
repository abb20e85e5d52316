//! Servers that are none, or of another version, or mean harm.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::desk::Desk;

/// A server that says the same things to everybody, one for each connection, the last one again
/// and again; and what it was asked.
pub(super) struct Strange {
    pub(super) desk: Desk,
    asked: Arc<Mutex<Vec<String>>>,
    /// Rings with each request.
    bell: Arc<Notify>,
}

impl Strange {
    /// Somebody is signed in there as `ada`.
    pub(super) async fn saying(answers: &[&[u8]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let desk = Desk::at(&format!("http://{}", listener.local_addr().unwrap()));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let bell: Arc<Notify> = Arc::default();
        let (heard, rings) = (Arc::clone(&asked), Arc::clone(&bell));
        let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        tokio::spawn(async move {
            let mut last = answers.iter().cycle().skip(answers.len() - 1);
            let mut first = answers.iter().take(answers.len() - 1);
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                rings.notify_one();
                let answer = first.next().or_else(|| last.next()).unwrap();
                // Who has read enough closes its end.
                let _ = stream.write_all(answer).await;
            }
        });
        let strange = Self { desk, asked, bell };
        strange.keep_login();
        strange
    }

    fn keep_login(&self) {
        let login = json!({
            "server": self.desk.server, "access_token": "kl_at", "expires_at": "2099-01-01T00:00:00Z",
            "renewal": { "session": { "session_id": "ses_1", "refresh_token": "kl_rt" } },
        });
        let file = self.desk.file("ada");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, login.to_string()).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
    }

    /// Waits until there was a request.
    async fn heard_one(&self) {
        self.bell.notified().await;
    }

    /// The requests, with their bodies.
    pub(super) fn asked_in_full(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests, in lower case.
    fn asked(&self) -> Vec<String> {
        self.asked_in_full().iter().map(|asked| asked.to_lowercase()).collect()
    }
}

/// A request with its body.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        let read = stream.read(&mut piece).await.unwrap();
        if read == 0 {
            return text.into_owned();
        }
        request.extend_from_slice(&piece[..read]);
    }
}

pub(super) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

pub(super) const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html\r\n";

#[tokio::test]
async fn what_is_no_keylend_of_this_version_is_said_to_be_none() {
    let empty = "{\"data\":[{}],\"next_cursor\":null}";
    for (reply, expected) in [
        (answer(200, HTML, "<h1>Welcome</h1>"), "the answer to /v1/grants cannot be read"),
        (answer(404, HTML, "<h1>Where?</h1>"), "/v1/grants is not there (404)"),
        (answer(502, HTML, "<h1>Bad</h1>"), "/v1/grants was answered 502"),
        (answer(200, JSON, "{\"rows\":[]}"), "of another version"),
        (answer(200, JSON, "{\"data\":"), "of another version"),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), "no answer from http://127.0.0.1"),
        (answer(200, JSON, &empty.repeat(200_000)), "it is longer than 4194304 bytes"),
    ] {
        let strange = Strange::saying(&[&reply]).await;
        let said = strange.desk.run("ada", "grants list").await.unmet(7);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // Members of another version are left out, and hurt nobody.
    let strange = Strange::saying(&[&answer(200, JSON, empty)]).await;
    assert_eq!(strange.desk.run("ada", "grants list").await.well(), "\n\n");
}

#[tokio::test]
async fn credentials_are_not_sent_to_where_a_server_points() {
    let elsewhere = Strange::saying(&[&answer(200, JSON, "{}")]).await;
    let location = format!("location: {}/v1/grants\r\n", elsewhere.desk.server);
    let strange = Strange::saying(&[&answer(307, &location, "")]).await;
    let said = strange.desk.run("ada", "grants list").await.unmet(7);
    assert!(said.contains(&format!("sends elsewhere {}", elsewhere.desk.server)), "{said}");
    assert_eq!((strange.asked().len(), elsewhere.asked().len()), (1, 0));
}

#[tokio::test]
async fn a_request_whose_connection_breaks_is_made_once_more_with_the_same_key() {
    let made = answer(201, JSON, "{\"hold_id\":\"hld_1\"}");
    let strange = Strange::saying(&[b"", &made]).await;
    let place = "holds place --organization --reason x -o id";
    assert_eq!(strange.desk.line("ada", place).await, "hld_1");
    let keys: Vec<String> = strange
        .asked()
        .iter()
        .map(|asked| {
            asked.lines().find(|line| line.starts_with("idempotency-key: ")).unwrap().to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);

    let strange = Strange::saying(&[b""]).await;
    let said = strange.desk.run("ada", place).await.unmet(7);
    assert!(said.contains("no answer from"), "{said}");
    assert_eq!(strange.asked().len(), 2);
    // What ends a session if it is done twice is done once.
    let strange = Strange::saying(&[b""]).await;
    let login = "login --email ada@example.com --password-stdin";
    strange.desk.run_with("ada", login, "x").await.unmet(7);
    assert_eq!(strange.asked().len(), 1);
}

#[tokio::test]
async fn a_command_without_an_answer_may_have_opened_the_car() {
    let unlock = "commands send unlock --vehicle-id veh_01k0a6v8w5e3tb3q6m1x9r7yzn";
    let strange = Strange::saying(&[b""]).await;
    let said = strange.desk.run("ada", unlock).await.unmet(8);
    assert!(said.contains("no answer") && said.contains("may have been done"), "{said}");
    let strange = Strange::saying(&[&answer(504, HTML, "<h1>Too late</h1>")]).await;
    strange.desk.run("ada", unlock).await.unmet(8);
    // Where nobody listens, nobody was asked.
    let nobody = Strange::saying(&[b""]).await;
    let login = nobody.desk.kept("ada");
    let address = crate::support::household::free_address();
    let login = login.to_string().replace(&nobody.desk.server, &format!("http://{address}"));
    std::fs::write(nobody.desk.file("ada"), login).unwrap();
    nobody.desk.run("ada", unlock).await.unmet(7);
}

#[tokio::test]
async fn tokens_of_one_server_are_not_shown_to_another() {
    let over = json!({ "title": "t", "code": "token_expired", "user_message": "u" });
    let first = Strange::saying(&[&answer(401, JSON, &over.to_string())]).await;
    let second = Strange::saying(&[&answer(401, JSON, &over.to_string())]).await;
    // Between the first request and its answer somebody signs in elsewhere.
    let held = std::fs::File::create(first.desk.file("ada").with_extension("lock")).unwrap();
    held.lock().unwrap();
    let asking = async { first.desk.run("ada", "grants list").await };
    let signing_in = async {
        first.heard_one().await;
        let login = first.desk.kept("ada").to_string();
        let login = login.replace(&first.desk.server, &second.desk.server);
        std::fs::write(first.desk.file("ada"), login).unwrap();
        held.unlock().unwrap();
    };
    let (printed, ()) = tokio::join!(asking, signing_in);
    assert!(printed.unmet(3).contains("signed in anew meanwhile"));
    assert_eq!((first.asked().len(), second.asked().len()), (1, 0));
}

#[tokio::test]
async fn what_other_people_call_themselves_does_nothing_to_the_terminal() {
    let name = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}gus\r\n";
    let row = json!({ "user_id": "usr_1", "email": "a@example.com", "display_name": name });
    let list = json!({ "data": [row], "next_cursor": null });
    let problem = json!({
        "title": name, "code": name, "user_message": name, "detail": name, "request_id": name,
        "errors": [{ "pointer": name, "detail": name }],
        "command": { "command_id": name, "status": name },
    });
    let is_harmless =
        |text: &str| !text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}'));
    for (status, body, expected) in [(200, list, 0), (403, problem, 4)] {
        let strange = Strange::saying(&[&answer(status, JSON, &body.to_string())]).await;
        for view in ["table", "json", "id"] {
            let printed = strange.desk.run("ada", &format!("users list -o {view}")).await;
            assert_eq!(printed.status.code(), Some(expected), "{printed:?}");
            assert!(is_harmless(&printed.stdout) && is_harmless(&printed.stderr), "{printed:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_followed_from_where_it_was() {
    let event = |n: u8| {
        let told = json!({ "event_id": format!("evt_{n}"), "type": "grant.issued", "data": {} });
        format!("id: cursor-{n}\nevent: grant.issued\ndata: {told}\n\n")
    };
    let stream = |events: &str| {
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        format!("{head}retry: 100\n\n{events}").into_bytes()
    };
    let cut = format!("{}id: cursor-2\ndata: {{\"event", event(1));
    let strange = Strange::saying(&[&stream(&cut), &stream(&event(2))]).await;
    let printed = strange.desk.run("ada", "events follow --limit 2 -o id").await;
    assert!(printed.stderr.contains("the connection broke"), "{printed:?}");
    assert_eq!(printed.well(), "evt_1\nevt_2\n");
    let asked = strange.asked();
    assert!(asked[0].contains("after=end") && asked[0].contains("accept: text/event-stream"));
    assert!(!asked[0].contains("last-event-id") && asked[1].contains("last-event-id: cursor-1"));

    let strange = Strange::saying(&[&stream(&event(1)), &answer(404, HTML, "")]).await;
    strange.desk.run("ada", "events follow --limit 0").await.well();
}

//! Following events: a stream without end, which is opened again where it was when it breaks.

use std::io::ErrorKind;
use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use super::feed::{Feed, Told};
use crate::cli::client::api::Api;
use crate::cli::client::arguments::View;
use crate::cli::client::asked::Asked;
use crate::cli::client::print;
use crate::cli::client::table::{cell, member};
use crate::cli::printable::{printable, printable_json};
use crate::cli::{Failure, Unmet};

/// The server sends a sign of life every ten seconds.
const SILENCE_MAX: Duration = Duration::from_secs(40);
/// What is waited before the stream is opened again, in milliseconds: what the server says, within
/// these bounds, and twice as long each time that it cannot be opened.
const RETRY_MS_DEFAULT: u64 = 2000;
const RETRY_MS_MAX: u64 = 60_000;

/// Why a stream ended.
enum Ending {
    /// The connection is gone.
    Broken(String),
    /// As many events were printed as were wanted, or nobody reads them any more.
    Done,
}

/// Prints events, at most so many.
///
/// # Errors
/// As [`Api::call`] if the stream cannot be opened at first, or is refused later.
pub(super) async fn run(api: &mut Api, asked: Asked, limit: u64) -> Result<(), Failure> {
    let asked = asked.header("accept", Some("text/event-stream"));
    let mut feed = Feed::default();
    let mut left = limit;
    let mut response = api.open_stream(&asked).await?;
    while left > 0 {
        match pass_on(response, &mut feed, api.view(), &mut left).await? {
            Ending::Done => return Ok(()),
            Ending::Broken(why) => {
                print::hint(&format!("the connection broke ({}); trying again", printable(&why)));
            }
        }
        feed.break_off();
        let again = asked.clone().header("last-event-id", feed.last_id.as_ref());
        response = open_again(api, &again, feed.retry_ms).await?;
    }
    Ok(())
}

/// Opens the stream as soon as the server can be reached. A refusal is the end.
async fn open_again(
    api: &mut Api,
    asked: &Asked,
    retry_ms: Option<u64>,
) -> Result<Response, Failure> {
    let mut wait_ms = retry_ms.unwrap_or(RETRY_MS_DEFAULT).clamp(100, RETRY_MS_MAX);
    loop {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        match api.open_stream(asked).await {
            Err(Failure::Unmet { why: Unmet::Unreachable, .. }) => {
                wait_ms = (wait_ms * 2).min(RETRY_MS_MAX);
            }
            opened => return opened,
        }
    }
}

/// Prints what arrives until the stream ends.
async fn pass_on(
    mut response: Response,
    feed: &mut Feed,
    view: View,
    left: &mut u64,
) -> Result<Ending, Failure> {
    loop {
        let chunk = match tokio::time::timeout(SILENCE_MAX, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(Ending::Broken("the server ended it".to_owned())),
            Ok(Err(error)) => return Ok(Ending::Broken(error.without_url().to_string())),
            Err(_) => return Ok(Ending::Broken("nothing was heard for too long".to_owned())),
        };
        let told = feed.push(&chunk).map_err(|_| strange("an event is too long"))?;
        for event in told {
            match print::try_out(&line(&event, view)?) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Ending::Done),
                printed => printed?,
            }
            *left -= 1;
            if *left == 0 {
                return Ok(Ending::Done);
            }
        }
    }
}

fn strange(what: &str) -> Failure {
    Failure::unmet(Unmet::Unreachable, format!("{what}; the server is of another version"))
}

/// An event on one line.
fn line(event: &Told, view: View) -> Result<String, Failure> {
    let event: Value =
        serde_json::from_str(&event.data).map_err(|_| strange("an event cannot be read"))?;
    let text = |path: &str| cell(member(&event, path));
    Ok(match view {
        View::Json => format!("{}\n", printable_json(&event.to_string())),
        View::Id => format!("{}\n", text("event_id")),
        View::Table => {
            let mut line = format!("{}  {}", text("timestamp"), text("type"));
            for (name, value) in member(&event, "data").as_object().into_iter().flatten() {
                line.push_str(&format!("  {}={}", printable(name), cell(value)));
            }
            line.push('\n');
            line
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_harmless_line_in_each_view() {
        let data = r#"{"event_id":"evt_1","timestamp":"2026-07-01T12:00:00.5Z",
            "type":"grant.issued","data":{"grant_id":"grt_1","label":"\u001b[2J\n"}}"#;
        let event = Told { data: data.to_owned() };
        assert_eq!(
            line(&event, View::Table).unwrap(),
            "2026-07-01T12:00:00Z  grant.issued  grant_id=grt_1  label=\\u{1b}[2J\\u{a}\n"
        );
        assert_eq!(line(&event, View::Id).unwrap(), "evt_1\n");
        let json = line(&event, View::Json).unwrap();
        assert_eq!(json.lines().count(), 1);
        assert!(!json.contains('\u{1b}'), "{json:?}");
        assert!(line(&Told { data: "hello".to_owned() }, View::Json).is_err());
    }
}

//! What an answer says: a body, or why there is none. Answers come from a server that may be of
//! another version, a stranger's or a proxy's; nothing in them is trusted to be what it should be.

use serde_json::Value;

use super::table::member;
use super::transport::RawAnswer;
use crate::cli::printable::printable;
use crate::cli::{Failure, Unmet};

/// A body, and with which status it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// Why there is no body.
#[derive(Debug)]
pub(super) enum NotAnswered {
    /// The server says so, in a problem document (RFC 9457).
    Problem {
        /// The status of the answer.
        status: u16,
        /// The document.
        body: Value,
    },
    /// The answer is none of this version's API, which this sentence says.
    Strange(String),
}

/// Reads what came back for a path.
///
/// # Errors
/// [`NotAnswered`] if it is a problem, or nothing that a Keylend of this version answers.
pub(super) fn read(raw: RawAnswer, path: &str) -> Result<Answer, NotAnswered> {
    let RawAnswer { status, media_type, location, body } = raw;
    if status == 204 {
        return Ok(Answer { status, body: Value::Null });
    }
    let is_json = media_type == "application/json" || media_type.ends_with("+json");
    let json = is_json.then(|| serde_json::from_slice::<Value>(&body).ok()).flatten();
    let strange = |what: String| {
        let hint = "the server is no Keylend, or one of another version";
        NotAnswered::Strange(format!("{what}; {hint}"))
    };
    match (status, json) {
        (200..=299, Some(body)) if body.is_object() => Ok(Answer { status, body }),
        (200..=299, _) => Err(strange(format!("the answer to {path} cannot be read"))),
        (300..=399, _) => {
            let elsewhere = location.map_or_else(String::new, |to| format!(" {}", printable(&to)));
            let what = format!("{path} sends elsewhere{elsewhere}, where no credentials are sent");
            Err(NotAnswered::Strange(format!(
                "{what}; if that is the server's new address, sign in there"
            )))
        }
        (_, Some(body))
            if member(&body, "code").is_string() && member(&body, "title").is_string() =>
        {
            Err(NotAnswered::Problem { status, body })
        }
        (404, _) => Err(strange(format!("{path} is not there (404)"))),
        _ => Err(strange(format!("{path} was answered {status}, without a word why"))),
    }
}

impl NotAnswered {
    /// The code of a problem; empty if it is none.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Problem { body, .. } => member(body, "code").as_str().unwrap_or_default(),
            Self::Strange(_) => "",
        }
    }

    /// The same for the person at the terminal. `if_lost` says what it means if nothing of the
    /// answer can be believed.
    pub(super) fn into_failure(self, if_lost: Unmet) -> Failure {
        match self {
            Self::Problem { status, body } => explain(status, &body),
            Self::Strange(said) => Failure::unmet(if_lost, said),
        }
    }
}

/// A problem as a failure: the sentence for people first, what helps to look into it after it.
fn explain(status: u16, body: &Value) -> Failure {
    let shown =
        |name: &str| member(body, name).as_str().map(printable).filter(|text| !text.is_empty());
    let (title, detail) = (shown("title"), shown("detail"));
    let said = shown("user_message").or_else(|| title.clone());
    let mut notes: Vec<String> = Vec::new();
    notes.extend(detail.or(title));
    for error in member(body, "errors").as_array().into_iter().flatten() {
        let text = |name: &str| printable(member(error, name).as_str().unwrap_or_default());
        notes.push(format!("{} {}", text("pointer"), text("detail")));
    }
    let command = body.get("command").filter(|command| command.is_object());
    if let Some(command) = command {
        let text = |name: &str| printable(member(command, name).as_str().unwrap_or_default());
        notes.push(format!("command: {}, {}", text("command_id"), text("status")));
    }
    notes.push(format!("code: {}", shown("code").unwrap_or_default()));
    notes.extend(shown("request_id").map(|id| format!("request: {id}")));
    Failure::Unmet { why: why(status, command), said: said.unwrap_or_default(), notes }
}

fn why(status: u16, command: Option<&Value>) -> Unmet {
    match (status, command) {
        (403, _) => Unmet::Refused,
        // The car was asked, and it did not happen.
        (_, Some(_)) => Unmet::NotDone,
        (401, _) => Unmet::SignedOut,
        (404, _) => Unmet::NotFound,
        (400..=499, _) => Unmet::NotAccepted,
        _ => Unmet::Unreachable,
    }
}

/// A member that an answer of this version has.
///
/// # Errors
/// [`Failure`] that says that the server is of another version.
pub(super) fn required<'a>(body: &'a Value, path: &str) -> Result<&'a str, Failure> {
    member(body, path).as_str().ok_or_else(|| {
        let said = format!("the answer has no {path}; the server is of another version");
        Failure::unmet(Unmet::Unreachable, said)
    })
}

#[cfg(test)]
#[path = "answer_test.rs"]
mod tests;

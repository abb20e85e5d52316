//! The table in `docs/commands.md`: what is answered to a request for a command, by what the command came to.

use std::fmt::Write as _;

use axum::http::StatusCode;

use super::*;
use crate::domain::fault::Fault;

const PAGE: &str = include_str!("../../../../docs/commands.md");
const BEGIN: &str = "<!-- written by src/http/v1/commands/create_test.rs -->\n";

/// The status of the answer, the code of a problem, and the sentence for the person at the car.
fn told(command: Command) -> (StatusCode, String, String) {
    let of = |command: Command| Dispatched { command, replayed: false };
    let sentence = command.sentence().unwrap_or("–").to_owned();
    match answer(of(command)) {
        Ok(response) => (response.status(), "–".to_owned(), sentence),
        Err(problem) => {
            let code = problem.code().entry().code;
            (problem.into_response().status(), format!("`{code}`"), sentence)
        }
    }
}

fn with(status: CommandStatus, cause: Cause) -> Command {
    let mut command = Command::example(status);
    command.causes = vec![cause];
    command
}

fn page() -> String {
    let mut page =
        "| status | HTTP | code | for the person at the car |\n|---|---|---|---|\n".to_owned();
    let mut row = |name: String, command: Command| {
        let (status, code, sentence) = told(command);
        let status = status.as_u16();
        writeln!(page, "| {name} | {status} | {code} | {sentence} |").unwrap();
    };
    for &status in CommandStatus::ALL {
        match status {
            CommandStatus::Refused => {
                let refused = with(status, Cause::Refused(vec![Reason::GrantRevoked]));
                row("`refused`, for example `grant_revoked`".to_owned(), refused);
            }
            CommandStatus::Failed => {
                for &fault in Fault::ALL {
                    let failed = with(status, Cause::Connector { fault, code: None });
                    row(format!("`failed`, `{}`", fault.reason()), failed);
                }
            }
            _ => row(format!("`{status}`"), Command::example(status)),
        }
    }
    page
}

#[test]
fn the_page_shows_what_is_answered_for_each_status() {
    let (_, written) = PAGE.split_once(BEGIN).unwrap();
    assert_eq!(written, page(), "docs/commands.md should end with:\n{}", page());
}

#[test]
fn only_what_was_done_is_200_and_only_what_is_open_is_202() {
    for &status in CommandStatus::ALL {
        let (answered, code, _) = told(with(status, Cause::Abandoned));
        let expected = match status.known() {
            Known::Done => answered == 200,
            Known::Open => answered == 202,
            Known::NotDone => answered.is_client_error() || answered.is_server_error(),
        };
        assert!(expected, "{status}: {answered} {code}");
    }
}

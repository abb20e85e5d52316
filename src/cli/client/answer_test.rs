//! What answers of all kinds come to.

use serde_json::json;

use super::*;

fn raw(status: u16, media_type: &str, body: &str) -> RawAnswer {
    let location = Some("https://elsewhere.example/\u{1b}[2J".to_owned());
    RawAnswer { status, media_type: media_type.to_owned(), location, body: body.into() }
}

fn outcome(status: u16, media_type: &str, body: &str) -> (Unmet, String, Vec<String>) {
    let answer = read(raw(status, media_type, body), "/v1/grants").unwrap_err();
    match answer.into_failure(Unmet::Unreachable) {
        Failure::Unmet { why, said, notes } => (why, said, notes),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_problem_is_told_with_its_sentence_its_code_and_its_request() {
    let problem = json!({
        "type": "x", "title": "The grant was revoked", "status": 403, "code": "a_code",
        "detail": "Revoked at noon.", "user_message": "Taken \u{1b}[31mback.",
        "request_id": "req-1", "errors": [{ "pointer": "/not_after", "detail": "is too late" }],
    });
    let (why, said, notes) = outcome(403, "application/problem+json", &problem.to_string());
    assert_eq!(why, Unmet::Refused);
    assert_eq!(said, "Taken \\u{1b}[31mback.");
    let expected = ["Revoked at noon.", "/not_after is too late", "code: a_code", "request: req-1"];
    assert_eq!(notes, expected);
}

#[test]
fn each_kind_of_problem_has_a_status_of_its_own() {
    let problem = |command: Value| {
        json!({ "title": "t", "code": "c", "user_message": "u", "command": command }).to_string()
    };
    for (status, command, expected) in [
        (400, json!(null), Unmet::NotAccepted),
        (401, json!(null), Unmet::SignedOut),
        (403, json!({ "command_id": "cmd_1", "status": "refused" }), Unmet::Refused),
        (404, json!(null), Unmet::NotFound),
        (409, json!(null), Unmet::NotAccepted),
        (409, json!({ "command_id": "cmd_1", "status": "failed" }), Unmet::NotDone),
        (429, json!(null), Unmet::NotAccepted),
        (502, json!({ "command_id": "cmd_1", "status": "failed" }), Unmet::NotDone),
        (503, json!(null), Unmet::Unreachable),
    ] {
        let (why, ..) = outcome(status, "application/problem+json", &problem(command.clone()));
        assert_eq!(why, expected, "{status} {command}");
    }
}

#[test]
fn what_no_keylend_of_this_version_answers_is_said_to_be_strange() {
    for (status, media_type, body) in [
        (200, "text/html", "<html>"),
        (200, "application/json", "{\"data\":"),
        (200, "application/json", "[1]"),
        (200, "application/json", "\u{1b}"),
        (404, "text/html", "<html>"),
        (404, "application/json", "{\"message\":\"no route\"}"),
        (418, "", ""),
        (502, "text/html", "<html>"),
    ] {
        let (why, said, _) = outcome(status, media_type, body);
        assert_eq!(why, Unmet::Unreachable, "{status} {body}");
        assert!(said.contains("no Keylend, or one of another version"), "{said}");
    }
    let (why, said, _) = outcome(307, "", "");
    assert_eq!(why, Unmet::Unreachable);
    assert!(said.contains("https://elsewhere.example/\\u{1b}[2J"), "{said}");
}

#[test]
fn an_answer_without_a_body_is_one() {
    assert_eq!(read(raw(204, "", ""), "/v1/holds").unwrap().body, Value::Null);
    let answer = read(raw(200, "application/json", "{\"a\":\"b\"}"), "/v1/grants").unwrap();
    assert_eq!(required(&answer.body, "a").unwrap(), "b");
    assert!(required(&answer.body, "c").unwrap_err().to_string().contains("another version"));
}

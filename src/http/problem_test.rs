//! Every error of a use case, as the client is told.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::routing::get;

use super::*;
use crate::connector::{ConnectorError, Happened};
use crate::domain::access::{Denial, Sought};
use crate::domain::actor::Scope;
use crate::domain::fault::Fault;
use crate::domain::return_terms::Criterion;
use crate::http::test_requests::{get as ask, problem_of, text};
use crate::service::{CredentialFault, Error, Limit, StateFault};
use crate::storage::StorageError;

/// What a client sees of a problem: headers and body. Status and body agree, or this fails.
async fn told(problem: impl Into<Problem>) -> (HeaderMap, serde_json::Value) {
    let problem = problem.into();
    let app = Router::new().route("/", get(move || async move { problem }));
    let response = ask(app, "/").await;
    let headers = response.headers().clone();
    (headers, problem_of(response).await)
}

fn connector(fault: Fault) -> Error {
    Error::Connector(Box::new(ConnectorError {
        happened: Happened::NotSent,
        fault,
        provider_code: None,
        retry_after: Some(Duration::from_millis(1500)),
        user_message: Some("Start the engine first.".to_owned()),
        provider_request_id: None,
        detail: "secret words".to_owned(),
    }))
}

#[tokio::test]
async fn every_line_of_the_catalog_is_a_problem_with_a_page() {
    let mut words = BTreeSet::new();
    for &code in Code::ALL {
        let (_, problem) = told(Problem::of(code)).await;
        let word = code.as_str();
        assert!(words.insert(word), "{word} is there twice");
        assert_eq!(problem["status"], code.entry().status.as_u16());
        assert_eq!(problem["type"], format!("/problems/{word}"));
        assert!(problem["user_message"].as_str().is_some_and(|text| text.ends_with('.')));
        let pages = Router::new().route("/problems/{code}", get(crate::http::problem_pages::show));
        let page = ask(pages, &format!("/problems/{word}")).await;
        assert_eq!(page.status(), 200);
        assert!(text(page).await.contains(code.entry().user_message));
    }
}

#[tokio::test]
async fn every_reason_of_the_policy_has_its_word_as_code() {
    for &reason in Reason::ALL {
        let (_, problem) = told(Error::Refused(vec![reason, Reason::ConsentLost])).await;
        assert_eq!(problem["code"], reason.as_str());
        if reason == Reason::NotFound {
            assert_eq!(problem["status"], 404);
            assert_eq!(problem.get("reasons"), None);
        } else {
            assert_eq!(problem["status"], 403);
            assert_eq!(problem["reasons"][0], reason.as_str());
            assert_eq!(problem["reasons"][1], "consent_lost");
        }
    }
}

#[tokio::test]
async fn errors_have_the_status_and_code_of_the_contract() {
    use CredentialFault as Fault401;
    let cases = [
        (Error::invalid("/a", "invalid", "no"), 422, "validation_failed"),
        (Error::Unauthenticated(Fault401::Missing), 401, "token_missing"),
        (Error::Unauthenticated(Fault401::Invalid), 401, "token_invalid"),
        (Error::Unauthenticated(Fault401::Expired), 401, "token_expired"),
        (Error::Unauthenticated(Fault401::WrongPassword), 401, "credentials_invalid"),
        (Error::Unauthenticated(Fault401::WrongClient), 401, "credentials_invalid"),
        (Error::Forbidden(Denial::AdminOnly), 403, "admin_only"),
        (Error::Forbidden(Denial::ScopeMissing(Scope::GrantsWrite)), 403, "scope_missing"),
        (Error::Forbidden(Denial::ActingForMissing), 403, "acting_for_missing"),
        (Error::Forbidden(Denial::ActingForNotAllowed), 403, "acting_for_not_allowed"),
        (Error::Forbidden(Denial::PersonOnly), 403, "person_only"),
        (Error::Forbidden(Denial::VehiclesLimited), 403, "vehicles_limited"),
        (Error::Forbidden(Denial::NotTheOwner), 403, "not_the_owner"),
        (Error::NotFound(Sought::VEHICLE_OR_GRANT), 404, "not_found"),
        (Error::Refused(Vec::new()), 404, "not_found"),
        (Error::State(StateFault::GrantEnded), 409, "grant_ended"),
        (Error::State(StateFault::EmailTaken), 409, "email_taken"),
        (Error::State(StateFault::ExternalRefTaken), 409, "external_ref_taken"),
        (Error::State(StateFault::GrantsOverlap), 409, "grants_overlap"),
        (Error::State(StateFault::RequestEnded), 409, "request_ended"),
        (Error::State(StateFault::VehicleHeld), 409, "vehicle_held"),
        (Error::WindowTaken(Vec::new()), 409, "window_taken"),
        (Error::EndCriteriaUnmet(vec![Criterion::Locked]), 409, "end_criteria_unmet"),
        (Error::State(StateFault::ConsentLost), 409, "consent_lost"),
        (Error::State(StateFault::ConsentNotPending), 409, "consent_not_pending"),
        (Error::KeyReused, 422, "idempotency_key_reused"),
        (Error::Throttled(Limit::Vehicle, Duration::from_secs(3)), 429, "rate_limited"),
        (Error::Overloaded, 503, "overloaded"),
        (Error::Storage(StorageError::LostRace), 503, "storage_unavailable"),
        (Error::Internal("secret words".to_owned()), 500, "internal"),
        (connector(Fault::Unavailable), 503, "connector_unavailable"),
        (connector(Fault::TimedOut), 504, "connector_unavailable"),
        (connector(Fault::Garbled), 502, "connector_unavailable"),
        (connector(Fault::VehicleState), 409, "vehicle_unreachable"),
        (connector(Fault::ConsentLost), 409, "consent_lost"),
    ];
    for (error, status, code) in cases {
        let name = format!("{error:?}");
        let (headers, problem) = told(error).await;
        assert_eq!(problem["status"], status, "{name}");
        assert_eq!(problem["code"], code, "{name}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
        let has_challenge = headers.contains_key(header::WWW_AUTHENTICATE);
        assert_eq!(has_challenge, status == 401 || code == "scope_missing", "{name}");
        if matches!(status, 429 | 503) {
            assert!(headers.contains_key(header::RETRY_AFTER), "{name}");
            assert_eq!(problem["retryable"], true, "{name}");
        }
    }
}

#[tokio::test]
async fn what_the_cloud_says_to_the_person_reaches_them() {
    let (headers, problem) = told(connector(Fault::VehicleState)).await;
    assert_eq!(problem["user_message"], "Start the engine first.");
    assert_eq!(headers[header::RETRY_AFTER], "2", "1.5 s, rounded up");
    let (headers, _) = told(Error::Throttled(Limit::Attempts, Duration::ZERO)).await;
    assert_eq!(headers[header::RETRY_AFTER], "1");
}

#[tokio::test]
async fn what_the_database_holds_stays_inside() {
    let corrupt =
        StorageError::Corrupt { place: "secret".to_owned(), why: "secret words".to_owned() };
    let (_, problem) = told(Error::Storage(corrupt)).await;
    assert_eq!(problem["code"], "internal");
    assert!(!problem.to_string().contains("secret"));
}

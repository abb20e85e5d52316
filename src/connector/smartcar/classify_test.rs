//! Every documented error, and what it proves.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::{api_error, error_inside, garbled, token_error};
use crate::connector::Happened;
use crate::connector::transport::Answer;
use crate::domain::fault::{Fault, ProviderCode};
use crate::smartcar::v3::ErrorList;
use crate::smartcar::{ErrorBody, ErrorKind};

fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.into(),
    }
}

/// Every row of section 3 of the protocol page.
const ROWS: &[(&str, &[&str], u16, Fault, Happened)] = &[
    ("AUTHENTICATION", &[""], 401, Fault::Authentication, Happened::Refused),
    ("PERMISSION", &[""], 403, Fault::Permission, Happened::Refused),
    ("VALIDATION", &["", "PARAMETER"], 400, Fault::Rejected, Happened::Refused),
    ("RESOURCE_NOT_FOUND", &["PATH", "VERSION"], 404, Fault::Rejected, Happened::Refused),
    (
        "VEHICLE_STATE",
        &[
            "ASLEEP",
            "UNREACHABLE",
            "IN_MOTION",
            "IGNITION_ON",
            "CHARGING_IN_PROGRESS",
            "CHARGING_PLUG_CONNECTED",
            "CHARGING_PLUG_NOT_CONNECTED",
            "CHARGE_FAULT",
            "FULLY_CHARGED",
            "NOT_CHARGING",
            "DOOR_OPEN",
            "HOOD_OPEN",
            "TRUNK_OPEN",
            "REMOTE_ACCESS_DISABLED",
            "VEHICLE_OFFLINE_FOR_SERVICE",
            "UNKNOWN",
            "LOW_BATTERY",
        ],
        409,
        Fault::VehicleState,
        Happened::Refused,
    ),
    ("RATE_LIMIT", &["SMARTCAR_API", "VEHICLE"], 429, Fault::RateLimited, Happened::Refused),
    (
        "BILLING",
        &["VEHICLE_LIMIT", "INVALID_PLAN", "VEHICLE_REQUEST_LIMIT", "ACCOUNT_SUSPENDED"],
        430,
        Fault::Billing,
        Happened::Refused,
    ),
    (
        "SERVER",
        &["INTERNAL", "MULTIPLE_RECORDS_FOUND", "RECORD_NOT_FOUND"],
        500,
        Fault::Unavailable,
        Happened::Maybe,
    ),
    (
        "COMPATIBILITY",
        &[
            "MAKE_NOT_COMPATIBLE",
            "SMARTCAR_NOT_CAPABLE",
            "VEHICLE_NOT_CAPABLE",
            "PLATFORM_NOT_CAPABLE",
        ],
        501,
        Fault::NotCapable,
        Happened::Refused,
    ),
    (
        "UPSTREAM",
        &["INVALID_DATA", "KNOWN_ISSUE", "NO_RESPONSE", "RATE_LIMIT", "UNKNOWN_ISSUE"],
        502,
        Fault::Upstream,
        Happened::Maybe,
    ),
    (
        "CONNECTED_SERVICES_ACCOUNT",
        &[
            "ACCOUNT_ISSUE",
            "NO_VEHICLES",
            "SUBSCRIPTION",
            "VEHICLE_MISSING",
            "AUTHENTICATION_FAILED",
            "PERMISSION",
            "VIRTUAL_KEY_REQUIRED",
        ],
        400,
        Fault::Account,
        Happened::Refused,
    ),
];

#[test]
fn every_documented_error_means_what_the_table_says() {
    let mut seen = 0;
    for &(kind, codes, status, fault, happened) in ROWS {
        for &code in codes {
            let code = (!code.is_empty()).then_some(code);
            let documented = ErrorKind::find(kind, code).unwrap();
            assert_eq!(documented.status(), status);
            let body = serde_json::to_vec(&ErrorBody::new(documented, "r-1")).unwrap();
            let error = api_error(&answer(status, body));
            let named = code.map_or(kind.to_owned(), |code| format!("{kind}/{code}"));
            assert_eq!((error.fault, error.happened), (fault, happened), "{named}");
            assert_eq!(error.provider_code, ProviderCode::new(kind, code));
            assert_eq!(error.user_message.as_deref(), documented.user_message());
            assert_eq!(error.provider_request_id.as_deref(), Some("r-1"));
            seen += 1;
        }
    }
    assert_eq!(seen, ErrorKind::ALL.len());
}

#[test]
fn an_error_document_of_api_v3_means_the_same_as_the_envelope_of_api_v2() {
    for &kind in ErrorKind::ALL {
        let envelope = serde_json::to_vec(&ErrorBody::new(kind, "r-1")).unwrap();
        let list = serde_json::to_vec(&ErrorList::of(kind, "r-1")).unwrap();
        let v2 = api_error(&answer(kind.status(), envelope));
        let alone = api_error(&answer(kind.status(), list.clone()));
        // The status inside counts where the one outside says nothing.
        let inside = error_inside(&answer(202, list)).unwrap();
        for v3 in [alone, inside] {
            assert_eq!((v3.happened, v3.fault), (v2.happened, v2.fault), "{kind:?}");
            assert_eq!(v3.user_message, v2.user_message, "{kind:?}");
            assert_eq!(v3.provider_request_id.as_deref(), Some("r-1"), "{kind:?}");
            let told = v3.provider_code.unwrap();
            let family = told.kind();
            assert_eq!(family, kind.error_type());
            if !matches!(family, "AUTHENTICATION" | "VALIDATION") {
                assert_eq!(Some(&told), v2.provider_code.as_ref());
            }
        }
    }
}

#[test]
fn only_a_document_of_errors_has_an_error_inside() {
    for body in ["", "null", "{}", r#"{"errors":[]}"#, r#"{"type":"UPSTREAM"}"#, "<html>"] {
        assert!(error_inside(&answer(202, body)).is_none(), "{body}");
    }
}

#[test]
fn a_status_alone_decides_when_the_body_says_nothing() {
    for (status, fault, happened) in [
        (201, Fault::Garbled, Happened::Maybe),
        (204, Fault::Garbled, Happened::Maybe),
        (302, Fault::Garbled, Happened::Maybe),
        (307, Fault::Garbled, Happened::Maybe),
        (400, Fault::Rejected, Happened::Refused),
        (401, Fault::Authentication, Happened::Refused),
        (403, Fault::Rejected, Happened::Refused),
        (408, Fault::TimedOut, Happened::Maybe),
        (409, Fault::Rejected, Happened::Refused),
        (429, Fault::RateLimited, Happened::Refused),
        (430, Fault::Billing, Happened::Refused),
        (499, Fault::Rejected, Happened::Refused),
        (500, Fault::Unavailable, Happened::Maybe),
        (501, Fault::Unavailable, Happened::Maybe),
        (502, Fault::Upstream, Happened::Maybe),
        (503, Fault::Unavailable, Happened::Refused),
        (504, Fault::TimedOut, Happened::Maybe),
        (599, Fault::Unavailable, Happened::Maybe),
        (600, Fault::Garbled, Happened::Maybe),
    ] {
        for body in ["", "<html>gone</html>", "null", "[]", r#"{"type":7}"#, r#"{"type":"NEW"}"#] {
            let error = api_error(&answer(status, body));
            assert_eq!((error.fault, error.happened), (fault, happened), "{status} {body}");
        }
    }
}

#[test]
fn a_type_that_speaks_of_what_happened_behind_the_cloud_is_never_a_refusal() {
    for (status, body) in [
        (400, r#"{"type":"UPSTREAM","code":7,"description":[],"resolution":null}"#),
        (503, r#"{"type":"SERVER","error":"x","statusCode":"503"}"#),
        (500, r#"{"type":"COMPATIBILITY"}"#),
        (500, r#"{"type":"VEHICLE_STATE","code":"ASLEEP"}"#),
        (502, r#"{"type":"RATE_LIMIT"}"#),
    ] {
        assert_eq!(api_error(&answer(status, body)).happened, Happened::Maybe, "{body}");
    }
    let older = api_error(&answer(409, r#"{"error":"VEHICLE_STATE","code":"ASLEEP"}"#));
    assert_eq!(older.fault, Fault::VehicleState);
}

#[test]
fn a_wait_is_read_in_whole_seconds_and_bounded() {
    for (status, text, wait) in [
        (429, "120", Some(120)),
        (429, "0", Some(0)),
        (503, "5", Some(5)),
        (429, "4000000000", Some(86_400)),
        (429, "-1", None),
        (429, "99999999999", None),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", None),
        (400, "120", None),
        (500, "120", None),
    ] {
        let mut limited = answer(status, "");
        limited.headers.insert("retry-after", HeaderValue::from_str(text).unwrap());
        let error = api_error(&limited);
        assert_eq!(error.retry_after, wait.map(Duration::from_secs), "{status} {text}");
    }
    assert_eq!(api_error(&answer(429, "")).retry_after, None);
}

#[test]
fn the_token_endpoint_speaks_of_consent_and_of_us() {
    for (status, word, fault, happened) in [
        (400, "invalid_grant", Fault::ConsentLost, Happened::Refused),
        (401, "invalid_grant", Fault::ConsentLost, Happened::Refused),
        (500, "invalid_grant", Fault::Unavailable, Happened::Maybe),
        (401, "invalid_client", Fault::Rejected, Happened::Refused),
        (400, "invalid_request", Fault::Rejected, Happened::Refused),
        (400, "unauthorized_client", Fault::Rejected, Happened::Refused),
        (429, "slow_down", Fault::RateLimited, Happened::Refused),
        (503, "", Fault::Unavailable, Happened::Refused),
        (302, "", Fault::Garbled, Happened::Maybe),
    ] {
        let body = json!({"error": word, "error_description": "why"}).to_string();
        let error = token_error(&answer(status, body));
        assert_eq!((error.fault, error.happened), (fault, happened), "{status} {word}");
        let code = error.provider_code.as_ref().map_or("", ProviderCode::as_str);
        assert_eq!(code, word.to_ascii_uppercase());
    }
}

#[test]
fn foreign_words_are_bounded_and_harmless() {
    let long = "A".repeat(65);
    let body = json!({
        "type": "VEHICLE_STATE", "code": "AS\nLEEP", "requestId": "a b",
        "description": "d\u{1b}[31m".repeat(500),
        "suggestedUserMessage": format!("  Wake\u{7} {}", "ü".repeat(500)),
    });
    let error = api_error(&answer(409, body.to_string()));
    assert_eq!(error.provider_code.as_ref().map(ProviderCode::as_str), Some("VEHICLE_STATE"));
    assert_eq!(error.provider_request_id, None);
    let message = error.user_message.unwrap();
    assert!(message.starts_with("Wake ü") && message.chars().count() == 300);
    assert!(error.detail.chars().count() <= 300 && !error.detail.contains('\u{1b}'));
    for body in [json!({"type": long}), json!({"type": "A B"}), json!({"type": "<b>"})] {
        assert_eq!(api_error(&answer(409, body.to_string())).provider_code, None);
    }
    let long_pair = json!({"type": "VEHICLE_STATE", "code": "C".repeat(60)});
    assert_eq!(api_error(&answer(409, long_pair.to_string())).provider_code, None);
}

#[test]
fn the_header_names_the_request_before_the_body_does() {
    let mut both = answer(409, r#"{"type":"VEHICLE_STATE","requestId":"body-1"}"#);
    both.headers.insert("sc-request-id", HeaderValue::from_static("header-1"));
    assert_eq!(api_error(&both).provider_request_id.as_deref(), Some("header-1"));
    assert_eq!(garbled(&both, "x").provider_request_id.as_deref(), Some("header-1"));
    both.headers.insert("sc-request-id", HeaderValue::from_static("a b"));
    assert_eq!(api_error(&both).provider_request_id.as_deref(), Some("body-1"));
}

//! The error envelope, as documented and in the variants that are accepted.

use super::error::{ErrorBody, OAuthError, Resolution};
use super::error_kind::ErrorKind;
use serde_json::json;

#[test]
fn every_documented_error_survives_a_round_trip_and_finds_its_kind() {
    for kind in ErrorKind::ALL {
        let body = ErrorBody::new(*kind, "r1");
        let wire = serde_json::to_string(&body).unwrap();
        let read: ErrorBody = serde_json::from_str(&wire).unwrap();
        assert_eq!(read, body);
        assert_eq!(read.kind(), Some(*kind));
        assert_eq!(read.status_code, Some(kind.status()));
    }
}

#[test]
fn empty_fields_are_sent_as_null_and_detail_only_when_there() {
    let wire = serde_json::to_value(ErrorBody::new(ErrorKind::Authentication, "r1")).unwrap();
    assert_eq!(wire["code"], json!(null));
    assert_eq!(wire["resolution"], json!({"type": null}));
    assert!(wire.as_object().unwrap().contains_key("suggestedUserMessage"));
    assert!(!wire.as_object().unwrap().contains_key("detail"));
    let asleep = serde_json::to_value(ErrorBody::new(ErrorKind::VehicleStateAsleep, "r1")).unwrap();
    assert_eq!(
        asleep["docURL"],
        "https://smartcar.com/docs/errors/api-errors/vehicle-state-errors#asleep"
    );
    assert_eq!(asleep["statusCode"], 409);
}

#[test]
fn older_shapes_are_read() {
    let text: ErrorBody =
        serde_json::from_value(json!({"type": "SERVER", "resolution": "RETRY_LATER"})).unwrap();
    assert_eq!(text.resolution.kind.as_deref(), Some("RETRY_LATER"));
    let nulls: ErrorBody = serde_json::from_value(
        json!({"type": null, "resolution": null, "description": null, "statusCode": null}),
    )
    .unwrap();
    assert_eq!(nulls.resolution, Resolution::default());
    assert_eq!(nulls.error_type, "");
    let oauth: ErrorBody =
        serde_json::from_value(json!({"error": "invalid_grant", "error_description": "used"}))
            .unwrap();
    assert_eq!((oauth.error_type.as_str(), oauth.description.as_str()), ("invalid_grant", "used"));
    assert!(serde_json::from_value::<ErrorBody>(json!({})).unwrap().kind().is_none());
}

#[test]
fn oauth_errors_survive_a_round_trip() {
    let error = OAuthError::new("invalid_grant", "The code has been used.");
    let wire = serde_json::to_string(&error).unwrap();
    assert_eq!(serde_json::from_str::<OAuthError>(&wire).unwrap(), error);
    assert!(serde_json::from_str::<OAuthError>(r#"{"error":"invalid_client"}"#).is_ok());
}

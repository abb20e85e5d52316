//! Session tokens: both subjects, the lifetime, and that neither kind of token passes for the
//! other.

use uuid::Uuid;

use crate::domain::actor::Scope;
use crate::domain::id::{ApiClientId, OrganizationId, SessionId, TokenId, UserId};
use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;
use crate::signing::keyring::Keyring;
use crate::signing::session_token::{SessionClaims, Subject, mint, verify};
use crate::signing::{TokenError, grant_token, jws, session_token};

const ISSUER: &str = "https://keys.example";
const ISSUED: i64 = 1_800_000_000;

fn ring() -> Keyring {
    Keyring::generate(&SeededEntropy::from_seed(1), Timestamp::MIN).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn claims(subject: Subject) -> SessionClaims {
    SessionClaims {
        organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
        subject,
        token_id: TokenId::from_uuid(Uuid::from_u128(2)),
        issued_at: at(ISSUED),
    }
}

fn user() -> SessionClaims {
    claims(Subject::User {
        user_id: UserId::from_uuid(Uuid::from_u128(3)),
        session_id: SessionId::from_uuid(Uuid::from_u128(4)),
    })
}

fn api_client(scopes: Vec<Scope>) -> SessionClaims {
    claims(Subject::ApiClient { api_client_id: ApiClientId::from_uuid(Uuid::from_u128(5)), scopes })
}

#[test]
fn both_subjects_come_back_as_they_went() {
    let ring = ring();
    for claims in
        [user(), api_client(Vec::new()), api_client(vec![Scope::AuditRead, Scope::GrantsWrite])]
    {
        let token = mint(&ring, ISSUER, &claims).unwrap();
        let verified = verify(&ring, &ISSUER.into(), &token, at(ISSUED)).unwrap();
        assert_eq!(verified.claims(), &claims);
        assert_eq!(verified.expires_at(), at(ISSUED + 600));
    }
}

#[test]
fn a_token_lives_ten_minutes_to_the_second() {
    let ring = ring();
    let token = mint(&ring, ISSUER, &user()).unwrap();
    let check = |now| verify(&ring, &ISSUER.into(), &token, now).map(|_| ());
    let last = Timestamp::from_unix_micros((ISSUED + 600) * 1_000_000 - 1).unwrap();
    assert_eq!(check(last), Ok(()));
    assert_eq!(check(at(ISSUED + 600)), Err(TokenError::Expired));
    let elsewhere = verify(&ring, &"https://keys.example/".into(), &token, last);
    assert!(matches!(elsewhere, Err(TokenError::Invalid(_))));
}

#[test]
fn neither_kind_of_token_passes_for_the_other() {
    let ring = ring();
    let session = mint(&ring, ISSUER, &user()).unwrap();
    let refused = grant_token::verify(&ring, &ISSUER.into(), &session, at(ISSUED));
    assert!(matches!(refused, Err(TokenError::Invalid(_))));

    let grant = grant_token::mint(&ring, ISSUER, &super::grant_token_test::claims()).unwrap();
    let refused = verify(&ring, &ISSUER.into(), &grant, at(ISSUED));
    assert!(matches!(refused, Err(TokenError::Invalid(_))));

    // The other kind's key does not help, even with the right type and claims.
    let payload = payload(&session);
    let forged = jws::sign(ring.grants().active(), session_token::TYP, &payload).unwrap();
    let refused = verify(&ring, &ISSUER.into(), &forged, at(ISSUED));
    assert_eq!(refused, Err(TokenError::Invalid("kid names no key")));
    let mistyped = jws::sign(ring.sessions().active(), grant_token::TYP, &payload).unwrap();
    assert!(verify(&ring, &ISSUER.into(), &mistyped, at(ISSUED)).is_err());
}

fn payload(token: &str) -> serde_json::Value {
    let segment = token.split('.').nth(1).unwrap();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    serde_json::from_slice(&base64::Engine::decode(&engine, segment).unwrap()).unwrap()
}

#[test]
fn a_retired_key_signs_nothing_new() {
    const HOUR: i64 = 60 * 60;
    let mut ring = ring();
    let old = |issued_at: i64| SessionClaims { issued_at: at(issued_at), ..user() };
    let tokens = [-1, 0, HOUR, HOUR + 1, 300 * HOUR]
        .map(|later| (later, mint(&ring, ISSUER, &old(ISSUED + later)).unwrap()));
    ring.rotate(&SeededEntropy::from_seed(2), at(ISSUED)).unwrap();
    for (later, token) in tokens {
        let verified = verify(&ring, &ISSUER.into(), &token, at(ISSUED + later));
        assert_eq!(verified.is_ok(), later <= HOUR, "{later}");
    }
}

#[test]
fn every_required_claim_is_required_and_no_other_is_read() {
    let ring = ring();
    let check = |payload: &serde_json::Value| {
        let token = jws::sign(ring.sessions().active(), session_token::TYP, payload).unwrap();
        verify(&ring, &ISSUER.into(), &token, at(ISSUED)).map(|_| ())
    };
    let good = payload(&mint(&ring, ISSUER, &user()).unwrap());
    assert_eq!(check(&good), Ok(()));
    for name in good.as_object().unwrap().keys() {
        let mut less = good.clone();
        less.as_object_mut().unwrap().remove(name);
        assert!(matches!(check(&less), Err(TokenError::Invalid(_))), "{name}");
    }
    for (name, value) in [
        ("iss", serde_json::json!("https://other.example")),
        ("aud", serde_json::json!("https://other.example")),
        ("aud", serde_json::json!([ISSUER])),
        ("exp", serde_json::json!("1800000600")),
        ("exp", serde_json::json!(1_800_000_600.5)),
        ("exp", serde_json::json!(-1)),
        ("iat", serde_json::json!(1e30)),
        ("client_id", serde_json::json!("someone")),
        ("scope", serde_json::json!("grants:write")),
        ("sub", good["session_id"].clone()),
        ("role", serde_json::json!("admin")),
    ] {
        let mut changed = good.clone();
        changed[name] = value;
        assert!(matches!(check(&changed), Err(TokenError::Invalid(_))), "{name}");
    }
}

#[test]
fn a_token_of_an_earlier_issuer_is_accepted_and_of_another_is_not() {
    const NEW: &str = "https://lend.example";
    let (ring, claims) = (ring(), user());
    let old = mint(&ring, ISSUER, &claims).unwrap();
    let both = crate::signing::Issuers::new(NEW.to_owned(), vec![ISSUER.to_owned()]);
    assert!(verify(&ring, &both, &old, at(ISSUED)).is_ok());
    assert!(verify(&ring, &both, &mint(&ring, NEW, &claims).unwrap(), at(ISSUED)).is_ok());
    let refused = verify(&ring, &NEW.into(), &old, at(ISSUED));
    assert_eq!(refused, Err(TokenError::Invalid("iss is not this service")));
}

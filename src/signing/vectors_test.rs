//! Grant and session tokens against everything that a forger would try.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature::Ed25519KeyPair};
use serde_json::{Value, json};
use uuid::Uuid;

use super::grant_token::{self, GrantClaims};
use super::jws::TokenError;
use super::keyring::{Keyring, Set, SigningKey};
use super::session_token::{self, SessionClaims, Subject};
use super::{digest, provider};
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::Validity;
use crate::domain::id::Id;
use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;

const ISSUER: &str = "https://keys.example";
/// For tests only: the seed of docs/grant-token.md.
const SEED_TEXT: &[u8] = b"keylend grant token test key";

fn second(n: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + n).unwrap()
}

fn id<K>(n: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(n))
}

fn keyring() -> Keyring {
    provider::install();
    let mut keyring = Keyring::generate(&SeededEntropy::from_seed(1), second(0)).unwrap();
    let key = SigningKey::from_seed(digest::sha256(SEED_TEXT), second(0)).unwrap();
    keyring.grants = Set::from_keys(vec![key]).unwrap();
    keyring
}

fn claims() -> GrantClaims {
    GrantClaims {
        grantee_id: id(1),
        token_id: id(2),
        issued_at: second(0),
        validity: Validity::new(second(0), second(3600)).unwrap(),
        grant_id: id(3),
        organization_id: id(4),
        vehicle_id: id(5),
        entitlements: [Entitlement::Unlock, Entitlement::Lock].into_iter().collect(),
        grant_revision: 1,
    }
}

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// Signs any header and claims with the real key: what a forger cannot do, and a careless
/// verifier would accept.
fn forge(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let pair = Ed25519KeyPair::from_seed_unchecked(&digest::sha256(SEED_TEXT)).unwrap();
    let signature = pair.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn verify(token: &str, now: Timestamp) -> Result<grant_token::VerifiedGrantToken, TokenError> {
    grant_token::verify(&keyring(), ISSUER, token, now)
}

#[test]
fn the_golden_vectors_are_what_we_write_and_read() {
    let file: Value =
        serde_json::from_str(include_str!("../../tests/vectors/grant_token.json")).unwrap();
    let token = grant_token::mint(&keyring(), ISSUER, &claims()).unwrap();
    assert_eq!(file["valid"]["token"], token, "minted differently");
    let seen = verify(&token, second(0)).unwrap();
    assert_eq!(seen.grant_id(), id(3));
    assert_eq!(seen.grantee_id(), id(1));
    for vector in file["invalid"].as_array().unwrap() {
        let token = vector["token"].as_str().unwrap();
        let outcome = verify(token, second(60));
        assert!(matches!(outcome, Err(TokenError::Invalid(_))), "{vector} gave {outcome:?}");
    }
}

#[test]
fn no_altered_bit_goes_unnoticed() {
    let token = grant_token::mint(&keyring(), ISSUER, &claims()).unwrap();
    for bit in 0..token.len() * 8 {
        let mut bytes = token.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(altered) = String::from_utf8(bytes) else { continue };
        assert!(verify(&altered, second(60)).is_err(), "bit {bit}");
    }
}

#[test]
fn times_are_half_open_and_exact() {
    let token = grant_token::mint(&keyring(), ISSUER, &claims()).unwrap();
    assert_eq!(verify(&token, second(-1)), Err(TokenError::NotYetValid));
    assert!(verify(&token, second(0)).is_ok());
    assert!(verify(&token, second(3599)).is_ok());
    assert_eq!(verify(&token, second(3600)), Err(TokenError::Expired));
}

#[test]
fn headers_other_than_ours_are_refused_although_well_signed() {
    let token = grant_token::mint(&keyring(), ISSUER, &claims()).unwrap();
    let (header, body) = parts(&token);
    let body = body.to_string();
    let kid = header["kid"].as_str().unwrap();
    let long = "k".repeat(10_000);
    for header in [
        json!({ "alg": "none", "typ": "grant+jwt", "kid": kid }),
        json!({ "alg": "None", "typ": "grant+jwt", "kid": kid }),
        json!({ "alg": "HS256", "typ": "grant+jwt", "kid": kid }),
        json!({ "alg": "RS256", "typ": "grant+jwt", "kid": kid }),
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid }),
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }),
        json!({ "alg": "EdDSA", "kid": kid }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt" }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": "../../dev/null" }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": "' or 1=1--" }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": long }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": kid, "jku": "http://127.0.0.1:1/" }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": kid, "jwk": { "kty": "OKP" } }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": kid, "x5u": "http://127.0.0.1:1/" }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": kid, "crit": ["exp"] }),
        json!({ "alg": "EdDSA", "typ": "grant+jwt", "kid": kid, "b64": false }),
    ] {
        let outcome = verify(&forge(&header.to_string(), &body), second(60));
        assert!(matches!(outcome, Err(TokenError::Invalid(_))), "{header} gave {outcome:?}");
    }
    let twice = format!(r#"{{"alg":"EdDSA","alg":"EdDSA","typ":"grant+jwt","kid":"{kid}"}}"#);
    assert!(verify(&forge(&twice, &body), second(60)).is_err());
}

#[test]
fn claims_other_than_ours_are_refused_although_well_signed() {
    let token = grant_token::mint(&keyring(), ISSUER, &claims()).unwrap();
    let (header, body) = parts(&token);
    let header = header.to_string();
    let alter = |member: &str, value: Value| {
        let mut body = body.clone();
        body[member] = value;
        body
    };
    let mut altered = vec![
        alter("iss", json!("https://elsewhere.example")),
        alter("aud", json!("https://elsewhere.example")),
        alter("aud", json!([ISSUER])),
        alter("exp", json!("1800003600")),
        alter("nbf", json!("1800000000")),
        alter("exp", json!(1_800_003_600.5)),
        alter("exp", json!(-1)),
        alter("nbf", json!(-5)),
        alter("exp", json!(i64::MAX)),
        alter("exp", json!(u64::MAX)),
        alter("iat", json!(null)),
        alter("sub", json!("veh_00000000000000000000000001")),
        alter("grant_id", json!("grt_x")),
        alter("entitlements", json!(["fly"])),
        alter("admin", json!(true)),
    ];
    for member in body.as_object().unwrap().keys() {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(member);
        altered.push(body);
    }
    for body in altered {
        let outcome = verify(&forge(&header, &body.to_string()), second(60));
        assert!(matches!(outcome, Err(TokenError::Invalid(_))), "{body} gave {outcome:?}");
    }
    let twice = body.to_string().replacen('{', r#"{"exp":1900000000,"#, 1);
    assert!(verify(&forge(&header, &twice), second(60)).is_err());
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let keyring = keyring();
    let token = grant_token::mint(&keyring, ISSUER, &claims()).unwrap();
    let (header, body) = parts(&token);
    let public_key = URL_SAFE_NO_PAD.decode(&keyring.jwks().keys[0].x).unwrap();
    let header = json!({ "alg": "HS256", "typ": "grant+jwt", "kid": header["kid"] });
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(body.to_string())
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &public_key);
    let tag = hmac::sign(&key, message.as_bytes());
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
    assert!(verify(&forged, second(60)).is_err());
}

#[test]
fn no_kind_of_token_passes_for_another() {
    let keyring = keyring();
    let grant = grant_token::mint(&keyring, ISSUER, &claims()).unwrap();
    let session = SessionClaims {
        organization_id: id(1),
        subject: Subject::User { user_id: id(2), session_id: id(3) },
        token_id: id(4),
        issued_at: second(0),
    };
    let access = session_token::mint(&keyring, ISSUER, &session).unwrap();
    let now = second(1);
    assert_eq!(session_token::verify(&keyring, ISSUER, &access, now), Ok(session));
    assert!(session_token::verify(&keyring, ISSUER, &grant, now).is_err());
    assert!(grant_token::verify(&keyring, ISSUER, &access, now).is_err());
    let expired = session_token::verify(&keyring, ISSUER, &access, second(600));
    assert_eq!(expired, Err(TokenError::Expired));
}

#[test]
fn old_tokens_verify_after_a_rotation() {
    let mut keyring = keyring();
    let token = grant_token::mint(&keyring, ISSUER, &claims()).unwrap();
    keyring.rotate(&SeededEntropy::from_seed(2), second(10)).unwrap();
    assert!(grant_token::verify(&keyring, ISSUER, &token, second(20)).is_ok());
    assert_eq!(keyring.jwks().keys.len(), 2);
}

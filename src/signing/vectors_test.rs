//! The published vectors: `tests/vectors/grant_token.json`, made without this program.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::domain::device_key::Thumbprint;
use crate::domain::entitlement::Entitlement;
use crate::domain::id::{GrantId, OrganizationId, TokenId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;
use crate::signing::grant_token::{GrantClaims, mint, verify};
use crate::signing::keyring::Keyring;
use crate::signing::sealing_key::{SealingKey, SealingKeys};
use crate::signing::signing_key::{SigningKey, SigningKeys};
use crate::signing::{TokenError, numeric_date};

#[derive(Deserialize)]
struct Vectors {
    test_key: TestKey,
    issuer: String,
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct TestKey {
    seed: String,
    x: String,
    kid: String,
}

#[derive(Deserialize)]
struct Valid {
    name: String,
    now: Timestamp,
    claims: Claims,
    token: String,
}

#[derive(Deserialize)]
struct Claims {
    grant_id: GrantId,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
    grantee_id: UserId,
    entitlements: Vec<Entitlement>,
    grant_revision: i64,
    not_before: Timestamp,
    not_after: Timestamp,
    token_id: TokenId,
    issued_at: Timestamp,
    device_key: Option<Thumbprint>,
}

#[derive(Deserialize)]
struct Invalid {
    name: String,
    now: Timestamp,
    token: String,
    error: String,
    reason: Option<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../tests/vectors/grant_token.json")).unwrap()
}

fn ring(key: &TestKey) -> Keyring {
    let seed = <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(&key.seed).unwrap()).unwrap();
    let signing = SigningKey::from_seed(Zeroizing::new(seed), Timestamp::MIN, None).unwrap();
    assert_eq!(signing.kid(), key.kid);
    assert_eq!(signing.public_x(), key.x);
    let entropy = SeededEntropy::from_seed(1);
    Keyring::new(
        SigningKeys::new(signing, Vec::new()),
        SigningKeys::new(SigningKey::generate(&entropy, Timestamp::MIN).unwrap(), Vec::new()),
        SigningKeys::new(SigningKey::generate(&entropy, Timestamp::MIN).unwrap(), Vec::new()),
        SealingKeys::new(SealingKey::generate(&entropy, Timestamp::MIN).unwrap(), Vec::new()),
    )
}

#[test]
fn valid_tokens_are_accepted_and_minted_to_the_byte() {
    let vectors = vectors();
    let ring = ring(&vectors.test_key);
    assert!(vectors.valid.len() >= 4);
    for Valid { name, now, claims: c, token } in vectors.valid {
        let claims = GrantClaims {
            grant_id: c.grant_id,
            organization_id: c.organization_id,
            vehicle_id: c.vehicle_id,
            grantee_id: c.grantee_id,
            entitlements: c.entitlements.into_iter().collect(),
            grant_revision: c.grant_revision,
            not_before: c.not_before,
            not_after: c.not_after,
            token_id: c.token_id,
            issued_at: c.issued_at,
            device_key: c.device_key,
        };
        assert_eq!(mint(&ring, &vectors.issuer, &claims).unwrap(), token, "{name}");
        let verified = verify(&ring, &vectors.issuer.as_str().into(), &token, now);
        let whole = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
        let rounded = GrantClaims {
            not_before: whole(numeric_date::floor(claims.not_before).unwrap()),
            not_after: whole(numeric_date::ceil(claims.not_after).unwrap()),
            issued_at: whole(numeric_date::floor(claims.issued_at).unwrap()),
            ..claims
        };
        assert_eq!(verified.unwrap().claims(), &rounded, "{name}");
    }
}

#[test]
fn invalid_tokens_are_refused_for_the_stated_reason() {
    let vectors = vectors();
    let ring = ring(&vectors.test_key);
    assert!(vectors.invalid.len() >= 25);
    for vector in vectors.invalid {
        let refused =
            verify(&ring, &vectors.issuer.as_str().into(), &vector.token, vector.now).unwrap_err();
        let (error, reason) = match refused {
            TokenError::Invalid(reason) => ("invalid", Some(reason)),
            TokenError::Expired => ("expired", None),
        };
        assert_eq!(error, vector.error, "{}", vector.name);
        assert_eq!(reason, vector.reason.as_deref(), "{}", vector.name);
    }
}

#[test]
fn the_page_shows_the_first_vector_and_every_reason() {
    let page = include_str!("../../docs/grant-token.md");
    let vectors = vectors();
    let token = &vectors.valid[0].token;
    let segment = token.split('.').nth(1).unwrap();
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap();
    for shown in [token, &payload, &vectors.test_key.kid, &vectors.test_key.x] {
        assert!(page.contains(shown.as_str()), "{shown}");
    }
    for reason in vectors.invalid.iter().filter_map(|v| v.reason.as_ref()) {
        assert!(page.contains(&format!("`{reason}`")), "{reason}");
    }
    for word in Entitlement::ALL {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}

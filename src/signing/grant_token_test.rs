//! Grant tokens: rounding, times, rotation, and that no changed token is ever accepted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::sample::Index;
use ring::hmac;
use serde_json::json;
use uuid::Uuid;

use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::id::{GrantId, OrganizationId, TokenId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;
use crate::signing::grant_token::{GrantClaims, mint, verify};
use crate::signing::keyring::Keyring;
use crate::signing::{SigningError, TokenError};
use crate::tally::Tally;

const ISSUER: &str = "https://keys.example";
const START: i64 = 1_800_000_000;

fn ring() -> Keyring {
    Keyring::generate(&SeededEntropy::from_seed(1), Timestamp::MIN).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

pub(super) fn claims() -> GrantClaims {
    GrantClaims {
        grant_id: GrantId::from_uuid(Uuid::from_u128(1)),
        organization_id: OrganizationId::from_uuid(Uuid::from_u128(2)),
        vehicle_id: VehicleId::from_uuid(Uuid::from_u128(3)),
        grantee_id: UserId::from_uuid(Uuid::from_u128(4)),
        entitlements: [Entitlement::Unlock, Entitlement::Lock].into_iter().collect(),
        grant_revision: 1,
        not_before: at(START),
        not_after: at(START + 3600),
        token_id: TokenId::from_uuid(Uuid::from_u128(5)),
        issued_at: at(START),
        device_key: None,
    }
}

#[test]
fn a_token_that_is_bound_to_a_device_says_so() {
    let (ring, device_key) = (ring(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".parse().ok());
    let bound = GrantClaims { device_key, ..claims() };
    let token = mint(&ring, ISSUER, &bound).unwrap();
    assert_ne!(token, mint(&ring, ISSUER, &claims()).unwrap());
    let verified = verify(&ring, &ISSUER.into(), &token, at(START)).unwrap();
    assert_eq!(verified.claims().device_key, device_key);
}

#[test]
fn a_token_is_valid_until_before_exp() {
    let ring = ring();
    let token = mint(&ring, ISSUER, &claims()).unwrap();
    let check = |micros| {
        let now = Timestamp::from_unix_micros(micros).unwrap();
        verify(&ring, &ISSUER.into(), &token, now).map(|verified| verified.claims().clone())
    };
    let (start, end) = (START * 1_000_000, (START + 3600) * 1_000_000);
    assert_eq!(check(start - 1), Ok(claims()));
    assert_eq!(check(start), Ok(claims()));
    assert_eq!(check(end - 1), Ok(claims()));
    assert_eq!(check(end), Err(TokenError::Expired));
}

#[test]
fn revisions_begin_at_zero_and_are_not_negative() {
    let ring = ring();
    let first = GrantClaims { grant_revision: 0, ..claims() };
    let token = mint(&ring, ISSUER, &first).unwrap();
    assert_eq!(verify(&ring, &ISSUER.into(), &token, at(START)).unwrap().claims(), &first);
    let negative = GrantClaims { grant_revision: -1, ..claims() };
    let refused = mint(&ring, ISSUER, &negative);
    assert!(matches!(refused, Err(SigningError::BadClaims("a negative revision"))));
}

#[test]
fn no_changed_bit_is_ever_accepted() {
    let ring = ring();
    let token = mint(&ring, ISSUER, &claims()).unwrap();
    // Bits of the text itself.
    for bit in 0..token.len() * 8 {
        let mut bytes = token.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = String::from_utf8(bytes) {
            let refused = verify(&ring, &ISSUER.into(), &changed, at(START));
            assert!(matches!(refused, Err(TokenError::Invalid(_))), "bit {bit}");
        }
    }
    // Bits of what the three segments carry.
    let segments: Vec<Vec<u8>> =
        token.split('.').map(|segment| URL_SAFE_NO_PAD.decode(segment).unwrap()).collect();
    for (position, segment) in segments.iter().enumerate() {
        for bit in 0..segment.len() * 8 {
            let mut changed = segments.clone();
            changed[position][bit / 8] ^= 1 << (bit % 8);
            let text: Vec<String> = changed.iter().map(|s| URL_SAFE_NO_PAD.encode(s)).collect();
            let refused = verify(&ring, &ISSUER.into(), &text.join("."), at(START));
            assert!(matches!(refused, Err(TokenError::Invalid(_))), "bit {bit}");
        }
    }
}

/// A token with this header and good claims, signed as the header says.
fn with_header(
    ring: &Keyring,
    header: &serde_json::Value,
    sign: impl Fn(&str) -> Vec<u8>,
) -> String {
    let good = mint(ring, ISSUER, &claims()).unwrap();
    let payload = good.split('.').nth(1).unwrap();
    let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(sign(&signed));
    format!("{signed}.{signature}")
}

#[test]
fn no_other_algorithm_is_accepted() {
    let ring = ring();
    let key = ring.grants().active();
    let public = URL_SAFE_NO_PAD.decode(key.public_x()).unwrap();
    let mac = |signed: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
        hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
    };
    for alg in ["none", "None", "NONE", "HS256", "RS256", "ES256", "eddsa", ""] {
        let header = json!({"alg": alg, "typ": "grant+jwt", "kid": key.kid()});
        for signature in [Vec::new(), vec![0; 64]] {
            let token = with_header(&ring, &header, |_| signature.clone());
            assert!(verify(&ring, &ISSUER.into(), &token, at(START)).is_err(), "{alg}");
        }
        let token = with_header(&ring, &header, mac);
        assert!(verify(&ring, &ISSUER.into(), &token, at(START)).is_err(), "{alg}");
        let padded = with_header(&ring, &header, |signed| [mac(signed), mac(signed)].concat());
        let refused = verify(&ring, &ISSUER.into(), &padded, at(START));
        assert_eq!(refused, Err(TokenError::Invalid("alg is not EdDSA")));
    }
}

#[test]
fn tokens_outlive_a_rotation_of_their_key() {
    let entropy = SeededEntropy::from_seed(7);
    let mut ring = ring();
    let old = mint(&ring, ISSUER, &claims()).unwrap();
    ring.rotate(&entropy, at(START)).unwrap();
    let new = mint(&ring, ISSUER, &claims()).unwrap();
    assert_ne!(old, new);
    for token in [&old, &new] {
        assert!(verify(&ring, &ISSUER.into(), token, at(START)).is_ok());
    }
    ring.rotate(&entropy, at(START + 402 * 86_400)).unwrap();
    let refused = verify(&ring, &ISSUER.into(), &old, at(START));
    assert_eq!(refused, Err(TokenError::Invalid("kid names no key")));
}

#[test]
fn claims_that_no_verifier_would_take_are_not_signed() {
    let ring = ring();
    let refused = |change: &dyn Fn(&mut GrantClaims)| {
        let mut claims = claims();
        change(&mut claims);
        mint(&ring, ISSUER, &claims).unwrap_err()
    };
    let bad = |error| matches!(error, SigningError::BadClaims(_));
    assert!(bad(refused(&|c| c.entitlements = Entitlements::default())));
    assert!(bad(refused(&|c| c.grant_revision = -1)));
    assert!(bad(refused(&|c| c.not_after = c.not_before)));
    assert_eq!(refused(&|c| c.issued_at = Timestamp::MIN), SigningError::TimeOutOfRange);
    let long = "x".repeat(4096);
    assert_eq!(mint(&ring, &long, &claims()), Err(SigningError::TooLong));
}

/// Microseconds; every other one a whole second or next to one, as most grants' times are.
fn moments(most: i64) -> impl Strategy<Value = i64> {
    let near = (0..most / 1_000_000, -1_i64..=1);
    let near = near.prop_map(|(seconds, beside)| (seconds * 1_000_000 + beside).max(0));
    prop_oneof![0..most, near]
}

#[test]
fn a_token_never_ends_before_its_grant_and_is_less_than_a_second_longer() {
    let cases = (moments(4_000_000_000_000_000), moments(34_560_000_000_000), any::<Index>());
    let ring = ring();
    let tally = Tally::of(512, cases, |(start, length, within), tally| {
        let time = |micros| Timestamp::from_unix_micros(micros).unwrap();
        let (length, mut claims) = (length.max(1), claims());
        claims.not_before = time(start);
        claims.not_after = time(start + length);
        let token = mint(&ring, ISSUER, &claims).unwrap();
        let within = time(start + within.index(usize::try_from(length).unwrap()) as i64);
        for now in [claims.not_before, within, time(start + length - 1)] {
            prop_assert!(verify(&ring, &ISSUER.into(), &token, now).is_ok());
        }
        let verified = verify(&ring, &ISSUER.into(), &token, within).unwrap();
        let second = std::time::Duration::from_secs(1);
        prop_assert!(verified.claims().not_before <= claims.not_before);
        prop_assert!(claims.not_before.since(verified.claims().not_before) < second);
        prop_assert!(verified.claims().not_after >= claims.not_after);
        prop_assert!(verified.claims().not_after.since(claims.not_after) < second);
        for (end, micros) in [("start", start), ("end", start + length)] {
            tally.count(match micros % 1_000_000 {
                0 => format!("{end} on a second"),
                1 => format!("{end} after a second"),
                999_999 => format!("{end} before a second"),
                _ => format!("{end} between"),
            });
        }
        Ok(())
    });
    for end in ["start", "end"] {
        let each = ["on a second", "after a second", "before a second", "between"];
        tally.assert_each(15, each.map(|place| format!("{end} {place}")));
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_harm(text in ".{0,300}") {
        prop_assert!(verify(&ring(), &ISSUER.into(), &text, at(START)).is_err());
    }
}

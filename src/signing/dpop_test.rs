//! Proofs, good and bad: each rule of RFC 9449 section 4.3 with one thing wrong.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::*;
use crate::signing::sealing_key::{SealingKey, SealingKeys};

const TOKEN: &str = "eyJ.token.x";
const URL: &str = "https://keys.example.org/v1/commands";

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

fn nonces() -> Nonces {
    let key = SealingKey::from_bytes(Zeroizing::new([7; 32]), now(), None).unwrap();
    Nonces::new(&SealingKeys::new(key, Vec::new()))
}

enum Device {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// `ring` signs by P-256 with randomness of its own alone.
#[expect(clippy::disallowed_methods, reason = "no test depends on it")]
fn of_the_system() -> SystemRandom {
    SystemRandom::new()
}

fn p256() -> Device {
    let random = of_the_system();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
    Device::P256(pair.unwrap())
}

fn ed25519() -> Device {
    Device::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap())
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Device {
    fn header(&self) -> Value {
        match self {
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"typ": TYP, "alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)}})
            }
            Self::Ed25519(pair) => {
                let x = text(pair.public_key().as_ref());
                json!({"typ": TYP, "alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}})
            }
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            text(header.to_string().as_bytes()),
            text(claims.to_string().as_bytes())
        );
        let signature = match self {
            Self::P256(pair) => {
                pair.sign(&of_the_system(), signed.as_bytes()).unwrap().as_ref().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", text(&signature))
    }
}

fn claims() -> Value {
    json!({"jti": "proof-1", "htm": "POST", "htu": URL, "iat": 0, "ath": text(&sha256(TOKEN.as_bytes())),
        "nonce": nonces().current(now())})
}

fn verified(proof: &str) -> Result<Proof, ProofError> {
    let expected = Expected { method: "POST", url: URL, token: Some(TOKEN) };
    verify(proof, expected, &nonces(), now())
}

#[test]
fn a_proof_of_either_kind_of_key_is_accepted_and_named_by_key_and_jti() {
    for device in [p256(), ed25519()] {
        let proof = verified(&device.sign(&device.header(), &claims())).unwrap();
        let mut other = claims();
        other["jti"] = "proof-2".into();
        let other = verified(&device.sign(&device.header(), &other)).unwrap();
        assert_eq!(proof.thumbprint, other.thumbprint);
        assert_ne!(proof.digest, other.digest);
        assert!(
            proof.fresh_until > now()
                && proof.fresh_until.since(now()) <= super::super::dpop_nonce::FRESH_MAX
        );
    }
    let [first, second] =
        [p256(), p256()].map(|device| verified(&device.sign(&device.header(), &claims())).unwrap());
    assert_ne!(first.digest, second.digest, "the same jti of another key is another proof");
}

#[test]
fn one_claim_that_is_wrong_is_enough() {
    let device = ed25519();
    let long = "x".repeat(257);
    let cases = [
        ("jti", json!(""), "`jti`"),
        ("jti", json!(long), "`jti`"),
        ("jti", json!(7), "the claims"),
        ("jti", Value::Null, "the claims"),
        ("htm", json!("GET"), "`htm`"),
        ("htm", json!("post"), "`htm`"),
        ("htu", json!("https://keys.example.org/v1/command"), "`htu`"),
        ("htu", json!("http://keys.example.org/v1/commands"), "`htu`"),
        ("htu", json!("https://keys.example.com/v1/commands"), "`htu`"),
        ("htu", json!("https://me@keys.example.org/v1/commands"), "`htu`"),
        ("htu", json!("/v1/commands"), "`htu`"),
        ("iat", json!("now"), "the claims"),
        ("iat", Value::Null, "the claims"),
        ("ath", json!("x"), "`ath`"),
        ("ath", json!(text(&sha256(b"another"))), "`ath`"),
        ("ath", Value::Null, "`ath`"),
    ];
    for (claim, value, said) in cases {
        let mut wrong = claims();
        wrong[claim] = value.clone();
        let error = verified(&device.sign(&device.header(), &wrong)).unwrap_err();
        assert!(
            matches!(error, ProofError::Invalid(why) if why.starts_with(said)),
            "{claim} {value}: {error}"
        );
    }
}

#[test]
fn one_member_of_the_header_that_is_wrong_is_enough() {
    let (device, other) = (ed25519(), p256());
    let mut cases = vec![(other.header(), "`alg` of another key")];
    for (member, value) in [
        ("typ", json!("JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("kid", json!("a")),
        ("crit", json!(["exp"])),
        ("jwk", json!([])),
        ("jwk", Value::Null),
    ] {
        let mut wrong = device.header();
        wrong[member] = value;
        cases.push((wrong, member));
    }
    let mut private = device.header();
    private["jwk"]["d"] = json!(text(&[9; 32]));
    cases.push((private, "a private key"));
    for (header, what) in cases {
        let error = verified(&device.sign(&header, &claims())).unwrap_err();
        assert!(matches!(error, ProofError::Invalid(_)), "{what}: {error}");
    }
}

#[test]
fn a_text_that_differs_anywhere_is_refused() {
    let device = p256();
    let proof = device.sign(&device.header(), &claims());
    for place in 0..proof.len() {
        let mut changed = proof.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        assert!(verified(&String::from_utf8(changed).unwrap()).is_err(), "{place}");
    }
    for wrong in ["", "..", &proof[..proof.len() - 1], &format!("{proof}."), &"a".repeat(5000)] {
        assert!(matches!(verified(wrong), Err(ProofError::Invalid(_))), "{wrong:.20}");
    }
}

#[test]
fn query_fragment_and_spelling_of_the_address_do_not_count() {
    let device = ed25519();
    for same in
        ["https://keys.example.org/v1/commands?a=b#c", "HTTPS://Keys.Example.org:443/v1/./commands"]
    {
        let mut claims = claims();
        claims["htu"] = same.into();
        assert!(verified(&device.sign(&device.header(), &claims)).is_ok(), "{same}");
    }
}

#[test]
fn a_proof_without_a_fresh_nonce_needs_one() {
    let device = ed25519();
    let minutes = |count: u64| std::time::Duration::from_secs(60 * count);
    let key = SealingKey::from_bytes(Zeroizing::new([8; 32]), now(), None).unwrap();
    let strange = Nonces::new(&SealingKeys::new(key, Vec::new()));
    for (nonce, is_fresh) in [
        (Value::Null, false),
        (json!(""), false),
        (json!("x".repeat(1000)), false),
        (json!(strange.current(now())), false),
        (json!(nonces().current(now().minus(minutes(4)))), true),
        (json!(nonces().current(now().minus(minutes(5)))), false),
        (json!(nonces().current(now().plus(minutes(1)))), true),
        (json!(nonces().current(now().plus(minutes(2)))), false),
    ] {
        let mut claims = claims();
        claims["nonce"] = nonce.clone();
        let answer = verified(&device.sign(&device.header(), &claims));
        assert_eq!(
            answer.map(|_| ()),
            if is_fresh { Ok(()) } else { Err(ProofError::NonceNeeded) },
            "{nonce}"
        );
    }
}

#[test]
fn a_nonce_from_before_a_rotation_is_known() {
    let key = |byte| SealingKey::from_bytes(Zeroizing::new([byte; 32]), now(), None).unwrap();
    let before = Nonces::new(&SealingKeys::new(key(1), Vec::new())).current(now());
    let rotated = Nonces::new(&SealingKeys::new(key(2), vec![key(1)]));
    assert!(rotated.fresh_until(&before, now()).is_some());
    assert_ne!(rotated.current(now()), before);
}

#[test]
fn without_a_token_there_is_no_digest_of_one() {
    let device = ed25519();
    let expected = Expected { method: "POST", url: URL, token: None };
    let answer =
        |claims: &Value| verify(&device.sign(&device.header(), claims), expected, &nonces(), now());
    let mut claims = claims();
    assert!(matches!(answer(&claims), Err(ProofError::Invalid(_))));
    claims["ath"] = Value::Null;
    assert!(answer(&claims).is_ok());
}

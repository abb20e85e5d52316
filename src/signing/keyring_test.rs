//! Rotation and the public keys.

use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::entropy::{Entropy, NoEntropy, SeededEntropy};
use crate::signing::jwks::Jwks;
use crate::signing::keyring::{GRANT_KEY_KEPT, Keyring, SESSION_KEY_KEPT};
use crate::signing::{SigningError, digest};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

#[test]
fn retired_keys_are_kept_as_long_as_something_may_need_them() {
    let entropy = SeededEntropy::from_seed(1);
    let start = at(1_800_000_000);
    let mut ring = Keyring::generate(&entropy, start).unwrap();
    let grant = ring.grants().active().kid().to_owned();
    let session = ring.sessions().active().kid().to_owned();
    let seal = ring.seals().active().kid();

    ring.rotate(&entropy, start).unwrap();
    assert_ne!(ring.grants().active().kid(), grant);
    assert_eq!(ring.grants().get(&grant).unwrap().retired_at(), Some(start));

    let second = Duration::from_secs(1);
    ring.rotate(&entropy, start.plus(SESSION_KEY_KEPT - second)).unwrap();
    assert!(ring.sessions().get(&session).is_some());
    ring.rotate(&entropy, start.plus(SESSION_KEY_KEPT)).unwrap();
    assert!(ring.sessions().get(&session).is_none());

    ring.rotate(&entropy, start.plus(GRANT_KEY_KEPT - second)).unwrap();
    assert!(ring.grants().get(&grant).is_some());
    ring.rotate(&entropy, start.plus(GRANT_KEY_KEPT)).unwrap();
    assert!(ring.grants().get(&grant).is_none());

    assert!(ring.seals().get(seal).is_some());
    assert_eq!(ring.seals().iter().count(), 6);
}

struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }

    fn uuid(&self, _: Timestamp) -> Result<uuid::Uuid, NoEntropy> {
        Err(NoEntropy)
    }
}

#[test]
fn without_randomness_nothing_is_made_and_nothing_changes() {
    let no_entropy = Some(SigningError::NoEntropy(NoEntropy));
    assert_eq!(Keyring::generate(&Dry, at(0)).err(), no_entropy);
    let mut ring = Keyring::generate(&SeededEntropy::from_seed(1), at(0)).unwrap();
    let before = format!("{ring:?}");
    assert_eq!(ring.rotate(&Dry, at(1)).err(), no_entropy);
    assert_eq!(format!("{ring:?}"), before);
}

#[test]
fn the_public_set_holds_grant_keys_only_and_no_secret() {
    let entropy = SeededEntropy::from_seed(1);
    let mut ring = Keyring::generate(&entropy, at(0)).unwrap();
    ring.rotate(&entropy, at(1)).unwrap();
    let set = serde_json::to_value(Jwks::of(&ring)).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":{}}}"#, key["x"]);
        let thumbprint = digest::sha256(canonical.as_bytes());
        let kid = key["kid"].as_str().unwrap();
        assert_eq!(
            base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, thumbprint),
            kid
        );
        assert!(ring.grants().get(kid).is_some());
        assert!(ring.sessions().get(kid).is_none());
    }
    assert_eq!(keys[0]["kid"], ring.grants().active().kid());
}

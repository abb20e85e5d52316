//! The public halves of the grant keys, for programs that verify grant tokens elsewhere
//! (RFC 7517 section 5, RFC 8037 section 2). Knows no HTTP.

use serde::Serialize;
use utoipa::ToSchema;

use crate::signing::jws::ALGORITHM;
use crate::signing::keyring::Keyring;

/// A set of public keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwks {
    /// The keys, the one that signs first.
    pub keys: Vec<Jwk>,
}

/// One public Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwk {
    /// The type of key: always `OKP`.
    pub kty: &'static str,
    /// The curve: always `Ed25519`.
    pub crv: &'static str,
    /// The use of the key: always `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// The algorithm: always `EdDSA`.
    pub alg: &'static str,
    /// The name of the key in token headers.
    pub kid: String,
    /// The public key: 32 bytes, base64url.
    pub x: String,
}

impl Jwks {
    /// The grant keys of this keyring: the active one and those that still verify. Session keys
    /// are not among them, because nobody but this service reads session tokens.
    #[must_use]
    pub fn of(keyring: &Keyring) -> Self {
        let keys = keyring
            .grants()
            .iter()
            .map(|key| Jwk {
                kty: "OKP",
                crv: "Ed25519",
                usage: "sig",
                alg: ALGORITHM,
                kid: key.kid().to_owned(),
                x: key.public_x(),
            })
            .collect();
        Self { keys }
    }
}

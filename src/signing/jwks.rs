//! Public keys as a JWK Set (RFC 7517, RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// A set of public keys.
#[derive(Debug, Clone, Serialize)]
pub struct Jwks {
    /// The keys, the newest last.
    pub keys: Vec<Jwk>,
}

/// One public key.
#[derive(Debug, Clone, Serialize)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: &'static str,
    /// Always `Ed25519`.
    pub crv: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub key_use: &'static str,
    /// Always `EdDSA`.
    pub alg: &'static str,
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// The 32 bytes of the key in base64url.
    pub x: String,
}

impl Jwk {
    /// An Ed25519 key that verifies signatures.
    pub(super) fn ed25519(kid: &str, public_key: &[u8; 32]) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            key_use: "sig",
            alg: "EdDSA",
            kid: kid.to_owned(),
            x: URL_SAFE_NO_PAD.encode(public_key),
        }
    }
}

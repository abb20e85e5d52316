//! Proofs that a request comes from the device that has a key (DPoP, RFC 9449). A proof is a small token that the device
//! signs for one request; it carries the public half of the key. Knows no row: the transaction that decides on the request finds
//! out whether a proof was used before.
//!
//! A proof is fresh by the service's nonce in it, never by the device's clock, which may be wrong (section 4.3, check 11).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::device_key::DeviceKey;
use super::digest::sha256;
use super::dpop_nonce::Nonces;
use crate::domain::device_key::Thumbprint;
use crate::domain::time::Timestamp;

/// The longest proof in characters; longer ones are refused before anything is read.
pub const PROOF_LENGTH_MAX: usize = 4096;
/// The longest `jti` in bytes.
const PROOF_ID_LENGTH_MAX: usize = 256;
const TYP: &str = "dpop+jwt";

/// What a proof must be about.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The method of the request (`htm`).
    pub method: &'a str,
    /// The address of the request below the public one; its query and fragment do not count (`htu`).
    pub url: &'a str,
    /// The token that is shown with it, if one is (`ath`).
    pub token: Option<&'a str>,
}

/// A proof that is genuine, about this request and fresh. It must be spent, so that it proves nothing a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The key that signed it.
    pub thumbprint: Thumbprint,
    /// Tells it from every other proof: a digest of the key and `jti`.
    pub digest: [u8; 32],
    /// The first moment at which no instance accepts it.
    pub fresh_until: Timestamp,
}

/// Why a proof is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is no proof for this request. The text is for developers.
    #[error("{0}")]
    Invalid(&'static str),
    /// It would be one with a nonce of the service that is not too old.
    #[error("the proof has no nonce of this service, or an old one")]
    NonceNeeded,
}

const fn invalid(why: &'static str) -> ProofError {
    ProofError::Invalid(why)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofHeader {
    typ: String,
    alg: String,
    jwk: DeviceKey,
}

/// Other claims are allowed, and change nothing.
#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    #[serde(rename = "iat")]
    _iat: f64,
    ath: Option<String>,
    nonce: Option<String>,
}

/// Verifies a proof for a request (RFC 9449 section 4.3).
///
/// # Errors
/// [`ProofError`]; a missing nonce is told only of what is right otherwise.
pub fn verify(
    proof: &str,
    expected: Expected<'_>,
    nonces: &Nonces,
    now: Timestamp,
) -> Result<Proof, ProofError> {
    let (key, claims) = signed(proof)?;
    check(&claims, expected)?;
    let nonce = claims.nonce.as_deref().ok_or(ProofError::NonceNeeded)?;
    let fresh_until = nonces.fresh_until(nonce, now).ok_or(ProofError::NonceNeeded)?;
    let thumbprint = key.thumbprint().ok_or(invalid("the key has no thumbprint"))?;
    let digest = sha256(&[thumbprint.as_str().as_bytes(), claims.jti.as_bytes()].concat());
    Ok(Proof { thumbprint, digest, fresh_until })
}

/// What the holder of the key in the header signed.
fn signed(proof: &str) -> Result<(DeviceKey, Claims), ProofError> {
    if proof.len() > PROOF_LENGTH_MAX {
        return Err(invalid("the proof is longer than 4096 characters"));
    }
    let mut segments = proof.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(invalid("the proof is not three segments"));
    };
    let ProofHeader { typ, alg, jwk } = object(header).ok_or(invalid(
        "the header must be exactly `typ`, `alg` and `jwk`, a public P-256 or Ed25519 key",
    ))?;
    if typ != TYP {
        return Err(invalid("`typ` must be `dpop+jwt`"));
    }
    if !jwk.signs_with(&alg) {
        return Err(invalid(
            "`alg` must be `ES256` for a P-256 key, and `EdDSA` or `Ed25519` for an Ed25519 key",
        ));
    }
    let length = header.len() + 1 + payload.len();
    let message = proof.get(..length).ok_or(invalid("the proof is not three segments"))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if !jwk.verifies(message.as_bytes(), &signature) {
        return Err(invalid("the signature does not match the key in the header"));
    }
    let claims = object(payload)
        .ok_or(invalid("the claims must have `jti`, `htm`, `htu` and `iat`, each once"))?;
    Ok((jwk, claims))
}

/// Whether the claims are about this request.
fn check(claims: &Claims, expected: Expected<'_>) -> Result<(), ProofError> {
    if claims.jti.is_empty() || claims.jti.len() > PROOF_ID_LENGTH_MAX {
        return Err(invalid("`jti` must have 1 to 256 bytes"));
    }
    if claims.htm != expected.method {
        return Err(invalid("`htm` is not the method of the request"));
    }
    let is_same = || address(&claims.htu).is_some_and(|named| Some(named) == address(expected.url));
    // Most clients spell it as it is.
    if claims.htu != expected.url && !is_same() {
        return Err(invalid(
            "`htu` is not the address of the request at the public URL of this service",
        ));
    }
    let shown = expected.token.map(|token| URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())));
    match (&claims.ath, shown) {
        (None, Some(_)) => {
            Err(invalid("`ath` is missing: the SHA-256 digest of the token, in base64url"))
        }
        (Some(named), shown) if shown.as_ref() != Some(named) => {
            Err(invalid("`ath` is not the SHA-256 digest of the token, in base64url"))
        }
        _ => Ok(()),
    }
}

/// An address as it is compared: in its normal form (RFC 3986 section 6.2), without query and fragment.
fn address(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// A JSON object in a segment. `serde` would also read a struct from an array.
fn object<T: DeserializeOwned>(segment: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(segment).ok()?;
    if json.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
#[path = "dpop_test.rs"]
mod tests;

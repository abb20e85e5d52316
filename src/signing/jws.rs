//! The strict core of every token: JWS compact serialization (RFC 7515 section 7.1) with exactly
//! three header members. Whatever is not as this service writes it is refused before anything in
//! it is believed (RFC 8725).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keyring::{Set, SigningKey};
use crate::domain::time::Timestamp;

/// No token of ours is longer, in bytes.
pub const TOKEN_LENGTH_MAX: usize = 4096;
const KID_LENGTH_MAX: usize = 64;
const ALGORITHM: &str = "EdDSA";
/// Times in tokens lie between the years 1970 and 9999.
const SECONDS_MAX: i64 = 253_402_207_200;

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not one that this service signed for this purpose; the text is for the log.
    #[error("invalid: {0}")]
    Invalid(&'static str),
    /// It is ours, and its time is over.
    #[error("expired")]
    Expired,
    /// It is ours, and its time has not begun.
    #[error("not yet valid")]
    NotYetValid,
}

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("a token could not be signed")]
pub struct SigningError(#[source] Box<dyn std::error::Error + Send + Sync>);

#[derive(Serialize)]
struct HeaderOut<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

/// Unknown members (`jwk`, `jku`, `crit`, …) and members that occur twice are errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderIn<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// Signs claims with the newest key of a set.
pub(super) fn sign(
    keys: &Set<SigningKey>,
    typ: &'static str,
    claims: &impl Serialize,
) -> Result<String, SigningError> {
    let key = keys.newest();
    let header = HeaderOut { alg: ALGORITHM, typ, kid: key.kid() };
    let header = serde_json::to_vec(&header).map_err(|error| SigningError(error.into()))?;
    let claims = serde_json::to_vec(claims).map_err(|error| SigningError(error.into()))?;
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(token.as_bytes(), key.encoding(), Algorithm::EdDSA)
        .map_err(|error| SigningError(error.into()))?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

/// Checks form, header and signature, in this order, and gives the claims. Their times are the
/// caller's to check: against a time that is a parameter, which `jsonwebtoken`'s own check of
/// `exp` and `nbf` cannot take.
pub(super) fn verify<C: DeserializeOwned>(
    keys: &Set<SigningKey>,
    typ: &'static str,
    token: &str,
) -> Result<C, TokenError> {
    if token.len() > TOKEN_LENGTH_MAX {
        return Err(TokenError::Invalid("too long"));
    }
    let (message, signature) =
        token.rsplit_once('.').ok_or(TokenError::Invalid("not three parts"))?;
    let (header, claims) = message.split_once('.').ok_or(TokenError::Invalid("not three parts"))?;
    // The decoder takes canonical base64url alone: no padding, no stray bits, no other characters.
    let decode =
        |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Invalid("not base64url"));
    let header = decode(header)?;
    let claims = decode(claims)?;
    decode(signature)?;
    let header: HeaderIn<'_> =
        serde_json::from_slice(&header).map_err(|_| TokenError::Invalid("header"))?;
    if header.alg != ALGORITHM || header.typ != typ || header.kid.len() > KID_LENGTH_MAX {
        return Err(TokenError::Invalid("algorithm, type or key name"));
    }
    let key = keys.find(header.kid).ok_or(TokenError::Invalid("unknown key"))?;
    let is_signed = jsonwebtoken::crypto::verify(
        signature,
        message.as_bytes(),
        key.decoding(),
        Algorithm::EdDSA,
    );
    if !matches!(is_signed, Ok(true)) {
        return Err(TokenError::Invalid("signature"));
    }
    serde_json::from_slice(&claims).map_err(|_| TokenError::Invalid("claims"))
}

/// A time claim as a time.
pub(super) fn time(seconds: i64) -> Result<Timestamp, TokenError> {
    Some(seconds)
        .filter(|seconds| (0..=SECONDS_MAX).contains(seconds))
        .and_then(Timestamp::from_unix_seconds)
        .ok_or(TokenError::Invalid("time outside the calendar"))
}

/// Whether `now` lies in `[not_before, expires)`.
pub(super) fn check_times(not_before: i64, expires: i64, now: Timestamp) -> Result<(), TokenError> {
    let (not_before, expires) = (time(not_before)?, time(expires)?);
    if now >= expires {
        Err(TokenError::Expired)
    } else if now < not_before {
        Err(TokenError::NotYetValid)
    } else {
        Ok(())
    }
}

//! The strict core of both kinds of token: compact JWS (RFC 7515 section 7.1) with Ed25519
//! (RFC 8037 section 3.1). Knows headers and signatures, but no claim.
//!
//! It accepts less than the standards allow: one spelling of base64url, three header members
//! and no others, no member twice. A text that differs anywhere from what was minted is refused.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::signing::error::{SigningError, TokenError};
use crate::signing::signing_key::{SigningKey, SigningKeys};

/// The longest token in characters; longer ones are refused before anything is read.
pub const TOKEN_LENGTH_MAX: usize = 4096;
/// The longest name of a key in characters.
pub const KID_LENGTH_MAX: usize = 64;
/// The only algorithm (RFC 8037 section 3.1).
pub const ALGORITHM: &str = "EdDSA";

const SIGNATURE_LENGTH: usize = 64;

/// The protected header, in the order in which it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    kid: Cow<'a, str>,
}

/// Signs claims as a token of type `typ`.
///
/// # Errors
/// [`SigningError::TooLong`] if no verifier would read it, [`SigningError::Refused`] if the
/// claims are no JSON or the key cannot sign.
pub(super) fn sign<T: Serialize>(
    key: &SigningKey,
    typ: &str,
    claims: &T,
) -> Result<String, SigningError> {
    let header = Header { alg: ALGORITHM.into(), typ: typ.into(), kid: key.kid().into() };
    let mut token = segment(&header)?;
    token.push('.');
    token.push_str(&segment(claims)?);
    let signature = jsonwebtoken::crypto::sign(token.as_bytes(), key.encoding(), Algorithm::EdDSA)
        .map_err(|_| SigningError::Refused)?;
    token.push('.');
    token.push_str(&signature);
    if token.len() > TOKEN_LENGTH_MAX {
        return Err(SigningError::TooLong);
    }
    Ok(token)
}

/// The claims of a token of type `typ` that one of these keys signed, and the key.
///
/// # Errors
/// [`TokenError::Invalid`], and never another: this core compares no times.
pub(super) fn verify<'k, T: DeserializeOwned>(
    keys: &'k SigningKeys,
    typ: &str,
    token: &str,
) -> Result<(T, &'k SigningKey), TokenError> {
    if token.len() > TOKEN_LENGTH_MAX {
        return Err(TokenError::Invalid("longer than 4096 characters"));
    }
    let mut segments = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(TokenError::Invalid("not three segments"));
    };
    let header_bytes = decode(header)?;
    let payload_bytes = decode(payload)?;
    if decode(signature)?.len() != SIGNATURE_LENGTH {
        return Err(TokenError::Invalid("the signature is not 64 bytes"));
    }
    let key = key_for(keys, typ, &header_bytes)?;
    let signed_length = header.len() + 1 + payload.len();
    let signed = token.get(..signed_length).ok_or(TokenError::Invalid("not three segments"))?;
    let genuine = jsonwebtoken::crypto::verify(
        signature,
        signed.as_bytes(),
        key.decoding(),
        Algorithm::EdDSA,
    );
    if !genuine.unwrap_or(false) {
        return Err(TokenError::Invalid("the signature does not match"));
    }
    let claims = object(&payload_bytes);
    let claims = claims.ok_or(TokenError::Invalid("the payload is not exactly the claims"))?;
    Ok((claims, key))
}

/// Reads the header and finds the key it names.
fn key_for<'k>(
    keys: &'k SigningKeys,
    typ: &str,
    header: &[u8],
) -> Result<&'k SigningKey, TokenError> {
    let header: Header<'_> =
        object(header).ok_or(TokenError::Invalid("the header is not exactly alg, typ, kid"))?;
    if header.alg != ALGORITHM {
        return Err(TokenError::Invalid("alg is not EdDSA"));
    }
    if header.typ != typ {
        return Err(TokenError::Invalid("typ is not that of this kind of token"));
    }
    if header.kid.len() > KID_LENGTH_MAX {
        return Err(TokenError::Invalid("kid is longer than 64 characters"));
    }
    keys.get(&header.kid).ok_or(TokenError::Invalid("kid names no key"))
}

/// One segment: canonical base64url without padding (RFC 7515 section 2).
fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    // The engine refuses padding, foreign characters and trailing bits that are not zero.
    URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| TokenError::Invalid("a segment is not canonical base64url"))
}

fn segment<T: Serialize>(value: &T) -> Result<String, SigningError> {
    serde_json::to_vec(value)
        .map(|json| URL_SAFE_NO_PAD.encode(json))
        .map_err(|_| SigningError::Refused)
}

/// A JSON object with exactly the members of `T`, each once. `serde` would also read a struct
/// from an array; that is refused by its first character.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    if json.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(json).ok()
}

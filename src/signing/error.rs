//! What can go wrong when tokens are minted or verified. Knows no HTTP status.

use crate::entropy::NoEntropy;

/// Why nothing was signed, sealed or generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The generator gave no bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// A time lies outside what a token can say: 1970 to 9999, in whole seconds.
    #[error("a time is outside the years 1970 to 9999")]
    TimeOutOfRange,
    /// The claims contradict each other or the format; the text says how.
    #[error("the claims cannot be signed: {0}")]
    BadClaims(&'static str),
    /// The token would be longer than a verifier accepts.
    #[error("the token would be longer than 4096 characters")]
    TooLong,
    /// The cryptographic library refused the key or the operation.
    #[error("the cryptographic library refused the operation")]
    Refused,
}

/// Why a token was not accepted.
///
/// The signature is checked before the time: `Expired` is only said about tokens this service did sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token of this kind from this service. The reason is for the log alone: the one
    /// who presented it learns nothing more than that it is invalid.
    #[error("the token is invalid: {0}")]
    Invalid(&'static str),
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
}

//! Tokens, keys and seals: bytes in, bytes out.
//!
//! Everything that touches a secret key happens in here. It knows no database, no HTTP and no
//! clock; time and randomness are parameters. Only [`keyring_file`], [`witness_key`] and
//! [`last_signed`] do I/O.
//!
//! - [`keyring`]: the keys in four separate sets, and their rotation.
//! - [`keyring_file`]: the keys on disk.
//! - [`last_signed`]: the last signed checkpoint, on disk beside the keys.
//! - [`witness_key`]: the key of a witness, on disk.
//! - [`grant_token`], [`session_token`]: the two kinds of token, each with keys, type and claims
//!   of its own, over one strict core ([`jws`]).
//! - [`dpop`]: proofs that a request comes from the device that has a key, and [`dpop_nonce`]: what keeps them fresh.
//! - [`jwks`]: the public halves, for others.
//! - [`sealed`]: secrets of others, encrypted before they are stored.
//! - [`secret`]: secrets of API clients and sessions, stored as digests only.

mod device_key;
pub mod digest;
pub mod dpop;
pub mod dpop_nonce;
pub mod error;
pub mod grant_token;
mod issuers;
pub mod jwks;
pub mod jws;
pub mod keyring;
pub mod keyring_file;
pub mod last_signed;
mod numeric_date;
pub mod provider;
pub mod sealed;
pub mod sealing_key;
pub mod secret;
pub mod session_token;
pub mod signing_key;
pub mod standard_webhook;
pub mod webhook_signature;
pub mod witness_key;

#[cfg(test)]
mod grant_token_test;
#[cfg(test)]
mod keyring_file_test;
#[cfg(test)]
mod keyring_test;
#[cfg(test)]
mod sealed_test;
#[cfg(test)]
mod session_token_test;
#[cfg(test)]
mod vectors_test;

pub use error::{SigningError, TokenError};
pub use issuers::Issuers;
pub use keyring::Keyring;

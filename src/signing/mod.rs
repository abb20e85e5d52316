//! Keys and what they sign and seal: bytes in, bytes out. Three sets of keys, none of which is
//! ever used for another's purpose. All cryptography is `ring`'s. Nothing here knows a database
//! or HTTP; only [`keyring_file`] touches a file.

pub mod digest;
pub mod grant_token;
pub mod jwks;
pub mod jws;
pub mod keyring;
pub mod keyring_file;
pub mod provider;
pub mod sealed;
pub mod secret;
pub mod session_token;
#[cfg(test)]
mod vectors_test;

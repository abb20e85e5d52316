//! The Smartcar protocol as types: what is said on the wire, in both directions and in both
//! versions of the API, and what the cloud sends by itself.
//!
//! The connector speaks it as a client; the simulator and the facade speak it as servers. It
//! does no I/O, decides nothing, and knows no other part of the crate.

pub mod error;
pub mod error_kind;
pub mod permission;
pub mod v2;
pub mod v3;
pub mod webhook;

#[cfg(test)]
mod error_test;
#[cfg(test)]
mod webhook_test;

pub use error::{ErrorBody, OAuthError, Resolution};
pub use error_kind::ErrorKind;

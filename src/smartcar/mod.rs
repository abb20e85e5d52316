//! The Smartcar protocol, version 2.0, as types: what is said on the wire, in both directions.
//!
//! The connector speaks it as a client; the simulator and the facade speak it as servers. It
//! does no I/O, decides nothing, and knows no other part of the crate.

pub mod error;
pub mod error_kind;
pub mod permission;
pub mod v2;

#[cfg(test)]
mod error_test;

pub use error::{ErrorBody, OAuthError, Resolution};
pub use error_kind::ErrorKind;

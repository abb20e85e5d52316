//! Keylend lends car keys.
//!
//! The map of the crate, from the rules outwards. Imports point one way, from the bottom of this
//! list to its top; `tests/it/house.rs` checks it.
//!
//! - [`domain`]: the rules of lending, pure.
//! - [`clock`], [`entropy`]: time and randomness as parameters.
//! - [`signing`]: tokens, keys and seals; bytes in, bytes out.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that meets the unexpected should stop right there"
    )
)]

pub mod clock;
pub mod domain;
pub mod entropy;
pub mod signing;
pub mod storage;

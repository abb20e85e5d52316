//! Keylend lends car keys.
//!
//! The map of the crate, from the rules outwards. Imports point one way, from the bottom of this
//! list to its top; `tests/it/house.rs` checks it.
//!
//! - [`cli`]: what the binary is told, by flags and environment.
//! - [`http`]: the interface for programs.
//! - [`service`]: the use cases.
//! - [`storage`], [`connector`]: the database and the vehicle cloud.
//! - [`config`], [`telemetry`]: settings as types; what is logged and measured.
//! - [`domain`]: the rules of lending, pure.
//! - [`clock`], [`entropy`]: time and randomness as parameters.

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

pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod domain;
pub mod entropy;
pub mod http;
pub mod service;
pub mod storage;
pub mod telemetry;

//! Keylend lends car keys.
//!
//! The map of the crate, from the rules outwards. Imports point one way, from the bottom of this
//! list to its top; `tests/it/house.rs` checks it.
//!
//! - [`domain`]: the rules of lending, pure.
//! - [`clock`], [`entropy`]: time and randomness as parameters.
//! - [`smartcar`]: the words of the vehicle cloud, as types.
//! - [`audit`]: the record as mathematics: entries, tree, checkpoints, proofs.
//! - [`disk`]: files and folders that survive a power failure, and what ends the process when a
//!   disk fails.
//! - [`signing`]: keys, tokens and sealed secrets: bytes in, bytes out.
//! - [`auth`]: passwords hashed slowly, failures of sign-in throttled.
//! - [`connector`]: the contract with a vehicle cloud, and its one implementation.
//! - [`storage`]: what is kept, in one SQL text for two databases.
//! - [`service`]: the use cases.
//! - `tally`: what the cases of property tests met, compiled for tests only.
//! - `rehearsal`: the service under a seeded scheduler, compiled for tests only.
//! - [`http`]: the API and the facade.
//! - [`worker`]: what goes on without a request.
//! - [`simulator`]: a vehicle cloud of its own.
//! - [`witness`]: cosigns the checkpoints of logs, as a server of its own.
//! - [`config`], [`telemetry`]: settings, logs and metrics.
//! - [`app`]: the composition root.
//! - [`cli`]: the command line.

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

pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod disk;
#[macro_use]
pub mod domain;
pub mod entropy;
pub mod http;
#[cfg(test)]
mod rehearsal;
pub mod service;
pub mod signing;
pub mod simulator;
pub mod smartcar;
pub mod storage;
#[cfg(test)]
mod tally;
pub mod telemetry;
pub mod witness;
pub mod worker;

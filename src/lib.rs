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
//! - [`measures`]: what is measured.
//! - [`config`], [`telemetry`]: settings, and how it is logged and measured.
//! - [`app`]: the composition root.
//! - [`cli`]: the command line.
//!
//! # The promises
//!
//! Comments name the promise that a line serves. `ARCHITECTURE.md` says by which mechanism each is kept and
//! which test tries to break it.
//!
//! - **P1** Nothing unrecorded: no command leaves before its authorization and its audit entry are committed,
//!   in one transaction.
//! - **P2** Revocation is a line: no authorization commits after the revocation of its grant has committed,
//!   on any instance.
//! - **P3** Revocation can be waited for: `revoke` lists the commands in flight, and with `?wait=drain` it
//!   answers when none of them can still leave.
//! - **P4** At most once: a request causes at most one send, also after retries, crashes and with several
//!   instances.
//! - **P5** Honest outcomes: an acknowledgement is not a door that moved, and what may have happened is
//!   `unknown`, never `failed`, until the car's state was read.
//! - **P6** Nothing lost: what a 2xx answer says is durable, and every authorized command reaches a last
//!   status.
//! - **P7** The record shows tampering: a verifier that trusts only public keys finds every change of the
//!   record before the last checkpoint that somebody else has.
//! - **P8** Nothing widens by accident: no missing field, amendment or delegation makes a grant allow more
//!   than its issuer said.
//! - **P9** Fail closed: without database, keys or agreement of clocks there is no unlock.
//! - **P10** Nothing crosses: the objects of another organization are not found, and appear in no list.
//!
//! Three more belong to what is not built yet: **P11** a car can always be closed, **P12** a link opens
//! nothing twice, **P13** nobody acts as another unseen.

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
pub mod measures;
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

//! The one integration-test binary.
//!
//! Cargo links every file directly under `tests/` into a binary of its own, each with the whole
//! crate and its dependencies in it. One binary is linked once, and its tests share one database
//! cluster. So: add a module here, never a file beside this folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop right there"
)]

mod alerts;
mod api;
mod attacks;
mod authorization;
mod booking;
mod checker;
mod client;
mod command_line;
mod connector;
mod contract;
mod corrupt_rows;
mod crowd;
mod deliveries;
mod demo;
mod device_clients;
mod exclusive;
mod fault_table;
mod first_minutes;
mod generated_clients;
mod hostile;
mod house;
mod late_decisions;
mod lines;
mod metrics;
mod oauth_clients;
mod readme;
mod record;
mod recovery;
mod revocation;
mod sdk;
mod statements;
mod support;
mod torture;
mod trouble;

//! The rules of lending a key, and nothing else.
//!
//! Everything here is pure: facts and the time come in, verdicts go out. It knows no database,
//! no HTTP, no async runtime, no clock and no randomness.

pub mod id;
pub mod time;

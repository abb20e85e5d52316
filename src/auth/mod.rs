//!
//! It knows no database, no HTTP and no sessions: the caller brings what is stored and decides
//! what follows from the answer.

pub mod password;

pub use password::{PasswordError, PasswordHasher, Verdict};

//! The use cases: what actors do, one at a time. They know the rules and the stores, not HTTP.

pub mod error;

pub use error::*;

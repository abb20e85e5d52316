//! How credentials are checked: passwords are hashed and compared, failures are throttled.
//!
//! It knows no database, no HTTP and no sessions: the caller brings what is stored and decides
//! what follows from the answer.

mod bounded;
mod limiter;
pub mod password;
pub mod throttle;

pub use password::{PasswordError, PasswordHasher, Verdict};
pub use throttle::{AccountKey, RetryAfter, Throttle};

//! How credentials are checked: passwords are hashed and compared, failures are throttled, and so
//! is anyone who asks too often without any.
//!
//! It knows no database, no HTTP and no sessions: the caller brings what is stored and decides
//! what follows from the answer.

mod bounded;
mod limiter;
mod network;
pub mod password;
pub mod throttle;
pub mod visits;

pub use limiter::Limiter;
pub use network::Network;
pub use password::{PasswordError, PasswordHasher, Verdict};
pub use throttle::{AccountKey, RetryAfter, Throttle};
pub use visits::Visits;

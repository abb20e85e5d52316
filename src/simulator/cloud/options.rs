//! What a vehicle cloud starts with.

use std::path::PathBuf;
use std::time::Duration;

use super::connect::ConnectOptions;
use super::fleet::Fleet;

/// What a vehicle cloud starts with.
#[derive(Debug, Default)]
pub struct Options {
    /// The cars of the one owner that the cloud knows.
    pub fleet: Fleet,
    /// Whether the owner agrees to everything without being shown a page.
    pub auto_approve: bool,
    /// A file that gets one JSON line for each command that a car really executed.
    pub journal: Option<PathBuf>,
    /// Whether cars behave as the official simulated ones: commands succeed and change nothing.
    pub as_official: bool,
    /// How owners come back from Connect.
    pub connect: ConnectOptions,
    /// The application management token; `simulated-token-of-webhooks` if none is chosen.
    pub management_token: Option<String>,
    /// How long to wait before each further attempt to deliver an event; 25, 50 and 100 seconds if
    /// it is not said.
    pub webhook_retries: Option<Vec<Duration>>,
}

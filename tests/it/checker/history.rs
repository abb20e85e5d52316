//! What is known of a run, from three sources that do not trust each other: the clients' own log,
//! the journal of the cars, and the record with the rows it describes.
//!
//! Moments of clients and cars are microseconds on one clock of the machine that nobody sets.
//! Moments of the record are on the wall clock.

use std::collections::HashMap;

use keylend::audit::checkpoint::TreeHead;
use keylend::domain::time::Timestamp;
use serde_json::Value;

/// A run from its beginning to its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// What clients asked for.
    pub(crate) requests: Vec<Request>,
    /// What cars did, in the order of the journal.
    pub(crate) executions: Vec<Execution>,
    /// The record: its leaves in the order of their positions.
    pub(crate) leaves: Vec<Vec<u8>>,
    /// Every checkpoint that a client was shown, its signature verified.
    pub(crate) heads: Vec<TreeHead>,
    /// The status in the row of each command, at the end.
    pub(crate) statuses: HashMap<String, String>,
    /// The cars by the service's id.
    pub(crate) cars: HashMap<String, Car>,
    /// When the service became able to work, each time.
    pub(crate) restarts: Vec<Timestamp>,
    /// When nothing could be committed.
    pub(crate) outages: Vec<Outage>,
    /// When a process stood still.
    pub(crate) stalls: Vec<Stall>,
    /// How far the wall clocks of those who write may be apart.
    pub(crate) clocks_apart_us: i64,
}

/// What a client asked for, once: a repetition is another request with the same key.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Its `X-Request-Id`, which no other request has.
    pub(crate) request_id: String,
    pub(crate) begun_us: u64,
    pub(crate) organization_id: String,
    /// Its `Idempotency-Key`. No two clients use the same.
    pub(crate) key: Option<String>,
    pub(crate) asked: Asked,
    /// `None` if the connection broke before there was a whole answer.
    pub(crate) answer: Option<Answer>,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Command {
        vehicle_id: String,
        action: String,
        grant_id: Option<String>,
    },
    Issue {
        vehicle_id: String,
        grantee_id: String,
        entitlements: Vec<String>,
        uses_max: Option<i64>,
    },
    /// What is `None` is to stay as it is; the inner `None` is no limit.
    Amend {
        grant_id: String,
        entitlements: Option<Vec<String>>,
        uses_max: Option<Option<i64>>,
    },
    Revoke {
        grant_id: String,
        drain: bool,
    },
    /// To pause what rests on this grant, person or car.
    Hold {
        over: String,
        allow_lock: bool,
    },
    /// To end all that was lent to this person, or of this car.
    EndAll {
        over: String,
    },
    /// To lift a hold.
    Lift {
        hold_id: String,
    },
    /// To go on with a session by this token.
    Refresh {
        token: String,
    },
    SignIn,
}

/// What a client was told.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) at_us: u64,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// Whether it says what was made, which of a command may be that it did not happen.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) || self.body["command"].is_object()
    }

    /// Whether the client was told to come again later: nothing is known to have been done.
    pub(crate) fn is_turning_away(&self) -> bool {
        self.status == 503 && !self.is_success()
    }

    /// A member of what was made that is a text.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        let command = &self.body["command"];
        let made = if command.is_object() { command } else { &self.body };
        made[member].as_str()
    }
}

impl Request {
    /// The answer, if it says what was made.
    pub(crate) fn success(&self) -> Option<&Answer> {
        self.answer.as_ref().filter(|answer| answer.is_success())
    }
}

/// Something a car did.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    /// It happened between these moments: the journal's clock is known this well.
    pub(crate) earliest_us: u64,
    pub(crate) latest_us: u64,
    pub(crate) at: Timestamp,
    /// The vehicle cloud's id of the car.
    pub(crate) provider_vehicle_id: String,
    /// `unlock`, `lock` and the others.
    pub(crate) action: String,
    /// What the service called the request.
    pub(crate) command_id: Option<String>,
}

/// A car as the service knows it.
#[derive(Debug, Clone)]
pub(crate) struct Car {
    pub(crate) provider_vehicle_id: String,
    pub(crate) organization_id: String,
}

/// A time in which nothing could be committed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) from_us: u64,
    pub(crate) until_us: u64,
}

/// A time in which a process stood still.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stall {
    pub(crate) from_us: u64,
    pub(crate) until_us: u64,
}

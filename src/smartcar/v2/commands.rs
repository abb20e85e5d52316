//! What API v2.0 takes when a car is told to do something, and the one answer to all of it
//! (protocol page, section 2.4).

use serde::{Deserialize, Deserializer, Serialize};

/// The message of every successful command.
pub const ACTION_MESSAGE: &str = "Successfully sent request to vehicle";
/// The status of every successful command.
pub const ACTION_STATUS: &str = "success";

/// What a car can be told about its doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SecurityAction {
    /// Lock all doors.
    Lock,
    /// Unlock all doors.
    Unlock,
}

/// What a car can be told about charging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChargeAction {
    /// Start charging.
    Start,
    /// Stop charging.
    Stop,
}

/// Body of `POST /vehicles/{id}/security` and of `POST /vehicles/{id}/charge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest<A> {
    /// What the car is told.
    pub action: A,
}

/// Body of `POST /vehicles/{id}/charge/limit`. One SDK sends the number as a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LimitRequest {
    /// From 0.5 to 1.
    #[serde(deserialize_with = "number")]
    pub limit: f64,
}

/// Body of `POST /vehicles/{id}/navigation/destination`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DestinationRequest {
    /// Degrees, from -90 to 90.
    #[serde(deserialize_with = "number")]
    pub latitude: f64,
    /// Degrees, from -180 to 180.
    #[serde(deserialize_with = "number")]
    pub longitude: f64,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(f64),
        Text(String),
    }
    let number = match Number::deserialize(deserializer)? {
        Number::Number(number) => Some(number),
        Number::Text(text) => text.trim().parse().ok(),
    };
    number.filter(|number: &f64| number.is_finite()).ok_or_else(|| {
        serde::de::Error::custom("must be a finite number, or a text that holds one")
    })
}

/// Answer to every command that the cloud took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionAnswer {
    /// [`ACTION_STATUS`].
    pub status: String,
    /// [`ACTION_MESSAGE`].
    pub message: String,
}

impl ActionAnswer {
    /// The documented answer.
    #[must_use]
    pub fn success() -> Self {
        Self { status: ACTION_STATUS.to_owned(), message: ACTION_MESSAGE.to_owned() }
    }
}

/// Answer of `DELETE /vehicles/{id}/application` and of other deletions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// [`ACTION_STATUS`].
    pub status: String,
}

impl StatusAnswer {
    /// The documented answer.
    #[must_use]
    pub fn success() -> Self {
        Self { status: ACTION_STATUS.to_owned() }
    }
}

//! Requests and answers of API v2.0 and of its token endpoint. Field names are those of the wire;
//! unknown fields are ignored by readers. What goes wrong is in [`super::error`].

use serde::{Deserialize, Serialize};

pub mod batch;
pub mod commands;
pub mod management;
pub mod reads;
pub mod units;

#[cfg(test)]
#[path = "v2/bodies_test.rs"]
mod tests;

pub use commands::{
    ACTION_MESSAGE, ACTION_STATUS, ActionAnswer, ActionRequest, ChargeAction, SecurityAction,
    StatusAnswer,
};
pub use reads::{Part, Security, Vin};
pub use units::{InUnits, UnitSystem};

/// Header: the cloud's own name of the request, a UUID, on every answer.
pub const HEADER_REQUEST_ID: &str = "sc-request-id";
/// Header: when the car reported what is answered, ISO 8601.
pub const HEADER_DATA_AGE: &str = "sc-data-age";
/// Header: when the cloud fetched what is answered, ISO 8601.
pub const HEADER_FETCHED_AT: &str = "sc-fetched-at";
/// Header: `metric` or `imperial`, in requests and in answers.
pub const HEADER_UNIT_SYSTEM: &str = "sc-unit-system";

/// How long an access token lives, in seconds.
pub const ACCESS_TOKEN_LIFETIME_S: u64 = 7200;
/// How many entries a page has if the request names no limit.
pub const PAGE_LIMIT_DEFAULT: u32 = 10;
/// How many entries a page has at most.
pub const PAGE_LIMIT_MAX: u32 = 50;

/// Answer of the token endpoint, to an exchange and to a refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// Sent with each call.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// Usable once, for the next pair.
    pub refresh_token: String,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Entries of the whole list, not of the page.
    pub count: u32,
    /// Entries before the page.
    pub offset: u32,
}

/// Answer of `GET /user`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The cloud's id of the owner.
    pub id: String,
}

/// Answer of `GET /vehicles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VehicleList {
    /// Ids of cars.
    pub vehicles: Vec<String>,
    /// Where this page stands.
    pub paging: Paging,
}

/// Answer of `GET /vehicles/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The cloud's id of the car.
    pub id: String,
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year; a number, although one documented example shows a text.
    #[serde(deserialize_with = "year")]
    pub year: i32,
}

fn year<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Year {
        Number(i32),
        Text(String),
    }
    match Year::deserialize(deserializer)? {
        Year::Number(year) => Ok(year),
        Year::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// Answer of `GET /vehicles/{id}/permissions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionList {
    /// Names as in [`super::permission`].
    pub permissions: Vec<String>,
    /// Where this page stands.
    pub paging: Paging,
}

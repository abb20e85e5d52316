//! Requests and answers of API v3 (protocol page, section 5): JSON:API documents, metric units,
//! percentages from 0 to 100, one token for the application and a header that names the owner.

use serde::{Deserialize, Serialize, Serializer};

pub mod command;
pub mod connection;
pub mod error;
pub mod signal;

#[cfg(test)]
#[path = "v3/bodies_test.rs"]
mod tests;

pub use command::{CommandBody, CommandKind, Execution};
pub use connection::{Connection, ConnectionList};
pub use error::{ErrorList, ErrorObject};
pub use signal::{Signal, SignalList};

/// Header of requests: the cloud's id of the owner, on signals and commands.
pub const HEADER_USER_ID: &str = "sc-user-id";
/// How long a token of the application lives, in seconds.
pub const TOKEN_LIFETIME_S: u64 = 3600;
/// How many entries a page has if the request names no size.
pub const PAGE_SIZE_DEFAULT: u32 = 10;
/// How many entries a page has at most.
pub const PAGE_SIZE_MAX: u32 = 100;

/// Answer of `POST /oauth2/token`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationTokenAnswer {
    /// Sent with each call.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds that the token lives.
    pub expires_in: u64,
}

impl std::fmt::Debug for ApplicationTokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplicationTokenAnswer")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// An answer about one thing. Smartcar's pages show a car under `data` and a signal without it, and
/// of its SDKs some read the one and some the other; so both are written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Document<T> {
    /// The thing.
    pub data: T,
}

impl<T: Serialize> Serialize for Document<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Both<'a, T> {
            #[serde(flatten)]
            bare: &'a T,
            data: &'a T,
        }
        Both { bare: &self.data, data: &self.data }.serialize(serializer)
    }
}

/// A link to the thing itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfLink {
    /// A path or an address.
    #[serde(rename = "self")]
    pub itself: String,
}

/// The name of another thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: String,
    /// Such as `vehicle`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A car, as the data of `GET /vehicles/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vehicle {
    /// The cloud's id of the car.
    pub id: String,
    /// Always `vehicle`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is.
    pub attributes: VehicleAttributes,
    /// Where it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<SelfLink>,
}

/// What a car is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VehicleAttributes {
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i32,
    /// Such as `BEV`, `ICE` or `PHEV`.
    #[serde(default)]
    pub powertrain_type: Option<String>,
    /// `live` or `simulated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

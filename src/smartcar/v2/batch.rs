//! Several reads in one request (protocol page, section 2.2): the outer answer is a success also
//! if every item failed.

use serde::{Deserialize, Serialize};

/// Body of `POST /vehicles/{id}/batch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRequest {
    /// What is to be read, in order.
    pub requests: Vec<BatchItem>,
}

/// One read of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchItem {
    /// Below the car, such as `/odometer`; `/` is the attributes.
    pub path: String,
}

/// Answer of `POST /vehicles/{id}/batch`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// One for each read, in the order of the request.
    pub responses: Vec<BatchItemAnswer>,
}

/// The answer to one read of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchItemAnswer {
    /// As it was asked for.
    pub path: String,
    /// The HTTP status that the read alone would have had.
    pub code: u16,
    /// The headers that tell unit system and age. Two SDKs fail without it.
    #[serde(default)]
    pub headers: BatchHeaders,
    /// The body that the read alone would have had.
    pub body: serde_json::Value,
}

/// The headers of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BatchHeaders {
    /// When the car reported it, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sc_data_age: Option<String>,
    /// When the cloud fetched it, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sc_fetched_at: Option<String>,
    /// `metric` or `imperial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sc_unit_system: Option<String>,
}

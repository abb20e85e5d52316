//! What API v3 says when something goes wrong (protocol page, section 5.5): a list, of which the
//! first entry counts. Types and codes are those of API v2.0, with two of its own.

use serde::{Deserialize, Deserializer, Serialize};

use crate::smartcar::error::Resolution;
use crate::smartcar::{ErrorBody, ErrorKind};

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorList {
    /// At least one.
    pub errors: Vec<ErrorObject>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorObject {
    /// The cloud's own name of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The HTTP status, as a text; a number is read too.
    #[serde(default, deserialize_with = "status")]
    pub status: String,
    /// The family, such as `VEHICLE_STATE`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The member of the family, such as `ASLEEP`.
    #[serde(default)]
    pub code: Option<String>,
    /// A few words.
    #[serde(default)]
    pub title: Option<String>,
    /// A sentence for the developer.
    #[serde(default)]
    pub detail: Option<String>,
    /// Where it is documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<AboutLink>,
    /// What helps.
    #[serde(default, deserialize_with = "crate::smartcar::error::resolution")]
    pub resolution: Resolution,
    /// A sentence for the person at the car.
    #[serde(default)]
    pub suggested_user_message: Option<String>,
}

/// Where an error is documented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutLink {
    /// An address.
    #[serde(default)]
    pub about: Option<String>,
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Status {
        Text(String),
        Number(u16),
    }
    Ok(match Option::<Status>::deserialize(deserializer)? {
        None => String::new(),
        Some(Status::Text(text)) => text,
        Some(Status::Number(number)) => number.to_string(),
    })
}

impl ErrorList {
    /// The documented answer for one error.
    #[must_use]
    pub fn of(kind: ErrorKind, request_id: &str) -> Self {
        let (error_type, code) = (kind.error_type(), kind.code());
        // The two families whose codes differ from those of v2.0.
        let code = match (error_type, code) {
            ("AUTHENTICATION", None) => Some("UNAUTHORIZED"),
            ("VALIDATION", _) => Some("INVALID_INPUT_FORMAT"),
            (_, code) => code,
        };
        let v2 = ErrorBody::new(kind, request_id);
        Self {
            errors: vec![ErrorObject {
                id: Some(request_id.to_owned()),
                status: kind.status().to_string(),
                kind: error_type.to_owned(),
                code: code.map(str::to_owned),
                title: Some(code.unwrap_or(error_type).to_owned()),
                detail: Some(v2.description),
                links: Some(AboutLink { about: v2.doc_url }),
                resolution: v2.resolution,
                suggested_user_message: v2.suggested_user_message,
            }],
        }
    }

    /// The same answer with a sentence of its own.
    #[must_use]
    pub fn detailing(mut self, detail: impl Into<String>) -> Self {
        if let Some(first) = self.errors.first_mut() {
            first.detail = Some(detail.into());
        }
        self
    }
}

//! What the cloud says when something goes wrong: the envelope of API v2.0 and the RFC 6749 shape
//! of the token endpoint. One table lists every documented error. The reader forgives what older
//! answers do differently; it does not decide whether to try again.

use serde::{Deserialize, Deserializer, Serialize};

use super::error_kind::ErrorKind;

/// Where the documentation of errors lives; `docURL` is made from it.
const DOC_BASE: &str = "https://smartcar.com/docs/errors/api-errors/";

/// An error of API v2.0. Empty fields are sent as `null`, except `detail`, which is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The family, such as `VEHICLE_STATE`; empty if the answer named none. Read also from
    /// `error`.
    #[serde(rename = "type", alias = "error", default, deserialize_with = "or_default")]
    pub error_type: String,
    /// The member of the family, such as `ASLEEP`.
    #[serde(default)]
    pub code: Option<String>,
    /// A sentence for the developer. Read also from `error_description`.
    #[serde(alias = "error_description", default, deserialize_with = "or_default")]
    pub description: String,
    /// Where the error is documented.
    #[serde(rename = "docURL", default)]
    pub doc_url: Option<String>,
    /// The HTTP status once more.
    #[serde(default)]
    pub status_code: Option<u16>,
    /// The cloud's own name of the request.
    #[serde(default)]
    pub request_id: Option<String>,
    /// What helps.
    #[serde(default, deserialize_with = "resolution")]
    pub resolution: Resolution,
    /// A sentence for the person at the car.
    #[serde(default)]
    pub suggested_user_message: Option<String>,
    /// More about a `VALIDATION` error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

/// What helps against an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// `RETRY_LATER`, `REAUTHENTICATE`, `CONTACT_SUPPORT` and others; `None` if nothing does.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// Where to send the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A field that older answers send as `null` or not at all.
fn or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Older answers have a text or `null` in place of the object.
pub(super) fn resolution<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Resolution, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Text(String),
        Object(Resolution),
    }
    Ok(match Option::<Shape>::deserialize(deserializer)? {
        None => Resolution::default(),
        Some(Shape::Object(resolution)) => resolution,
        Some(Shape::Text(text)) => Resolution { kind: Some(text), url: None },
    })
}

impl ErrorBody {
    /// The documented body of this error.
    #[must_use]
    pub fn new(kind: ErrorKind, request_id: &str) -> Self {
        let code = kind.code();
        Self {
            error_type: kind.error_type().to_owned(),
            code: code.map(str::to_owned),
            description: kind.description().to_owned(),
            doc_url: Some(doc_url(kind.error_type(), code)),
            status_code: Some(kind.status()),
            request_id: Some(request_id.to_owned()),
            resolution: Resolution {
                kind: kind.resolution().map(str::to_owned),
                url: kind.resolution_url().map(str::to_owned),
            },
            suggested_user_message: kind.user_message().map(str::to_owned),
            detail: None,
        }
    }

    /// The same error with a description of its own.
    #[must_use]
    pub fn describing(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Which documented error this is; `None` for one that is not in the table.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        ErrorKind::find(&self.error_type, self.code.as_deref())
    }
}

fn doc_url(error_type: &str, code: Option<&str>) -> String {
    let page = error_type.to_ascii_lowercase().replace('_', "-");
    let anchor = code.unwrap_or_default().to_ascii_lowercase();
    match code {
        Some(_) => format!("{DOC_BASE}{page}-errors#{}", anchor.replace('_', "-")),
        None => format!("{DOC_BASE}{page}-errors"),
    }
}

/// An error of the token endpoint (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthError {
    /// Such as `invalid_grant`.
    pub error: String,
    /// A sentence for the developer.
    #[serde(default)]
    pub error_description: Option<String>,
}

impl OAuthError {
    /// An error with its description.
    #[must_use]
    pub fn new(error: &str, description: &str) -> Self {
        Self { error: error.to_owned(), error_description: Some(description.to_owned()) }
    }
}

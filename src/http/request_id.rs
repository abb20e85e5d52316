//! The name of one request: the client's own `X-Request-Id` if it is a UUID, or one made here. It is echoed on
//! every answer and stands in the log, in problems and in the record.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use crate::clock::Clock;
use crate::entropy::Entropy;

/// The header's name.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A UUID without and with its hyphens.
const LENGTHS: [usize; 2] = [32, 36];
/// Stands for the name of a request that has none.
const NAMELESS: &str = "-";

/// The name of one request. Handlers may take it as an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The client's name for the request if it is usable, else a new one.
    pub(super) fn of(headers: &HeaderMap, entropy: &dyn Entropy, clock: &dyn Clock) -> Self {
        let given = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_usable(text));
        match given {
            Some(text) => Self(text.into()),
            // A name is no secret: a request without entropy goes on until it needs some.
            None => match entropy.uuid(clock.now()) {
                Ok(uuid) => Self(uuid.hyphenated().to_string().into()),
                Err(_) => Self(NAMELESS.into()),
            },
        }
    }

    /// The name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the value of a header.
    pub(super) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static(NAMELESS))
    }

    pub(super) fn from_extensions(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self(NAMELESS.into()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_extensions(&parts.extensions))
    }
}

/// The record keeps names of requests for ever, and a person can only be erased from it if none says
/// anything of one: a UUID does not.
fn is_usable(text: &str) -> bool {
    LENGTHS.contains(&text.len()) && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;
    use crate::entropy::SeededEntropy;

    fn of(given: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(HEADER, HeaderValue::from_str(given).unwrap());
        }
        let clock = ManualClock::at(Timestamp::from_unix_seconds(1_800_000_000).unwrap());
        let id = RequestId::of(&headers, &SeededEntropy::from_seed(1), &clock);
        id.as_str().to_owned()
    }

    #[test]
    fn a_usable_name_is_kept_and_any_other_replaced() {
        for uuid in ["3f2A1c00-0b1e-4d55-9c1f-2f0f8f6c1a77", "3f2a1c000b1e4d559c1f2f0f8f6c1a77"] {
            assert_eq!(of(Some(uuid)), uuid);
        }
        let braced = "{3f2a1c00-0b1e-4d55-9c1f-2f0f8f6c1a77}";
        let long = "a".repeat(129);
        let person = "kim.doe-at-example.com";
        for unusable in [None, Some(""), Some("a b"), Some(person), Some(braced), Some(&*long)] {
            let own = of(unusable);
            assert_eq!(own.len(), 36, "{unusable:?}");
            assert_ne!(Some(&*own), unusable);
        }
    }
}

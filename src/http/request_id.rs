//! The name of one request: the client's own `X-Request-Id`, or one made here. It is echoed on
//! every answer and stands in the log and in problems; the record has it too if it is a UUID, and
//! a name made here otherwise, which the log ties to the client's.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use crate::clock::Clock;
use crate::entropy::Entropy;

/// The header's name.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const LENGTH_MAX: usize = 128;
/// A UUID without and with its hyphens.
const UUID_LENGTHS: [usize; 2] = [32, 36];
/// Stands for the name of a request that has none.
const NAMELESS: &str = "-";

/// The name of one request. Handlers may take it as an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    shown: Arc<str>,
    recorded: Arc<str>,
}

impl RequestId {
    /// The client's name for the request if it is usable, else a new one.
    pub(super) fn of(headers: &HeaderMap, entropy: &dyn Entropy, clock: &dyn Clock) -> Self {
        let given = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_usable(text));
        if let Some(uuid) = given.filter(|text| is_uuid(text)) {
            return Self::one(uuid);
        }
        // A name is no secret: a request without entropy goes on until it needs some.
        let own = match entropy.uuid(clock.now()) {
            Ok(uuid) => Self::one(&uuid.hyphenated().to_string()),
            Err(_) => Self::one(NAMELESS),
        };
        match given {
            Some(text) => Self { shown: text.into(), ..own },
            None => own,
        }
    }

    fn one(name: &str) -> Self {
        let name: Arc<str> = name.into();
        Self { shown: Arc::clone(&name), recorded: name }
    }

    /// The name as the client, the log and problems have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The name as the record has it. The record keeps it for ever, and a person can only be
    /// erased from it if no name says anything of one: a UUID does not.
    #[must_use]
    pub fn recorded(&self) -> &str {
        &self.recorded
    }

    /// The name as the value of a header.
    pub(super) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.shown).unwrap_or(HeaderValue::from_static(NAMELESS))
    }

    pub(super) fn from_extensions(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_else(|| Self::one(NAMELESS))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_extensions(&parts.extensions))
    }
}

fn is_usable(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_uuid(text: &str) -> bool {
    UUID_LENGTHS.contains(&text.len()) && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;
    use crate::entropy::SeededEntropy;

    fn of(given: Option<&str>) -> RequestId {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(HEADER, HeaderValue::from_str(given).unwrap());
        }
        let clock = ManualClock::at(Timestamp::from_unix_seconds(1_800_000_000).unwrap());
        RequestId::of(&headers, &SeededEntropy::from_seed(1), &clock)
    }

    #[test]
    fn a_usable_name_is_kept_and_any_other_replaced() {
        assert_eq!(of(Some("Trip-7.a_b")).as_str(), "Trip-7.a_b");
        for unusable in [None, Some(""), Some("a b"), Some("a\"b"), Some(&*"a".repeat(129))] {
            assert_eq!(of(unusable).as_str().len(), 36, "{unusable:?}");
        }
    }

    #[test]
    fn the_record_is_told_uuids_alone() {
        for uuid in ["3f2A1c00-0b1e-4d55-9c1f-2f0f8f6c1a77", "3f2a1c000b1e4d559c1f2f0f8f6c1a77"] {
            assert_eq!(of(Some(uuid)).recorded(), uuid);
        }
        for other in [None, Some(""), Some("kim.doe-at-example.com"), Some("x-3f2a1c00-0b1e-4d55")]
        {
            let own = of(other);
            assert_eq!(own.recorded().len(), 36, "{other:?}");
            assert_ne!(Some(own.recorded()), other);
        }
    }
}

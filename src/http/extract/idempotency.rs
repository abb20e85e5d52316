//! The `Idempotency-Key` header (IETF draft-ietf-httpapi-idempotency-key-header): the client's
//! name for one request, so that repeating it does not do it twice.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::domain::schema::text;
use crate::http::problem::{Code, Problem};
use crate::service::Violation;

/// The header's name.
const HEADER: &str = "idempotency-key";

/// Set to `true` on an answer that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const LENGTH_MAX: usize = 255;

/// The key of a request that must have one. `Option<IdempotencyKey>` is for those that may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

described!(
    IdempotencyKey,
    text(
        "The client's name for one request. Repeating a request with its key gives the same answer and does nothing twice."
    )
    .pattern(Some("^[!#-~]{1,255}$"))
    .examples(["8e03978e-40d5-43e8-bc93-6894a57f9324"])
);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        key(&parts.headers)?.ok_or_else(|| Problem::of(Code::IdempotencyKeyRequired))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        key(&parts.headers)
    }
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("must be sent once"));
    }
    let text = value.to_str().unwrap_or_default();
    // The draft's form is a Structured-Fields string (RFC 9651); most clients send it bare.
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let is_key = (1..=LENGTH_MAX).contains(&bare.len())
        && bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if is_key {
        Ok(Some(IdempotencyKey(bare.to_owned())))
    } else {
        Err(invalid("must be 1 to 255 visible ASCII characters"))
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::invalid(vec![Violation::of("Idempotency-Key", "invalid", detail)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(values: &[&[u8]]) -> Result<Option<String>, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        key(&headers).map(|key| key.map(|key| key.0)).map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_may_be_bare_or_quoted() {
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[b"8e03-x"]), Ok(Some("8e03-x".into())));
        assert_eq!(of(&[b"\"8e03-x\""]), Ok(Some("8e03-x".into())));
        assert_eq!(of(&[&[b'k'; 255]]), Ok(Some("k".repeat(255))));
    }

    #[test]
    fn what_is_no_single_key_is_refused() {
        let long = [b'k'; 256];
        let wrong: [&[&[u8]]; 7] = [
            &[b""],
            &[b"\"\""],
            &[b"\"half"],
            &[b"two words"],
            &["schlüssel".as_bytes()],
            &[&long],
            &[b"one", b"two"],
        ];
        for values in wrong {
            assert_eq!(of(values), Err(Code::ValidationFailed), "{values:?}");
        }
    }

    #[tokio::test]
    async fn a_key_is_missed_where_it_is_required() {
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        let required =
            <IdempotencyKey as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
        assert_eq!(required.unwrap_err().code(), Code::IdempotencyKeyRequired);
        let optional =
            <IdempotencyKey as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &())
                .await;
        assert_eq!(optional.unwrap(), None);
    }
}

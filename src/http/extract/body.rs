//! A whole body: bounded in size, and in the time that it may take to arrive.

use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;

use crate::http::problem::{Code, Problem};

/// A longer body is refused.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// A body that takes longer is not waited for: 64 KiB in this time is slower than any telephone.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// The bytes of a body, as they were sent.
#[derive(Debug, Clone)]
pub struct WholeBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for WholeBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let arrived = tokio::time::timeout(BODY_TIME_MAX, Bytes::from_request(request, state));
        let body = arrived.await.map_err(|_| Problem::of(Code::BodyTooSlow))?;
        let body = body.map_err(|rejection| refused(&rejection))?;
        // The layer's limit holds for every body; this one also where there is no layer.
        if body.len() > BODY_BYTES_MAX {
            return Err(Problem::of(Code::BodyTooLarge));
        }
        Ok(Self(body))
    }
}

fn refused(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of(Code::BodyTooLarge),
        _ => Problem::of(Code::BodyIncomplete),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_given_up() {
        let never = stream::pending::<Result<Bytes, std::convert::Infallible>>();
        let request = Request::new(Body::from_stream(never));
        let problem = WholeBody::from_request(request, &()).await.unwrap_err();
        assert_eq!(problem.code(), Code::BodyTooSlow);
    }

    #[tokio::test]
    async fn a_body_has_a_greatest_length() {
        for (length, is_taken) in [(BODY_BYTES_MAX, true), (BODY_BYTES_MAX + 1, false)] {
            let request = Request::new(Body::from(vec![b' '; length]));
            assert_eq!(WholeBody::from_request(request, &()).await.is_ok(), is_taken, "{length}");
        }
    }
}

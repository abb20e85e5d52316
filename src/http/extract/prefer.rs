//! `Prefer: wait=N` (RFC 7240 section 4.3): how long a client would wait for an outcome. It is a
//! wish; what cannot be understood is as if it had not been said.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

const HEADER: &str = "prefer";
const WAIT_S_DEFAULT: u64 = 10;
const WAIT_S_MAX: u64 = 60;

/// How long to wait for an outcome before answering 202.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::IntoParams)]
#[into_params(names("Prefer"), parameter_in = Header)]
pub struct Wait(
    /// `wait=N`: answer 202 if there is no outcome after N seconds; 10 if it is not sent, at
    /// most 60 (RFC 7240).
    #[param(value_type = Option<String>)]
    pub Duration,
);

impl<S: Send + Sync> FromRequestParts<S> for Wait {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let seconds = wait_s(&parts.headers).unwrap_or(WAIT_S_DEFAULT);
        Ok(Self(Duration::from_secs(seconds.min(WAIT_S_MAX))))
    }
}

/// The first preference of that name counts (RFC 7240 section 2).
fn wait_s(headers: &HeaderMap) -> Option<u64> {
    headers
        .get_all(HEADER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next()?.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, value)| value.trim().trim_matches('"').parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds(prefer: &[&str]) -> u64 {
        let mut request = axum::http::Request::builder();
        for value in prefer {
            request = request.header(HEADER, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(Wait(wait)) = Wait::from_request_parts(&mut parts, &()).await;
        wait.as_secs()
    }

    #[tokio::test]
    async fn a_client_says_how_long_it_waits() {
        assert_eq!(seconds(&[]).await, 10);
        assert_eq!(seconds(&["wait=0"]).await, 0);
        assert_eq!(seconds(&["respond-async, Wait = 3; x=1"]).await, 3);
        assert_eq!(seconds(&["handling=lenient", "wait=\"7\"", "wait=9"]).await, 7);
    }

    #[tokio::test]
    async fn too_much_is_clamped_and_nonsense_ignored() {
        assert_eq!(seconds(&["wait=3600"]).await, 60);
        for nonsense in ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "waiting=3"] {
            assert_eq!(seconds(&[nonsense]).await, 10, "{nonsense}");
        }
    }
}

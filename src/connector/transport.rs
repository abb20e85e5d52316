//! One bounded HTTP exchange: the only room that builds an HTTP client.
//!
//! It decides what a broken exchange means for the car: nothing left this machine, or it may
//! have. It knows nothing of any vehicle cloud and does not judge an answer that arrived whole.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::{ConnectorError, Fault, Happened};

/// The longest body read, in bytes. Answers of a vehicle cloud are a few kilobytes.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest wait for a connection; shorter if the whole exchange has less time.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// An idle connection is given up before the cloud's end does so. A command written to a
/// connection that was just closed at the far end would have an unknown outcome.
const IDLE_TIME_MAX: Duration = Duration::from_secs(20);
/// Idle connections kept for each host.
const IDLE_CONNECTIONS_MAX: usize = 1024;

/// An answer that arrived whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status line's code.
    pub(super) status: StatusCode,
    /// All headers.
    pub(super) headers: HeaderMap,
    /// The body, at most [`BODY_BYTES_MAX`] bytes.
    pub(super) body: Vec<u8>,
}

/// A pool of connections with limits.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: reqwest::Client,
}

impl Transport {
    /// Prepares a pool whose exchanges end within `timeout`, from the first attempt to connect to
    /// the last byte of the body. Fails if the machine has no usable root certificates.
    pub(super) fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        // A second installation is refused, and then a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "the one room in which a client is built")]
        let client = reqwest::Client::builder()
            .user_agent(concat!("keylend/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // Half, so that a host that cannot be reached is told from one that does not answer.
            .connect_timeout(CONNECT_TIME_MAX.min(timeout / 2))
            .timeout(timeout)
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()?;
        Ok(Self { client })
    }

    /// Starts a request; nothing is sent before [`Transport::exchange`].
    pub(super) fn request(&self, method: http::Method, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends the request once and reads the answer to its end.
    ///
    /// # Errors
    ///
    /// `NotSent` only if no connection came about; everything else that breaks is `Maybe`.
    pub(super) async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, ConnectorError> {
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if chunk.len() > BODY_BYTES_MAX.saturating_sub(body.len()) {
                return Err(ConnectorError::bare(
                    Happened::Maybe,
                    Fault::Garbled,
                    format!("HTTP {} with more than {BODY_BYTES_MAX} bytes", status.as_u16()),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

/// What a broken exchange means.
fn broken(error: reqwest::Error) -> ConnectorError {
    let (happened, fault) = if error.is_builder() || error.is_connect() {
        (Happened::NotSent, Fault::Unavailable)
    } else if error.is_timeout() {
        (Happened::Maybe, Fault::TimedOut)
    } else {
        (Happened::Maybe, Fault::Unavailable)
    };
    ConnectorError::bare(happened, fault, causes(&error.without_url()))
}

/// The error and what it rests on, in one bounded line.
fn causes(error: &dyn std::error::Error) -> String {
    const DEPTH_MAX: usize = 6;
    let mut line = error.to_string();
    let mut cause = error.source();
    for _ in 0..DEPTH_MAX {
        let Some(error) = cause else { break };
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

impl ConnectorError {
    /// A call that was not made.
    #[must_use]
    pub fn local(fault: Fault, detail: &str) -> Self {
        Self::bare(Happened::NotSent, fault, detail)
    }

    /// An error about which the cloud itself said nothing.
    pub(super) fn bare(happened: Happened, fault: Fault, detail: impl AsRef<str>) -> Self {
        Self {
            happened,
            fault,
            provider_code: None,
            retry_after: None,
            user_message: None,
            provider_request_id: None,
            detail: printable(detail.as_ref(), DETAIL_CHARS_MAX),
        }
    }
}

/// The longest text kept for the log.
pub(super) const DETAIL_CHARS_MAX: usize = 300;

/// The beginning of a foreign text without control characters.
pub(super) fn printable(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars_max).collect()
}

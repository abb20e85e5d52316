//! One bounded HTTP exchange: the only module that builds an HTTP client.
//!
//! It decides what a broken exchange means for the car: nothing left this machine, or it may
//! have. It knows nothing of any vehicle cloud and does not judge an answer that arrived whole.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::{Client, Error as ClientError, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tower::BoxError;
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use url::form_urlencoded;

use super::guarded::{AddressGuard, is_refusal};
use super::{ConnectorError, Happened};
use crate::domain::fault::Fault;

/// The longest body read, in bytes. Answers of a vehicle cloud are a few kilobytes.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest wait for a connection; shorter if the whole exchange has less time.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// An idle connection is given up before the cloud's end does so. A command written to a
/// connection that was just closed at the far end would have an unknown outcome.
const IDLE_TIME_MAX: Duration = Duration::from_secs(20);
/// Idle connections kept for each host.
const IDLE_CONNECTIONS_MAX: usize = 1024;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("keylend/", env!("CARGO_PKG_VERSION")));
const ANY: HeaderValue = HeaderValue::from_static("*/*");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// What makes connections, each within a time limit.
type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// What is to be sent, if it can be.
pub(super) type Prepared = Result<Request<Bytes>, http::Error>;

/// An answer that arrived whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// The status line's code.
    pub(super) status: StatusCode,
    /// All headers.
    pub(super) headers: HeaderMap,
    /// The body, at most [`BODY_BYTES_MAX`] bytes.
    pub(super) body: Bytes,
}

/// A pool of connections with limits. It follows no redirect and unpacks nothing.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    client: Client<Connector, Full<Bytes>>,
    timeout: Duration,
}

impl Transport {
    /// Prepares a pool whose exchanges end within `timeout`, from the first attempt to connect to
    /// the last byte of the body. Fails if the machine has no usable root certificates.
    pub(super) fn new(timeout: Duration) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self::over(tcp, timeout)
    }

    /// The same, with connections that the guard has checked.
    pub(super) fn guarded(timeout: Duration, guard: AddressGuard) -> Result<Self, rustls::Error> {
        Self::over(guard, timeout)
    }

    fn over<C>(tcp: C, timeout: Duration) -> Result<Self, rustls::Error>
    where
        C: tower::Service<Uri, Response = TokioIo<TcpStream>> + Clone + Send + Sync + 'static,
        C::Error: Into<BoxError>,
        C::Future: Send + 'static,
    {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let https = https.enable_http1().enable_http2().wrap_connector(tcp);
        // Half, so that a host that cannot be reached is told from one that does not answer.
        let prompt = Timeout::new(https, CONNECT_TIME_MAX.min(timeout / 2));
        #[expect(clippy::disallowed_methods, reason = "the one module that builds a client")]
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(Connector::new(prompt));
        Ok(Self { client, timeout })
    }

    /// Sends the request once and reads the answer to its end.
    ///
    /// # Errors
    ///
    /// `NotSent` only if no connection came about; everything else that breaks is `Maybe`.
    pub(super) async fn exchange(&self, request: Prepared) -> Result<Answer, ConnectorError> {
        let mut request = request.map_err(|error| {
            ConnectorError::bare(Happened::NotSent, Fault::Unavailable, causes(&error))
        })?;
        request.headers_mut().insert(USER_AGENT, AGENT);
        request.headers_mut().insert(ACCEPT, ANY);
        let exchange = async {
            let answer =
                self.client.request(request.map(Full::new)).await.map_err(|e| broken(&e))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|error| cut_short(head.status, &*error))?.to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or_else(|_| {
            Err(ConnectorError::bare(Happened::Maybe, Fault::TimedOut, "no whole answer in time"))
        })
    }
}

/// A request that carries a form.
pub(super) fn form(request: http::request::Builder, fields: &[(&str, &str)]) -> Prepared {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header(CONTENT_TYPE, FORM).body(body.into())
}

/// What it means that no answer came.
fn broken(error: &ClientError) -> ConnectorError {
    let happened = if error.is_connect() { Happened::NotSent } else { Happened::Maybe };
    let fault = if is_refusal(error) { Fault::Rejected } else { Fault::Unavailable };
    ConnectorError::bare(happened, fault, causes(error))
}

/// What it means that an answer has no end, or none in sight.
fn cut_short(status: StatusCode, error: &(dyn Error + 'static)) -> ConnectorError {
    if error.is::<LengthLimitError>() {
        let detail = format!("HTTP {} with more than {BODY_BYTES_MAX} bytes", status.as_u16());
        return ConnectorError::bare(Happened::Maybe, Fault::Garbled, detail);
    }
    ConnectorError::bare(Happened::Maybe, Fault::Unavailable, causes(error))
}

/// The error and what it rests on, in one bounded line.
fn causes(error: &dyn Error) -> String {
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

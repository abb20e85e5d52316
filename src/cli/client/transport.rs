//! One exchange with a server, bounded in size and in time. Redirections are not followed: a
//! request carries credentials.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Method, Response, header};

use super::asked::{Asked, Content};
use crate::cli::failure::with_causes;
use crate::cli::printable::printable;
use crate::cli::{Failure, Unmet};
use crate::config::PublicUrl;

/// No answer that is longer is read.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A command may wait a minute for its outcome, and a drain somewhat longer.
const EXCHANGE_MAX: Duration = Duration::from_secs(90);
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// A server that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    server: PublicUrl,
}

/// What came back, whatever it is.
#[derive(Debug)]
pub(super) struct RawAnswer {
    pub(super) status: u16,
    pub(super) media_type: String,
    /// Where the answer says to go instead.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Why nothing whole came back, as a sentence.
#[derive(Debug)]
pub(super) struct NoAnswer {
    why: String,
    /// Whether the connection broke after it was made, so that the same request, with the same
    /// idempotency key, is worth a second try.
    pub(super) is_broken: bool,
    /// Whether the server may have done all the same what it was asked for.
    may_have_arrived: bool,
}

impl NoAnswer {
    /// The same for the person at the terminal.
    pub(super) fn into_failure(self, http: &Http, asked: &Asked) -> Failure {
        let said = format!("no answer from {}: {}", http.server.as_str(), printable(&self.why));
        if !self.may_have_arrived {
            return Failure::unmet(Unmet::Unreachable, said);
        }
        let changes = asked.method != Method::GET;
        let notes = changes.then(|| "it may have been done all the same".to_owned());
        Failure::Unmet { why: asked.if_lost, said, notes: notes.into_iter().collect() }
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        let is_broken = !error.is_connect() && !error.is_timeout() && !error.is_builder();
        let may_have_arrived = !error.is_connect() && !error.is_builder();
        Self { why: with_causes(&error.without_url()), is_broken, may_have_arrived }
    }
}

impl Http {
    /// A client of one server.
    ///
    /// # Errors
    /// [`Failure`] if TLS cannot be set up.
    pub(super) fn of(server: &PublicUrl) -> Result<Self, Failure> {
        // A second installation is refused, and then a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "a client of the service, with its limits")]
        let client =
            reqwest::Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_MAX);
        // What is said to this machine in clear is not for a proxy.
        let is_here = server.as_str().starts_with("http://");
        let client = if is_here { client.no_proxy() } else { client };
        Ok(Self { client: client.build()?, server: server.clone() })
    }

    /// Where the server is.
    pub(super) const fn server(&self) -> &PublicUrl {
        &self.server
    }

    /// Asks once and reads all of the answer.
    ///
    /// # Errors
    /// [`NoAnswer`] if none came, or not all of it, within 90 seconds and 4 MiB.
    pub(super) async fn exchange(
        &self,
        asked: &Asked,
        bearer: Option<&str>,
    ) -> Result<RawAnswer, NoAnswer> {
        let exchange = async { read(self.send(asked, bearer).await?).await };
        tokio::time::timeout(EXCHANGE_MAX, exchange).await.unwrap_or_else(|_| Err(too_late()))
    }

    /// Asks for an answer that has no end, and gives it once it has begun.
    ///
    /// # Errors
    /// [`NoAnswer`] if it does not begin.
    pub(super) async fn open(&self, asked: &Asked, bearer: &str) -> Result<Response, NoAnswer> {
        let opened = tokio::time::timeout(EXCHANGE_MAX, self.send(asked, Some(bearer))).await;
        opened.unwrap_or_else(|_| Err(too_late()))
    }

    async fn send(&self, asked: &Asked, bearer: Option<&str>) -> Result<Response, NoAnswer> {
        let url = self.server.join(&asked.path);
        let mut request = self.client.request(asked.method.clone(), url).query(&asked.query);
        for (name, value) in &asked.headers {
            request = request.header(*name, value);
        }
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        request = match &asked.content {
            Content::None => request,
            Content::Json(body) => request.json(body),
            Content::ClientCredentials { client_id, client_secret } => request
                .basic_auth(client_id, Some(&client_secret.0))
                .form(&[("grant_type", "client_credentials")]),
        };
        Ok(request.send().await?)
    }
}

/// Reads an answer to its end that turned out to have one.
///
/// # Errors
/// [`NoAnswer`] if it breaks off, is too long or takes too long.
pub(super) async fn read_rest(response: Response) -> Result<RawAnswer, NoAnswer> {
    tokio::time::timeout(EXCHANGE_MAX, read(response)).await.unwrap_or_else(|_| Err(too_late()))
}

async fn read(mut response: Response) -> Result<RawAnswer, NoAnswer> {
    let text = |name: header::HeaderName| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let media_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let (status, location) = (response.status().as_u16(), text(header::LOCATION));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            let why = format!("it is longer than {BODY_BYTES_MAX} bytes");
            return Err(NoAnswer { why, is_broken: false, may_have_arrived: true });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(RawAnswer { status, media_type, location, body })
}

fn too_late() -> NoAnswer {
    let why = format!("it took longer than {} seconds", EXCHANGE_MAX.as_secs());
    NoAnswer { why, is_broken: false, may_have_arrived: true }
}

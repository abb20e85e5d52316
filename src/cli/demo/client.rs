//! A small client of the service, as an app developer would write it: JSON over HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::Failure;

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Reply {
    /// A member of the body as text, empty if it is not there.
    pub(super) fn text(&self, member: &str) -> String {
        self.body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A connection to one server.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(super) fn new(base: &str) -> Result<Self, Failure> {
        // A second installation is refused, and then a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "the demo plays an app, not the service")]
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::limited(4))
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { http, base: base.to_owned() })
    }

    /// Posts a body; every request has a key of its own, so that a retry would change nothing.
    pub(super) async fn post(
        &self,
        path: &str,
        bearer: Option<&str>,
        key: &str,
        body: &Value,
    ) -> Result<Reply, Failure> {
        let mut request =
            self.http.post(format!("{}{path}", self.base)).header("idempotency-key", key);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        Self::read(request.json(body).send().await?).await
    }

    /// Changes something, whatever its version is, or takes it away.
    pub(super) async fn change(
        &self,
        method: reqwest::Method,
        path: &str,
        bearer: &str,
        body: &Value,
    ) -> Result<Reply, Failure> {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = request.header("if-match", "*").bearer_auth(bearer).json(body);
        Self::read(request.send().await?).await
    }

    /// Gets a page of the service or, with a whole address, of anybody.
    pub(super) async fn get(&self, address: &str, bearer: Option<&str>) -> Result<Reply, Failure> {
        let address = if address.starts_with("http") {
            address.to_owned()
        } else {
            format!("{}{address}", self.base)
        };
        let mut request = self.http.get(address).header("accept", "application/json");
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        Self::read(request.send().await?).await
    }

    async fn read(response: reqwest::Response) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "text": text }));
        Ok(Reply { status, body })
    }
}

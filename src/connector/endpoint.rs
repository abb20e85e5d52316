//! Sends webhooks to URLs that users entered: one POST with limits on time and size. It does not follow redirects, and it connects
//! to private networks only if the operator allowed them (`KEYLEND_WEBHOOK_NETWORKS_ALLOWED`).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use ipnet::IpNet;
use url::{Host, Url};

use super::ConnectorError;
use super::guarded::AddressGuard;
use super::transport::{Transport, printable};
use crate::domain::fault::Fault;
use crate::domain::webhook::DeliveryFault;

/// One attempt takes at most so long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer is stored, to be shown in the list of deliveries.
const ANSWER_CHARS_MAX: usize = 256;
/// The longest address, in bytes.
pub const URL_LENGTH_MAX: usize = 2048;

/// Sends webhooks.
#[derive(Debug, Clone)]
pub struct EndpointClient {
    transport: Transport,
    guard: AddressGuard,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct WebhookMessage {
    /// Where it goes.
    pub url: String,
    /// The same for each attempt.
    pub id: String,
    /// When this attempt is made, in seconds of Unix time.
    pub unix_seconds: i64,
    /// Signatures, separated by spaces.
    pub signatures: String,
    /// A JSON document.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointAnswer {
    /// The status, if a whole answer came.
    pub status: Option<u16>,
    /// The beginning of its body, or what went wrong.
    pub text: String,
    /// Why the message was not taken; `None` if it was.
    pub fault: Option<DeliveryFault>,
}

impl EndpointClient {
    /// Prepares to send. In these networks `http://` and every port are allowed too.
    ///
    /// # Errors
    /// The machine has no usable root certificates.
    pub fn new(networks: Vec<IpNet>) -> Result<Self, rustls::Error> {
        let guard = AddressGuard::new(networks);
        Ok(Self { transport: Transport::guarded(TIMEOUT, guard.clone())?, guard })
    }

    /// Parses a URL and refuses what is visibly not allowed: another scheme or port, or a private IP address. A host name is resolved
    /// and checked again for each connection ([`super::guarded`]).
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self, text: &str) -> Result<Url, &'static str> {
        if text.len() > URL_LENGTH_MAX {
            return Err("must have at most 2048 characters");
        }
        let url = Url::parse(text).map_err(|_| "must be an https:// address")?;
        let lenient = self.guard.allows_some_network();
        let is_encrypted = url.scheme() == "https";
        if !(is_encrypted || lenient && url.scheme() == "http") {
            return Err("must be an https:// address");
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("must have no user and no fragment");
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let named = |ip| self.guard.allows(SocketAddr::new(ip, port), is_encrypted);
        let allowed = match url.host() {
            Some(Host::Ipv4(ip)) => named(ip.into()),
            Some(Host::Ipv6(ip)) => named(ip.into()),
            // The name is resolved later; check scheme and port with any public address.
            Some(Host::Domain(_)) if !lenient => named([1, 1, 1, 1].into()),
            Some(Host::Domain(_)) => Ok(()),
            None => return Err("must be an https:// address"),
        };
        allowed.map_err(|_| "must be a public server, at port 443 or 8443")?;
        Ok(url)
    }

    /// Sends a message once.
    pub async fn send(&self, message: WebhookMessage) -> EndpointAnswer {
        let WebhookMessage { url, id, unix_seconds, signatures, body } = message;
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", unix_seconds)
            .header("webhook-signature", signatures)
            .body(Bytes::from(body));
        match self.transport.exchange(request).await {
            Ok(answer) => {
                let text = String::from_utf8_lossy(&answer.body);
                let text = printable(&text, ANSWER_CHARS_MAX);
                let fault = (!answer.status.is_success()).then_some(DeliveryFault::Status);
                EndpointAnswer { status: Some(answer.status.as_u16()), text, fault }
            }
            Err(error) => undelivered(&error),
        }
    }
}

fn undelivered(error: &ConnectorError) -> EndpointAnswer {
    let fault = match error.fault {
        Fault::Rejected => DeliveryFault::AddressNotAllowed,
        Fault::TimedOut => DeliveryFault::TimedOut,
        Fault::Garbled => DeliveryFault::AnswerTooLarge,
        _ => DeliveryFault::Unreachable,
    };
    let text = printable(&error.detail, ANSWER_CHARS_MAX);
    EndpointAnswer { status: None, text, fault: Some(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_show_what_they_are_are_refused_at_once() {
        crate::signing::provider::install();
        let strict = EndpointClient::new(Vec::new()).unwrap();
        for text in [
            "",
            "example.org",
            "ftp://example.org",
            "http://example.org",
            "https://",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/",
            "https://192.168.0.1/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://user@example.org/",
            "https://user:secret@example.org/",
            "https://example.org/#x",
            "https://example.org:5432/",
            "https://example.org:22/",
            "https://1.1.1.1:6379/",
            "https://example.org:80/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "unix:/run/x",
            "https://exa mple.org/",
        ] {
            assert!(strict.check(text).is_err(), "{text}");
        }
        let long = format!("https://example.org/{}", "a".repeat(URL_LENGTH_MAX));
        assert!(strict.check(&long).is_err());
        for text in
            ["https://example.org/hook?key=1", "https://example.org:8443/", "https://1.1.1.1/"]
        {
            assert!(strict.check(text).is_ok(), "{text}");
        }
        let lenient = EndpointClient::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap();
        for text in ["http://127.0.0.1:4000/", "https://example.org/", "http://2130706433:80/"] {
            assert!(lenient.check(text).is_ok(), "{text}");
        }
        for text in ["http://10.0.0.1/", "https://169.254.169.254/", "http://1.1.1.1/"] {
            assert!(lenient.check(text).is_err(), "{text}");
        }
    }
}

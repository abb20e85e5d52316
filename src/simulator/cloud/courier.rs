//! Carrying letters to receivers of webhooks: the only file of the simulator that builds an HTTP
//! client. It signs what it carries and says what was answered; it does not know what the letters
//! are about, and never tries twice.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use ring::hmac;

use crate::smartcar::webhook::HEADER_SIGNATURE;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// The secret that the cloud and the receiver share.
#[derive(Debug)]
pub(crate) struct Seal(hmac::Key);

impl Seal {
    /// The application management token is the key.
    pub(crate) fn new(management_token: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, management_token.as_bytes()))
    }

    /// HMAC-SHA256 in lower-case hexadecimal digits.
    pub(crate) fn of(&self, text: &[u8]) -> String {
        hex(hmac::sign(&self.0, text).as_ref())
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Something to be carried, as it is.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) body: Vec<u8>,
    /// The challenge is sent without one.
    pub(crate) signature: Option<String>,
}

/// What a receiver answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    /// Whether the receiver took the letter.
    pub(crate) const fn is_taken(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

/// Carries letters.
#[derive(Debug, Clone)]
pub(crate) struct Courier(reqwest::Client);

impl Courier {
    /// Fails if the machine has no usable root certificates.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        // A second installation is refused, and then a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "the simulator is a program of its own")]
        let client = reqwest::Client::builder()
            .user_agent("Smartcar/1.0")
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .timeout(TIMEOUT)
            .tcp_nodelay(true)
            .build()?;
        Ok(Self(client))
    }

    /// Carries it once; `None` if there was no whole answer in time.
    pub(crate) async fn carry(&self, url: &str, letter: Letter) -> Option<Answered> {
        let request = self.0.post(url).header(CONTENT_TYPE, "application/json");
        let signature = letter.signature.and_then(|text| HeaderValue::try_from(text).ok());
        let request = match signature {
            Some(signature) => request.header(HEADER_SIGNATURE, signature),
            None => request,
        };
        let answered = request.body(letter.body).send().await;
        let mut answer = answered
            .inspect_err(|error| tracing::debug!(%error, "a webhook was not answered"))
            .ok()?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
            body.extend(chunk.into_iter().take(room));
            if body.len() == ANSWER_BYTES_MAX {
                break;
            }
        }
        Some(Answered { status, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seal_is_that_of_the_official_sdks() {
        let seal = Seal::new("amt-1").of(b"challenge-1");
        assert_eq!(seal, "5eb4bb7239aa0233501f0b31f3e28eda7c4913862f9b484f5e3b8f6157cdeb2e");
    }
}

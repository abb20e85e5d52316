//! The application's own token (protocol page, section 5.2): asked for once, kept while it lives,
//! renewed before it expires by one task at a time. Everybody else goes on with the old one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::super::{classify, decode};
use crate::clock::Clock;
use crate::connector::ConnectorError;
use crate::connector::transport::{Transport, form};
use crate::domain::fault::Fault;
use crate::smartcar::v3::ApplicationTokenAnswer;

/// The longest token kept; tokens travel in a header.
const TOKEN_BYTES_MAX: usize = 4096;
/// The longest life of a token believed, in seconds.
const EXPIRES_IN_MAX: u64 = 366 * 24 * 60 * 60;
/// A token that lives shorter than this is renewed, and used until then.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// Who the application is to API v3, and where it asks for its token.
#[derive(Clone)]
pub(in crate::connector::smartcar) struct Credentials {
    pub(in crate::connector::smartcar) client_id: String,
    pub(in crate::connector::smartcar) client_secret: SecretString,
    /// `{iam_origin}/oauth2/token`.
    pub(in crate::connector::smartcar) token_url: String,
}

/// A token in use.
pub(super) struct Token {
    pub(super) secret: SecretString,
    /// On the monotonic clock.
    renew_at: Duration,
    expires_at: Duration,
}

/// The application's token, kept.
pub(super) struct ApplicationToken {
    transport: Transport,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Arc<Token>>>,
    /// Held by the one task that asks for a new token.
    renewing: tokio::sync::Mutex<()>,
}

impl ApplicationToken {
    pub(super) fn new(
        transport: Transport,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (current, renewing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { transport, credentials, clock, current, renewing }
    }

    /// A token that can be used now.
    pub(super) async fn get(&self) -> Result<Arc<Token>, ConnectorError> {
        let now = self.clock.monotonic();
        let current = self.current();
        match current.filter(|token| token.expires_at > now) {
            Some(token) if token.renew_at > now => Ok(token),
            Some(token) => match self.renewing.try_lock() {
                // A renewal before its time may fail: the old token still lives.
                Ok(_renewing) => Ok(self.renew().await.unwrap_or(token)),
                Err(_) => Ok(token),
            },
            None => {
                let _renewing = self.renewing.lock().await;
                match self.current().filter(|token| token.expires_at > self.clock.monotonic()) {
                    Some(token) => Ok(token),
                    None => self.renew().await,
                }
            }
        }
    }

    /// Forgets this token, and only this one: it was not accepted.
    pub(super) fn forget(&self, used: &Arc<Token>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|token| Arc::ptr_eq(token, used)) {
            *current = None;
        }
    }

    fn current(&self) -> Option<Arc<Token>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self) -> Result<Arc<Token>, ConnectorError> {
        // Whatever goes wrong here, what the token was wanted for has not been sent.
        let token = self.ask().await.map_err(|error| {
            let error = error.before_sending();
            let fault = match error.fault {
                Fault::Authentication | Fault::ConsentLost => Fault::Rejected,
                fault => fault,
            };
            ConnectorError { fault, ..error }
        })?;
        let token = Arc::new(token);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&token));
        Ok(token)
    }

    async fn ask(&self) -> Result<Token, ConnectorError> {
        let asked_at = self.clock.monotonic();
        let Credentials { client_id, client_secret, token_url } = &self.credentials;
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.expose_secret()),
        ];
        let request = form(Request::post(token_url), &fields);
        let answer = self.transport.exchange(request).await?;
        if answer.status != StatusCode::OK {
            return Err(classify::token_error(&answer));
        }
        let body: ApplicationTokenAnswer = decode(&answer)?;
        let usable = (1..=TOKEN_BYTES_MAX).contains(&body.access_token.len())
            && body.access_token.bytes().all(|byte| byte.is_ascii_graphic())
            && body.token_type.eq_ignore_ascii_case("bearer")
            && (1..=EXPIRES_IN_MAX).contains(&body.expires_in);
        if !usable {
            return Err(classify::garbled(&answer, "a token that cannot be used"));
        }
        let life = Duration::from_secs(body.expires_in);
        Ok(Token {
            secret: body.access_token.into(),
            renew_at: asked_at.saturating_add(life.saturating_sub(MARGIN.min(life / 10))),
            expires_at: asked_at.saturating_add(life),
        })
    }
}

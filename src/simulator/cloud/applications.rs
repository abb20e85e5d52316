//! The tokens of applications, with which they ask API v3: whose they are, and the ends of their lives.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::bounded::Bounded;
use crate::domain::time::Timestamp;
use crate::smartcar::v3::TOKEN_LIFETIME_S;

/// Tokens of applications kept; the oldest go first.
const TOKENS_MAX: usize = 10_000;
/// What the token of an application begins with.
const PREFIX: &str = "sim_app_";

/// The tokens of applications.
#[derive(Debug)]
pub(super) struct Applications(RwLock<Bounded<(String, Timestamp)>>);

impl Default for Applications {
    fn default() -> Self {
        Self(RwLock::new(Bounded::new(TOKENS_MAX)))
    }
}

impl Applications {
    /// A new token of this application, made from a secret.
    pub(crate) fn admit(&self, client_id: &str, secret: &str, now: Timestamp) -> String {
        let token = format!("{PREFIX}{secret}");
        let expires_at = now.plus(Duration::from_secs(TOKEN_LIFETIME_S));
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(token.clone(), (client_id.to_owned(), expires_at));
        token
    }

    /// Whose this token is, while it lives.
    pub(crate) fn find(&self, token: &str, now: Timestamp) -> Option<String> {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (client_id, expires_at) = tokens.get(token)?;
        (*expires_at > now).then(|| client_id.clone())
    }
}

//! Going on with a session: each refresh token works once, and using one a second time ends the
//! whole family (RFC 9700 section 4.14.2), because somebody must have copied it.

use std::sync::{Mutex, PoisonError};

use secrecy::ExposeSecret as _;

use super::{Owner, Tokens, issue};
use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::SessionId;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{CredentialFault, Error, Service};
use crate::signing::secret;
use crate::storage::Tx;
use crate::storage::repeat_until_known;
use crate::storage::sessions::{self, RefreshUse};

/// Exchanges a refresh token for new tokens.
///
/// # Errors
/// [`CredentialFault::Invalid`] for a token that is unknown, used or of a session that is over.
pub async fn refresh(
    service: &Service,
    refresh_token: &str,
    request_id: Option<String>,
) -> Result<Tokens, Error> {
    let hash = secret::hash_of(refresh_token);
    let made = Made::default();
    repeat_until_known(|| refresh_once(service, hash, request_id.clone(), &made)).await
}

/// The tokens that this request has made so far. If the answer to their commit did not come, the
/// next run finds the old token used: by this request, whose tokens are then the answer, and not by
/// a thief.
#[derive(Default)]
struct Made(Mutex<Vec<Tokens>>);

impl Made {
    fn add(&self, tokens: &Tokens) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(tokens.clone());
    }

    fn all(&self) -> Vec<Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The tokens that are kept in the database, if any are.
    async fn kept(&self, tx: &mut Tx, session_id: SessionId) -> Result<Option<Tokens>, Error> {
        for tokens in self.all() {
            let hash = secret::hash_of(tokens.refresh_token.expose_secret());
            if sessions::owner_of_refresh_token(tx, hash).await? == Some(session_id) {
                return Ok(Some(tokens));
            }
        }
        Ok(None)
    }
}

async fn refresh_once(
    service: &Service,
    hash: [u8; 32],
    request_id: Option<String>,
    made: &Made,
) -> Result<Tokens, Error> {
    const INVALID: Error = Error::Unauthenticated(CredentialFault::Invalid);
    let now = service.clock.now();
    let mut tx = service.store.begin().await?;
    let (session_id, copied) = match sessions::use_refresh_token(&mut tx, hash, now).await? {
        RefreshUse::First(session_id) => (session_id, false),
        RefreshUse::Again(session_id) => (session_id, true),
        RefreshUse::Unknown => return Err(INVALID),
    };
    let Some(session) = sessions::find(&mut tx, session_id).await? else { return Err(INVALID) };
    if !session.is_open(now) {
        return Err(INVALID);
    }
    let owner = Owner {
        organization_id: session.organization_id,
        user_id: session.user_id,
        role: session.role,
    };
    let caller = owner.caller(request_id);
    let user_id = owner.user_id;
    if copied && let Some(tokens) = made.kept(&mut tx, session_id).await? {
        return Ok(tokens);
    }
    if copied {
        sessions::end(&mut tx, session_id, SessionEnd::RefreshReused, now).await?;
        let reason = SessionEnd::RefreshReused;
        let ended = Event::SessionEnded { user_id, session_id, reason };
        service.record(&mut tx, &caller, now, [ended]).await?;
        tx.commit().await?;
        return Err(INVALID);
    }
    let tokens = issue(service, &mut tx, session_id, owner, now).await?;
    made.add(&tokens);
    let refreshed = Event::SessionRefreshed { user_id, session_id };
    service.record(&mut tx, &caller, now, [refreshed]).await?;
    failpoint::reached(Failpoint::SessionRefreshed);
    tx.commit().await?;
    failpoint::reached(Failpoint::SessionRefreshCommitted);
    Ok(tokens)
}

//! Going on with a session: each refresh token works once, and using one a second time ends the
//! whole family (RFC 9700 section 4.14.2), because somebody must have copied it.

use super::{Owner, Tokens, issue};
use crate::domain::event::{Event, SessionEnd};
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, CredentialFault, Error, Work};
use crate::signing::secret;
use crate::storage::Priority;
use crate::storage::sessions::{self, RefreshUse};

/// Exchanges a refresh token for new tokens.
///
/// # Errors
/// [`CredentialFault::Invalid`] for a token that is unknown, used or of a session that is over.
pub async fn refresh(
    base: &Base,
    refresh_token: &str,
    request_id: Option<String>,
) -> Result<Tokens, Error> {
    let hash = secret::hash_of(refresh_token);
    let request_id = request_id.as_ref();
    let refreshed = || {
        base.transact("sessions.refresh", Priority::Ordinary, |work| {
            Box::pin(async move { exchange(base, work, hash, request_id).await })
        })
    };
    let mut tokens = refreshed().await?;
    // A refusal signs a person out, so the primary must have said it.
    if tokens.is_none() && base.store.db().confirm_primary().await? {
        tokens = refreshed().await?;
    }
    // That the session was ended is kept too: the refusal is a result of the work.
    let tokens = tokens.ok_or(Error::Unauthenticated(CredentialFault::Invalid))?;
    failpoint::reached(Failpoint::SessionRefreshCommitted);
    Ok(tokens)
}

/// The next tokens, or none for a token that does not work any more.
async fn exchange(
    base: &Base,
    work: &mut Work<'_>,
    hash: [u8; 32],
    request_id: Option<&String>,
) -> Result<Option<Tokens>, Error> {
    let (tx, now) = (&mut work.tx, work.now);
    let (session_id, was_copied) = match sessions::use_refresh_token(tx, hash, now).await? {
        RefreshUse::First(session_id) => (session_id, false),
        RefreshUse::Again(session_id) => (session_id, true),
        RefreshUse::Unknown => return Ok(None),
    };
    let session = sessions::find(tx, session_id).await?;
    let Some(session) = session.filter(|session| session.is_open(now)) else { return Ok(None) };
    let (organization_id, user_id) = (session.organization_id, session.user_id);
    let owner = Owner { organization_id, user_id, role: session.role };
    let caller = owner.caller(request_id.cloned());
    if was_copied {
        let reason = SessionEnd::RefreshReused;
        sessions::end(tx, session_id, reason, now).await?;
        work.record(&caller, Event::SessionEnded { user_id, session_id, reason })?;
        return Ok(None);
    }
    sessions::note_refresh(tx, session_id, now).await?;
    let tokens = issue(base, tx, session_id, owner, now).await?;
    work.record(&caller, Event::SessionRefreshed { user_id, session_id })?;
    failpoint::reached(Failpoint::SessionRefreshed);
    Ok(Some(tokens))
}

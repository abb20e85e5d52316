//! Signing out: the session's access tokens stop working with it, because every request looks at
//! the session's row.

use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::{SessionId, UserId};
use crate::service::{Caller, Error, Service};
use crate::storage::sessions;

/// Ends the caller's session. Ending it twice is ending it once.
///
/// # Errors
/// [`Error::Storage`].
pub async fn end(
    service: &Service,
    caller: &Caller,
    user_id: UserId,
    session_id: SessionId,
) -> Result<(), Error> {
    let now = service.clock.now();
    let mut tx = service.store.begin().await?;
    if sessions::end(&mut tx, session_id, SessionEnd::SignedOut, now).await? {
        let reason = SessionEnd::SignedOut;
        let ended = Event::SessionEnded { user_id, session_id, reason };
        service.record(&mut tx, caller, now, [ended]).await?;
    }
    Ok(tx.commit().await?)
}

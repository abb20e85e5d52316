//! Signing out: the session's access tokens stop working with it, because every request looks at
//! the session's row.

use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::{SessionId, UserId};
use crate::service::{Base, Caller, Error};
use crate::storage::{Priority, sessions};

/// Ends the caller's session. Ending it twice is ending it once.
///
/// # Errors
/// [`Error::Storage`].
pub async fn end(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    session_id: SessionId,
) -> Result<(), Error> {
    let ended = base.transact("sessions.end", Priority::Ordinary, |work| {
        Box::pin(async move {
            let reason = SessionEnd::SignedOut;
            if sessions::end(&mut work.tx, session_id, reason, work.now).await? {
                work.record(caller, Event::SessionEnded { user_id, session_id, reason })?;
            }
            Ok(())
        })
    });
    ended.await
}

//! Signing out: the session's access tokens stop working with it, because every request looks at
//! the session's row.

use crate::domain::access::{Object, Operation, Sought};
use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::{SessionId, UserId};
use crate::service::{Base, Caller, Error, Work};
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

/// Ends one of the caller's sessions. Ending it twice is ending it once.
///
/// # Errors
/// [`crate::service::Denial::PersonOnly`]; [`Error::NotFound`] for a session that is not theirs.
pub async fn end_one(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    session_id: SessionId,
) -> Result<(), Error> {
    let operation = Operation::EndSession;
    let ended = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let session = sessions::find(&mut work.tx, session_id).await?;
            let session = session.filter(|session| session.user_id == user_id);
            let object = Object::found(session.as_ref(), |session| Object::user(session.user_id));
            base.authorize(caller, operation, &object, Sought::of(session_id))?;
            let reason = SessionEnd::EndedElsewhere;
            if sessions::end(&mut work.tx, session_id, reason, work.now).await? {
                work.record(caller, Event::SessionEnded { user_id, session_id, reason })?;
            }
            Ok(())
        })
    });
    ended.await
}

/// Ends the sessions of a person, but for one that goes on, and records each.
pub(in crate::service) async fn end_others(
    work: &mut Work<'_>,
    caller: &Caller,
    user_id: UserId,
    but: Option<SessionId>,
    reason: SessionEnd,
) -> Result<(), Error> {
    let ended = sessions::end_of_user(&mut work.tx, user_id, but, reason, work.now).await?;
    let events =
        ended.into_iter().map(|session_id| Event::SessionEnded { user_id, session_id, reason });
    work.record_all(caller, events)
}

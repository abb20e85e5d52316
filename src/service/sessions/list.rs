//! A person's sessions: where they are signed in.

use crate::domain::access::{Object, Operation, Sought};
use crate::domain::id::UserId;
use crate::domain::session::{IDLE_MAX, Session};
use crate::service::{Base, Caller, Error};
use crate::storage::{Page, sessions};

/// The caller's sessions that can still be used, newest first.
///
/// # Errors
/// [`crate::service::Denial::PersonOnly`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    page: Page,
) -> Result<Vec<Session>, Error> {
    let (object, sought) = (Object::user(user_id), Sought::of(user_id));
    base.authorize(caller, Operation::ListSessions, &object, sought)?;
    let (mut reader, now) = (base.store.read().await?, base.clock.now());
    Ok(sessions::list_open(&mut reader, user_id, page, now, now.minus(IDLE_MAX)).await?)
}

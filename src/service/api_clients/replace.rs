//! Putting one API client in the place of another: it acts for the people whom the other made and who have not
//! claimed their account, because they have no other voice.

use super::find_for;
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::id::ApiClientId;
use crate::service::{Base, Caller, Error, StateFault};
use crate::storage::{Priority, client_moves};

/// So many people are moved at once.
const MOVED_MAX: i64 = 500;

/// How far a replacement is.
#[derive(Debug)]
pub struct Replaced {
    /// So many people were moved now.
    pub moved: usize,
    /// Whether there may be more of them: ask again.
    pub more: bool,
}

/// Moves people of one API client to another, some hundreds at a time. Those who have claimed their account, or
/// allowed a client themselves, are not concerned.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`]; [`Error::NotFound`]; [`Error::Invalid`] if both are the same;
/// [`StateFault::ApiClientEnded`] if the successor was revoked or has expired.
pub async fn replace(
    base: &Base,
    caller: &Caller,
    api_client_id: ApiClientId,
    successor_id: ApiClientId,
) -> Result<Replaced, Error> {
    let operation = Operation::ReplaceApiClient;
    let replaced = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            find_for(base, &mut work.tx, caller, operation, api_client_id).await?;
            let successor = find_for(base, &mut work.tx, caller, operation, successor_id).await?;
            if successor_id == api_client_id {
                let why = "must be another API client";
                return Err(Error::invalid("/successor_id", "same", why));
            }
            if !successor.is_usable(work.now) {
                return Err(Error::State(StateFault::ApiClientEnded));
            }
            let (from, to) = (api_client_id, successor_id);
            let moved = client_moves::move_users(&mut work.tx, from, to, MOVED_MAX).await?;
            let more = moved.len() >= usize::try_from(MOVED_MAX).unwrap_or(usize::MAX);
            let count = moved.len();
            let events = moved.into_iter();
            let events =
                events.map(|user_id| Event::UserMoved { user_id, api_client_id, successor_id });
            work.record_all(caller, events)?;
            Ok(Replaced { moved: count, more })
        })
    });
    replaced.await
}

//! A person changes their password; every other session ends.

use secrecy::{ExposeSecret, SecretString};

use super::find_for;
use crate::auth::throttle::{AccountKey, RetryAfter};
use crate::domain::access::Operation;
use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::{SessionId, UserId};
use crate::domain::password;
use crate::service::sessions::{self, Origin};
use crate::service::{Caller, Error, Limit, Service};
use crate::storage::{Priority, StorageError, users};

/// What a person changes their password with.
#[derive(Debug)]
pub struct NewPassword {
    /// The person.
    pub user_id: UserId,
    /// The session that goes on.
    pub session_id: SessionId,
    /// The password of today: a session that somebody left open is not enough.
    pub current: SecretString,
    /// The password from now on.
    pub new: SecretString,
    /// Where the request came from.
    pub origin: Origin,
}

/// Changes a password.
///
/// # Errors
/// [`crate::service::Denial::PersonOnly`], [`Error::Invalid`] for a password of today that is wrong and for a new
/// one that breaks the rules, [`Error::Throttled`] after too many wrong ones.
pub async fn change_password(
    service: &Service,
    caller: &Caller,
    change: NewPassword,
) -> Result<(), Error> {
    let NewPassword { user_id, session_id, current, new, origin } = change;
    let (base, operation) = (&service.base, Operation::ChangePassword);
    let mut reader = base.store.read().await?;
    let user = find_for(base, &mut reader, caller, operation, user_id).await?;
    let stored = users::password_hash(&mut reader, user_id).await?;
    drop(reader);
    password::check(new.expose_secret(), &user.email)
        .map_err(|refusal| Error::invalid("/new_password", "password_refused", refusal))?;
    let key = AccountKey::of(&["password", &user_id.to_string()]);
    let throttle = &service.throttle;
    throttle
        .check(key, origin.address)
        .map_err(|RetryAfter(wait)| Error::Throttled(Limit::Attempts, wait))?;
    let verdict = service.verify_password(&current, stored.clone()).await?;
    let (true, Some(old)) = (verdict.matches, &stored) else {
        throttle.record_failure(key, origin.address);
        return Err(wrong());
    };
    throttle.record_success(key, origin.address);
    let hash = &service.hash_password(&new).await?;
    let changed = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            match users::set_password_hash(&mut work.tx, user_id, old, hash).await {
                Err(StorageError::LostRace) => return Err(wrong()),
                other => other?,
            }
            work.record(caller, Event::UserPasswordChanged { user_id })?;
            let reason = SessionEnd::PasswordChanged;
            sessions::end_others(work, caller, user_id, Some(session_id), reason).await
        })
    });
    changed.await
}

fn wrong() -> Error {
    Error::invalid("/current_password", "wrong_password", "is not the password of today")
}

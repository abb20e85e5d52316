//! Closing an account, opening it again, and ending its sessions. Somebody who can open it again must remain.

use super::find_for;
use crate::domain::access::Operation;
use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::UserId;
use crate::domain::user::{Role, User};
use crate::service::{Base, Caller, Error, StateFault, sessions};
use crate::storage::{Priority, Tx, users};

/// Closes an account: its sessions end, and its grants and cars stop working with it.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`], [`Error::NotFound`], [`StateFault::LastAdmin`].
pub async fn disable(base: &Base, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    let operation = Operation::DisableUser;
    base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let mut user = find_for(base, &mut work.tx, caller, operation, user_id).await?;
            let organization_id = user.organization_id;
            require_another_admin(&mut work.tx, &user).await?;
            if users::disable(&mut work.tx, organization_id, user_id, work.now).await? {
                user.disabled_at = Some(work.now);
                work.record(caller, Event::UserDisabled { user_id })?;
                // Otherwise they would go on when the account is opened again.
                let reason = SessionEnd::EndedByAdmin;
                sessions::end_others(work, caller, user_id, None, reason).await?;
            }
            Ok(user)
        })
    })
    .await
}

/// Opens a closed account again: its grants and cars work as before, its sessions do not. An account that is open
/// stays so; one that was erased stays closed.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`], [`Error::NotFound`], [`StateFault::AccountErased`].
pub async fn enable(base: &Base, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    let operation = Operation::EnableUser;
    base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let mut user = find_for(base, &mut work.tx, caller, operation, user_id).await?;
            if user.disabled_at.is_some() {
                if !users::enable(&mut work.tx, user.organization_id, user_id).await? {
                    return Err(Error::State(StateFault::AccountErased));
                }
                user.disabled_at = None;
                work.record(caller, Event::UserEnabled { user_id })?;
            }
            Ok(user)
        })
    })
    .await
}

/// Ends every session of a person, for an administrator. A second time changes nothing.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`], [`Error::NotFound`].
pub async fn end_sessions(base: &Base, caller: &Caller, user_id: UserId) -> Result<(), Error> {
    let operation = Operation::EndSessionsOfUser;
    let ended = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            find_for(base, &mut work.tx, caller, operation, user_id).await?;
            sessions::end_others(work, caller, user_id, None, SessionEnd::EndedByAdmin).await
        })
    });
    ended.await
}

/// Nobody could make another administrator, or open this account again.
pub(super) async fn require_another_admin(tx: &mut Tx, user: &User) -> Result<(), Error> {
    if user.role != Role::Admin || user.disabled_at.is_some() {
        return Ok(());
    }
    let admins = users::lock_admins(tx, user.organization_id).await?;
    let others = admins.iter().filter(|admin| admin.user_id != user.user_id);
    // Who has not claimed their account cannot sign in.
    if others.filter(|admin| admin.claimed_at.is_some()).count() == 0 {
        return Err(Error::State(StateFault::LastAdmin));
    }
    Ok(())
}

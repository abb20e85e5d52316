//! Closing an account, opening it again, and ending its sessions. Somebody who can open it again must remain.

use super::find_for;
use crate::domain::access::Operation;
use crate::domain::event::{Event, SessionEnd, Subjects};
use crate::domain::grant::EndReason;
use crate::domain::id::UserId;
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::ScopeEnd;
use crate::domain::user::{Role, User};
use crate::service::ends::{self, NewEnd};
use crate::service::{Base, Caller, Error, StateFault, Work, sessions};
use crate::storage::{Priority, Tx, users};

/// Closes an account: its sessions and what it was lent end, and its cars stop working with it.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`], [`Error::NotFound`], [`StateFault::LastAdmin`].
pub async fn disable(base: &Base, caller: &Caller, user_id: UserId) -> Result<User, Error> {
    let operation = Operation::DisableUser;
    let closed = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let mut user = find_for(base, &mut work.tx, caller, operation, user_id).await?;
            let organization_id = user.organization_id;
            require_another_admin(&mut work.tx, &user).await?;
            if !users::disable(&mut work.tx, organization_id, user_id, work.now).await? {
                return Ok((user, None));
            }
            user.disabled_at = Some(work.now);
            work.record(caller, Event::UserDisabled { user_id })?;
            // Otherwise they would go on when the account is opened again.
            let reason = SessionEnd::EndedByAdmin;
            sessions::end_others(work, caller, user_id, None, reason).await?;
            let end = end_what_was_lent(base, work, caller, user_id).await?;
            Ok((user, Some(end)))
        })
    });
    let (user, end) = closed.await?;
    if let Some(end) = end {
        ends::carry_out_or_leave(base, caller, end).await;
    }
    Ok(user)
}

/// Ends all that a person was lent, in the transaction that closes their account.
pub(super) async fn end_what_was_lent(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    user_id: UserId,
) -> Result<ScopeEnd, Error> {
    let new = NewEnd {
        scope: KeyScope::User(user_id),
        about: Subjects::of_user(user_id),
        issued_before: None,
        external_ref: None,
        end_reason: EndReason::Revoked,
        reason: None,
    };
    ends::draw_line(base, work, caller, new).await
}

/// Opens a closed account again: its cars work as before; its sessions, and what it was lent, have ended. An account that is open
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

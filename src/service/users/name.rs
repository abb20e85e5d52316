//! The organization's own name for an account, by which its programs find it again.

use super::find_for;
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::id::UserId;
use crate::domain::principal::PrincipalId;
use crate::domain::user::User;
use crate::service::{Base, Caller, Error, StateFault};
use crate::storage::{Priority, StorageError, users};

/// Gives an account this name, or takes it away. One that has it already stays as it is.
///
/// # Errors
/// [`Error::NotFound`], a [`crate::service::Denial`], [`StateFault::ExternalRefTaken`], [`StateFault::AccountErased`].
pub async fn name(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    external_ref: Option<&str>,
) -> Result<User, Error> {
    let named = base.transact(Operation::NameUser.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let organization_id = caller.actor.organization_id;
            let found = users::find(&mut work.tx, organization_id, user_id).await?;
            let operation = operation_for(caller.actor.principal_id(), found.as_ref());
            let user = find_for(base, &mut work.tx, caller, operation, user_id).await?;
            if user.external_ref.as_deref() == external_ref {
                return Ok(user);
            }
            let named = match users::name(&mut work.tx, &user, external_ref).await {
                Err(StorageError::Duplicate(_)) => {
                    return Err(Error::State(StateFault::ExternalRefTaken));
                }
                named => named?.ok_or(Error::State(StateFault::AccountErased))?,
            };
            let changed = vec!["external_ref"];
            work.record(caller, Event::UserDescribed { user_id, changed })?;
            Ok(named)
        })
    });
    named.await
}

/// A program that could name another one's customers could put its own in their place.
fn operation_for(caller: PrincipalId, user: Option<&User>) -> Operation {
    let is_program = matches!(caller, PrincipalId::ApiClient(_));
    match user {
        Some(user) if is_program && user.created_by != caller => Operation::NameUserOfAnother,
        _ => Operation::NameUser,
    }
}

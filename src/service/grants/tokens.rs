//! The tokens of a grant that can still be shown, and the end of one of them. The grant goes on.

use super::find_for;
use crate::domain::access::{Operation, Sought};
use crate::domain::event::Event;
use crate::domain::id::{GrantId, TokenId};
use crate::service::{Base, Caller, Error};
use crate::storage::grant_tokens::{self, GrantToken};
use crate::storage::{Page, Priority};

/// The tokens of a grant that have not expired, newest first.
///
/// # Errors
/// [`Error::NotFound`], or a [`crate::service::Denial`].
pub async fn list_tokens(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    page: Page,
) -> Result<Vec<GrantToken>, Error> {
    let mut reader = base.store.read().await?;
    find_for(base, &mut reader, caller, Operation::ListTokens, grant_id).await?;
    Ok(grant_tokens::list(&mut reader, grant_id, base.clock.now(), page).await?)
}

/// Ends one token: no request that shows it is allowed after this was answered (P2). A second time changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for a grant or a token of it that is not there, or a [`crate::service::Denial`].
pub async fn end_token(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    token_id: TokenId,
) -> Result<(), Error> {
    let operation = Operation::EndToken;
    let ended = base.transact(operation.as_str(), Priority::Urgent, |work| {
        Box::pin(async move {
            let (grant, _, acting_as) =
                find_for(base, &mut work.tx, caller, operation, grant_id).await?;
            let token = grant_tokens::find(&mut work.tx, token_id).await?;
            if token.is_none_or(|token| token.grant_id != grant_id) {
                return Err(Error::NotFound(Sought::of(token_id)));
            }
            if grant_tokens::end(&mut work.tx, token_id, work.now).await? {
                work.record(
                    &caller.acting_as(acting_as),
                    Event::GrantTokenEnded {
                        grant_id,
                        vehicle_id: grant.vehicle_id,
                        grantee_id: grant.grantee_id,
                        grant_revision: grant.revision,
                        token_id,
                    },
                )?;
            }
            Ok(())
        })
    });
    ended.await
}

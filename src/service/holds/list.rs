//! Showing holds to those they concern.

use crate::domain::access::{ActingAs, Operation};
use crate::domain::hold::Hold;
use crate::domain::key_scope::KeyScope;
use crate::domain::principal::PrincipalId;
use crate::service::{Base, Caller, Error};
use crate::storage::Page;
use crate::storage::holds::{self, HoldFilter};

/// A hold as its reader may see it: the reason is for who placed it and for the organization.
#[derive(Debug, Clone)]
pub struct ListedHold {
    /// The hold; without its reason, if that is not for the reader.
    pub hold: Hold,
    /// Whether it stands now.
    pub stands: bool,
}

/// Holds, newest first: all of them for the organization, otherwise those over the person, over their cars and grants,
/// and over the organization; if it is said, only those over one of these.
///
/// # Errors
/// [`crate::service::Denial`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    scope: Option<KeyScope>,
    only_standing: bool,
    page: Page,
) -> Result<Vec<ListedHold>, Error> {
    let acting_as = base.authorize_in_organization(caller, Operation::ListHolds)?;
    let now = base.clock.now();
    let standing_at = only_standing.then_some(now);
    let filter = HoldFilter { concerning: acting_as.person(), scope, standing_at };
    let mut reader = base.store.read().await?;
    let found = holds::list(&mut reader, caller.actor.organization_id, filter, page).await?;
    let listed = found.into_iter().map(|mut hold| {
        let is_told = match acting_as {
            ActingAs::Organization => true,
            ActingAs::Person(user_id) => hold.placed_by == PrincipalId::User(user_id),
        };
        hold.reason = hold.reason.filter(|_| is_told);
        ListedHold { stands: hold.stands(now), hold }
    });
    Ok(listed.collect())
}

//! Where apps of an organization may have the browsers of its people back after a consent. Administrators say it: the
//! addresses receive the codes that complete connections.

use std::collections::BTreeSet;

use super::{Base, Caller, Error};
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::return_url::ReturnUrl;
use crate::storage::{Priority, return_urls};

/// The addresses that the organization lists, in alphabetical order.
///
/// # Errors
/// [`super::Denial::AdminOnly`].
pub async fn list(base: &Base, caller: &Caller) -> Result<Vec<ReturnUrl>, Error> {
    base.authorize_in_organization(caller, Operation::ListReturnUrls)?;
    let mut reader = base.store.read().await?;
    Ok(return_urls::list(&mut reader, caller.actor.organization_id).await?)
}

/// Lists these addresses in place of all that were listed before. Connections that are under way are held to the new
/// list.
///
/// # Errors
/// [`super::Denial::AdminOnly`].
pub async fn replace(
    base: &Base,
    caller: &Caller,
    urls: &BTreeSet<ReturnUrl>,
) -> Result<(), Error> {
    let operation = Operation::ReplaceReturnUrls;
    let replaced = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            base.authorize_in_organization(caller, operation)?;
            return_urls::replace(&mut work.tx, caller.actor.organization_id, urls).await?;
            work.record(caller, Event::ReturnUrlsReplaced { count: urls.len() })
        })
    });
    replaced.await
}

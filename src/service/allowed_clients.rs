//! People let API clients act for them, and nobody else can let them (P13).

use super::{Base, Caller, Error, StateFault, Work};
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::event::Event;
use crate::domain::id::{ApiClientId, OrganizationId, UserId};
use crate::storage::allowed_clients::{self, AllowedClient};
use crate::storage::{Page, Priority, api_clients, vehicles};

/// Lets an API client act for the caller. A second time changes nothing.
///
/// # Errors
/// [`super::Denial::PersonOnly`]; [`Error::NotFound`] for an API client that the organization does not have, or
/// that was revoked; [`StateFault::AccountRecovered`] while a car of the account waits for its owner.
pub async fn allow(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    api_client_id: ApiClientId,
) -> Result<AllowedClient, Error> {
    let operation = Operation::AllowClient;
    let allowed = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            base.authorize(caller, operation, &Object::user(user_id), Sought::of(user_id))?;
            let person = (caller.actor.organization_id, user_id);
            allow_in(work, caller, person, api_client_id).await
        })
    });
    allowed.await
}

/// The same in the transaction of what it belongs to.
pub(super) async fn allow_in(
    work: &mut Work<'_>,
    caller: &Caller,
    person: (OrganizationId, UserId),
    api_client_id: ApiClientId,
) -> Result<AllowedClient, Error> {
    let (organization_id, user_id) = person;
    let unknown = || Error::NotFound(Sought::of(api_client_id));
    let client = api_clients::find(&mut work.tx, api_client_id).await?.ok_or_else(unknown)?;
    if client.organization_id != organization_id || !client.is_usable(work.now) {
        return Err(unknown());
    }
    if vehicles::waits_for_owner(&mut work.tx, user_id).await? {
        return Err(Error::State(StateFault::AccountRecovered));
    }
    if let Some(known) = allowed_clients::find(&mut work.tx, user_id, api_client_id).await? {
        return Ok(known);
    }
    allowed_clients::allow(&mut work.tx, person, api_client_id, work.now).await?;
    work.record(caller, Event::ApiClientAllowed { api_client_id, user_id })?;
    Ok(AllowedClient { api_client_id, name: client.name, allowed_at: work.now })
}

/// The API clients that the caller has allowed, newest first.
///
/// # Errors
/// [`super::Denial::PersonOnly`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    page: Page,
) -> Result<Vec<AllowedClient>, Error> {
    let (object, sought) = (Object::user(user_id), Sought::of(user_id));
    base.authorize(caller, Operation::ListAllowedClients, &object, sought)?;
    let mut reader = base.store.read().await?;
    Ok(allowed_clients::list(&mut reader, user_id, page).await?)
}

/// Takes back that an API client may act for the caller: requests that it makes from then on are refused.
///
/// # Errors
/// [`super::Denial::PersonOnly`].
pub async fn disallow(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    api_client_id: ApiClientId,
) -> Result<(), Error> {
    let operation = Operation::DisallowClient;
    let disallowed = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            base.authorize(caller, operation, &Object::user(user_id), Sought::of(user_id))?;
            if allowed_clients::disallow(&mut work.tx, user_id, api_client_id).await? {
                work.record(caller, Event::ApiClientDisallowed { api_client_id, user_id })?;
            }
            Ok(())
        })
    });
    disallowed.await
}

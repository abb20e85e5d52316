//! Owners' consents at the vehicle cloud: starting one, receiving the browser that comes back,
//! and keeping its tokens usable.

mod access_tokens;
mod cars;
mod complete;
mod consent;
mod disconnect;
pub(crate) mod faults;
mod impairment;
pub mod probe;
mod reauthenticate;
mod receive;
mod start;
pub mod unfinished;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Base, Caller, Error};
use crate::connector::TokenPair;
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::actor::{Actor, Principal};
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::id::{ConnectionId, UserId};
use crate::domain::user::Role;
use crate::signing::sealed;
use crate::storage::{Page, connections};

pub use access_tokens::{CloudToken, CloudTokens};
pub use complete::{Completed, Completion, StayingCar, complete};
pub use disconnect::{Disconnected, disconnect};
pub(super) use disconnect::{end_here, end_upstream};
pub use reauthenticate::{Reauthentication, reauthenticate, reauthenticated};
pub use receive::{Arrived, Consented, Proof, Return, receive};
pub use start::{Started, Wanted, start};

/// One connection, for its owner and the organization.
///
/// # Errors
/// [`Error::NotFound`], [`super::Denial::ScopeMissing`].
pub async fn get(
    base: &Base,
    caller: &Caller,
    connection_id: ConnectionId,
) -> Result<Connection, Error> {
    find_for(base, caller, Operation::GetConnection, connection_id).await
}

/// Connections, newest first: all of them for the organization, otherwise the person's own; if it is said, only those of one
/// owner, or that stand so.
///
/// # Errors
/// A [`super::Denial`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    owner_id: Option<UserId>,
    status: Option<ConnectionStatus>,
    page: Page,
) -> Result<Vec<Connection>, Error> {
    let acting_as = base.authorize_in_organization(caller, Operation::ListConnections)?;
    let person = acting_as.person();
    if person.is_some() && owner_id.is_some() && person != owner_id {
        return Ok(Vec::new());
    }
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let of = (organization_id, person.or(owner_id));
    Ok(connections::list(&mut reader, of, status, page).await?)
}

/// A connection of the caller's organization, if the caller may do this with it.
async fn find_for(
    base: &Base,
    caller: &Caller,
    operation: Operation,
    connection_id: ConnectionId,
) -> Result<Connection, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let found = connections::find(&mut reader, organization_id, connection_id).await?;
    let object = Object::found(found.as_ref(), Object::connection);
    let sought = Sought::of(connection_id);
    base.authorize(caller, operation, &object, sought.clone())?;
    found.ok_or(Error::NotFound(sought))
}

/// The owner of a connection as a caller, when their browser comes back without a session.
fn connection_owner(connection: &Connection, request_id: Option<String>) -> Caller {
    let principal = Principal::User { user_id: connection.owner_id, role: Role::Member };
    let actor = Actor { organization_id: connection.organization_id, principal };
    Caller { actor, request_id }
}

/// The sealed form of a token pair.
#[derive(Serialize, Deserialize)]
struct Sealed {
    access_token: String,
    refresh_token: String,
}

impl Sealed {
    fn of(pair: &TokenPair) -> Self {
        Self {
            access_token: pair.access_token.expose_secret().to_owned(),
            refresh_token: pair.refresh_token.expose_secret().to_owned(),
        }
    }
}

fn context(connection_id: ConnectionId) -> Vec<u8> {
    format!("connections/sealed_tokens/{connection_id}").into_bytes()
}

fn seal(base: &Base, connection_id: ConnectionId, pair: &Sealed) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(pair)
        .map_err(|error| Error::Internal(format!("tokens to seal: {error}")))?;
    sealed::seal(&base.keys(), &*base.entropy, &context(connection_id), &plain)
        .map_err(|error| Error::Internal(format!("tokens to seal: {error}")))
}

fn unseal(
    base: &Base,
    connection_id: ConnectionId,
    bytes: &[u8],
) -> Result<(SecretString, SecretString), Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Internal(format!("sealed tokens: {error}"));
    let plain = sealed::open(&base.keys(), &context(connection_id), bytes)
        .map_err(|error| broken(&error))?;
    let sealed: Sealed = serde_json::from_slice(&plain).map_err(|error| broken(&error))?;
    Ok((sealed.access_token.into(), sealed.refresh_token.into()))
}

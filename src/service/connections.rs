//! Owners' consents at the vehicle cloud: starting one, receiving the browser that comes back,
//! and keeping its tokens usable.

mod access_tokens;
mod complete;
mod disconnect;
pub(crate) mod faults;
pub mod probe;
mod reauthenticate;
mod start;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Caller, Denial, Error, Service};
use crate::connector::TokenPair;
use crate::domain::actor::Scope;
use crate::domain::connection::Connection;
use crate::domain::id::ConnectionId;
use crate::signing::sealed;
use crate::storage::connections;

pub use access_tokens::{AccessToken, AccessTokens};
pub use complete::{Completed, Proof, Return, complete};
pub use disconnect::{Disconnected, disconnect};
pub(super) use disconnect::{end_here, end_upstream};
pub use reauthenticate::{Reauthentication, reauthenticate, reauthenticated};
pub use start::{Started, Wanted, start};

/// One consent, for its owner, administrators and machines with the scope.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::ScopeMissing`].
pub async fn get(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
) -> Result<Connection, Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(Scope::ConnectionsWrite) {
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::ConnectionsWrite.as_str())));
    }
    let organization_id = caller.actor.organization_id;
    let mut reader = service.store.read().await?;
    let found = connections::find(&mut reader, organization_id, connection_id).await?;
    let connection = found.ok_or(Error::NotFound)?;
    let may_see = caller.actor.is_admin()
        || caller.actor.is_api_client()
        || caller.actor.user_id() == Some(connection.owner_id);
    if may_see { Ok(connection) } else { Err(Error::NotFound) }
}

/// One consent, for those who may end or mend it: its owner, administrators, and machines with the
/// scope that act for nobody else.
async fn get_owned(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
) -> Result<Connection, Error> {
    let connection = get(service, caller, connection_id).await?;
    let acts_for_another = caller.actor.is_api_client()
        && caller.actor.user_id().is_some_and(|user_id| user_id != connection.owner_id);
    if acts_for_another { Err(Error::NotFound) } else { Ok(connection) }
}

/// The sealed form of a token pair.
#[derive(Serialize, Deserialize)]
struct Sealed {
    access_token: String,
    refresh_token: String,
}

fn context(connection_id: ConnectionId) -> Vec<u8> {
    format!("connections/sealed_tokens/{connection_id}").into_bytes()
}

fn seal(
    service: &Service,
    connection_id: ConnectionId,
    pair: &TokenPair,
) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(&Sealed {
        access_token: pair.access_token.expose_secret().to_owned(),
        refresh_token: pair.refresh_token.expose_secret().to_owned(),
    })
    .map_err(|error| Error::Internal(format!("tokens to seal: {error}")))?;
    sealed::seal(&service.keys(), &*service.entropy, &context(connection_id), &plain)
        .map_err(|error| Error::Internal(format!("tokens to seal: {error}")))
}

fn unseal(
    service: &Service,
    connection_id: ConnectionId,
    bytes: &[u8],
) -> Result<(SecretString, SecretString), Error> {
    let broken = |error: &dyn std::fmt::Display| Error::Internal(format!("sealed tokens: {error}"));
    let plain = sealed::open(&service.keys(), &context(connection_id), bytes)
        .map_err(|error| broken(&error))?;
    let sealed: Sealed = serde_json::from_slice(&plain).map_err(|error| broken(&error))?;
    Ok((sealed.access_token.into(), sealed.refresh_token.into()))
}

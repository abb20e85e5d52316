//! Sending an owner to the vehicle cloud.

use serde::{Deserialize, Serialize};

use super::PERMISSIONS;
use crate::connector::AuthorizeRequest;
use crate::domain::actor::Scope;
use crate::domain::connection::{Connection, ConnectionStatus, Mode};
use crate::domain::event::Event;
use crate::service::once::{Answer, Once};
use crate::service::{Ban, Caller, Error, Service, users};
use crate::signing::secret::{MachineSecret, SecretPrefix};
use crate::storage::{connections, repeat};

const START: &str = "connections.start";

/// A consent that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Started {
    /// The consent.
    pub connection: Connection,
    /// Where to send the owner's browser.
    pub authorize_url: String,
}

/// Starts a consent for the caller, or for the person a machine acts for.
///
/// # Errors
/// [`Ban::ScopeMissing`], [`Ban::ActingForMissing`], [`Error::NotFound`] for a person whose
/// account is not open.
pub async fn start(
    service: &Service,
    caller: &Caller,
    once: &Once,
    mode: Mode,
) -> Result<Answer<Started>, Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(Scope::ConnectionsWrite) {
        return Err(Error::Forbidden(Ban::ScopeMissing(Scope::ConnectionsWrite.as_str())));
    }
    let owner_id = caller.actor.user_id().ok_or(Error::Forbidden(Ban::ActingForMissing))?;
    repeat(|| async {
        let now = service.clock.now();
        let mut tx = service.store.begin().await?;
        if let Some(answer) = once.find(service, &mut tx, caller, START).await? {
            return Ok(answer);
        }
        users::find_open(&mut tx, caller, owner_id).await?;
        let state = MachineSecret::generate(SecretPrefix::State, &*service.entropy)?;
        let connection = Connection {
            connection_id: service.entropy.id(now)?,
            organization_id: caller.actor.organization_id,
            owner_id,
            status: ConnectionStatus::Pending,
            mode,
            status_reason: None,
            created_at: now,
        };
        connections::insert(&mut tx, &connection, state.hash()).await?;
        let authorize_url = service.connector.authorize_url(&AuthorizeRequest {
            redirect_uri: service.settings.redirect_uri(),
            permissions: PERMISSIONS.to_vec(),
            state: state.expose().to_owned(),
            mode: mode.as_str(),
        });
        let connection_id = connection.connection_id;
        let started = Started { connection, authorize_url };
        once.keep(service, &mut tx, caller, START, &started).await?;
        let event = Event::ConnectionStarted { connection_id, user_id: owner_id };
        service.record(&mut tx, caller, now, [event]).await?;
        tx.commit().await?;
        Ok(Answer::fresh(started))
    })
    .await
}

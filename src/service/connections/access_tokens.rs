//! Access tokens for the vehicle cloud: kept in memory while they live, renewed before they
//! expire. A refresh token works once, so one renewal runs at a time per connection, in this
//! process by a lock and among processes by a lease in the row; the new pair is stored before it
//! is used, because losing it would lose the owner's consent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use super::impairment::impaired_grants;
use super::{Sealed, seal, unseal};
use crate::config::ApiVersions;
use crate::connector::{Access, ConnectorError};
use crate::domain::actor::Actor;
use crate::domain::connection::{ApiVersion, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::ConnectionId;
use crate::domain::impairment::Impairment;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error, Service, StateFault};
use crate::storage::connections::{self, StoredTokens};
use crate::storage::{Priority, StorageError, vehicle_connections};

/// A token that lives shorter than this is not given out any more.
const MARGIN: Duration = Duration::from_secs(60);
/// Longer than the connector's own time limit and the time in which a new pair is stored.
const LEASE: Duration = Duration::from_secs(75);
/// At most so many connections are remembered; beyond it all are forgotten and read again.
const REMEMBERED_MAX: usize = 100_000;

/// The right to call the vehicle cloud for one owner, and the pair of tokens it belongs to.
#[derive(Debug, Clone)]
pub struct CloudToken {
    /// The right by which the vehicle cloud is called.
    pub access: Access,
    token_revision: i64,
    expires_at: Timestamp,
}

impl CloudToken {
    /// The application's own right, for this owner. It has no tokens to renew.
    const fn of_application(user_id: String) -> Self {
        Self {
            access: Access::Application { user_id },
            token_revision: 0,
            expires_at: Timestamp::MAX,
        }
    }
}

/// The access tokens of this process.
#[derive(Debug, Default)]
pub struct CloudTokens {
    remembered: Mutex<HashMap<ConnectionId, Arc<CloudToken>>>,
    renewing: Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<()>>>>,
}

impl CloudTokens {
    /// A token that can be used now.
    ///
    /// # Errors
    /// [`StateFault::ConsentLost`] if the owner must connect again; [`Error::Connector`] if the
    /// cloud did not renew it.
    pub async fn get(
        &self,
        service: &Service,
        connection_id: ConnectionId,
    ) -> Result<Arc<CloudToken>, Error> {
        let usable_until = service.base.clock.now().plus(MARGIN);
        if let Some(token) = self.remembered(connection_id)
            && token.expires_at > usable_until
        {
            return Ok(token);
        }
        let lock = self.renewal_lock(connection_id);
        let renewing = lock.lock().await;
        let stored = read(&service.base, connection_id).await?;
        let renewed = match (application_access(&service.base, &stored), stored.access_expires_at) {
            (Some(token), _) => Ok(token),
            (None, Some(expires_at)) if expires_at > usable_until => {
                opened(&service.base, connection_id, &stored).map(|(token, _)| token)
            }
            (None, _) => renew(service, connection_id, &stored).await,
        };
        drop(renewing);
        self.forget_lock(connection_id, &lock);
        let token = Arc::new(renewed?);
        self.remember(connection_id, &token);
        Ok(token)
    }

    /// Renews a token that the cloud did not accept, before its time; an error that says anything else
    /// renews nothing. Returns a token to try again with, if there is one.
    pub async fn renew_refused(
        &self,
        service: &Service,
        connection_id: ConnectionId,
        used: &CloudToken,
        error: &ConnectorError,
    ) -> Option<Arc<CloudToken>> {
        if error.fault != Fault::Authentication {
            return None;
        }
        if let Access::Application { user_id } = &used.access {
            // The connector has dropped the application's token and will ask for another.
            return Some(Arc::new(CloudToken::of_application(user_id.clone())));
        }
        let lock = self.renewal_lock(connection_id);
        let renewing = lock.lock().await;
        let renewed = match read(&service.base, connection_id).await {
            Ok(stored) if stored.token_revision != used.token_revision => {
                opened(&service.base, connection_id, &stored).map(|(token, _)| token)
            }
            Ok(stored) => renew(service, connection_id, &stored).await,
            Err(error) => Err(error),
        };
        drop(renewing);
        self.forget_lock(connection_id, &lock);
        match renewed {
            Ok(token) => {
                let token = Arc::new(token);
                self.remember(connection_id, &token);
                Some(token)
            }
            Err(error) => {
                tracing::warn!(%connection_id, error = %error, "the access token was not renewed");
                self.lock_remembered().remove(&connection_id);
                None
            }
        }
    }

    /// Forgets the tokens of a connection that has ended.
    pub fn forget(&self, connection_id: ConnectionId) {
        self.lock_remembered().remove(&connection_id);
    }

    fn lock_remembered(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, Arc<CloudToken>>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, connection_id: ConnectionId) -> Option<Arc<CloudToken>> {
        self.lock_remembered().get(&connection_id).cloned()
    }

    fn remember(&self, connection_id: ConnectionId, token: &Arc<CloudToken>) {
        let mut remembered = self.lock_remembered();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(connection_id, Arc::clone(token));
    }

    fn renewal_lock(&self, connection_id: ConnectionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(renewing.entry(connection_id).or_default())
    }

    /// Forgets a lock that nobody else holds or waits for: the map has one, the caller the other.
    fn forget_lock(&self, connection_id: ConnectionId, lock: &Arc<tokio::sync::Mutex<()>>) {
        let mut renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::strong_count(lock) <= 2 {
            renewing.remove(&connection_id);
        }
    }
}

async fn read(base: &Base, connection_id: ConnectionId) -> Result<StoredTokens, Error> {
    let mut reader = base.store.read_urgent().await?;
    let stored = connections::find_tokens(&mut reader, connection_id).await?;
    stored
        .filter(|stored| stored.status == ConnectionStatus::Active)
        .ok_or(Error::State(StateFault::ConsentLost))
}

/// The application's right, if the connection is used through API v3: because it was given that way,
/// or because this service no longer speaks v2.0 and knows who the owner is.
fn application_access(base: &Base, stored: &StoredTokens) -> Option<CloudToken> {
    let by_v3 = match base.settings.api_versions {
        ApiVersions::V2Only => false,
        ApiVersions::V3Only => true,
        ApiVersions::V3First => stored.api_version == ApiVersion::V3,
    };
    let user_id = stored.provider_user_id.clone().filter(|_| by_v3)?;
    Some(CloudToken::of_application(user_id))
}

fn opened(
    base: &Base,
    connection_id: ConnectionId,
    stored: &StoredTokens,
) -> Result<(CloudToken, SecretString), Error> {
    let missing = || Error::Internal(format!("{connection_id} is active and has no tokens"));
    let sealed = stored.sealed_tokens.as_deref().ok_or_else(missing)?;
    let (access_token, refresh_token) = unseal(base, connection_id, sealed)?;
    let token = CloudToken {
        access: Access::OwnerToken(access_token),
        token_revision: stored.token_revision,
        expires_at: stored.access_expires_at.ok_or_else(missing)?,
    };
    Ok((token, refresh_token))
}

async fn renew(
    service: &Service,
    connection_id: ConnectionId,
    stored: &StoredTokens,
) -> Result<CloudToken, Error> {
    let (_, refresh_token) = opened(&service.base, connection_id, stored)?;
    if !lease(&service.base, connection_id, stored.token_revision).await? {
        return Err(Error::Connector(Box::new(renewing_elsewhere())));
    }
    let caller = &Caller { actor: Actor::system(stored.organization_id), request_id: None };
    match service.connector.refresh(&refresh_token).await {
        Ok(pair) => {
            let sealed = &seal(&service.base, connection_id, &Sealed::of(&pair))?;
            let expires_at = service.base.clock.now().plus(pair.expires_in);
            let revision = stored.token_revision;
            // The old refresh token is used up: this write must not be lost to a database that is
            // busy, or away for a moment.
            let stored = service.base.transact_until_stored("connections.refresh", |work| {
                Box::pin(async move {
                    let sealed = sealed.clone();
                    let tx = &mut work.tx;
                    if !connections::store_refreshed(
                        tx,
                        connection_id,
                        revision,
                        sealed,
                        expires_at,
                    )
                    .await?
                    {
                        // A pair that is not stored must not be used: the stored one is newer.
                        return Err(Error::Storage(StorageError::LostRace));
                    }
                    work.record(caller, Event::ConnectionRefreshed { connection_id })
                })
            });
            stored.await?;
            Ok(CloudToken {
                access: Access::OwnerToken(pair.access_token),
                token_revision: revision + 1,
                expires_at,
            })
        }
        Err(error) => {
            fail_refresh(&service.base, caller, connection_id, stored, &error).await?;
            Err(Error::Connector(Box::new(error)))
        }
    }
}

async fn lease(base: &Base, connection_id: ConnectionId, revision: i64) -> Result<bool, Error> {
    let leased = base.transact("connections.lease_refresh", Priority::Urgent, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let until = now.plus(LEASE);
            Ok(connections::lease_refresh(tx, connection_id, revision, until, now).await?)
        })
    });
    leased.await
}

/// A refused refresh token means that the consent is gone. Any other failure may pass: the lease
/// is given back.
async fn fail_refresh(
    base: &Base,
    caller: &Caller,
    connection_id: ConnectionId,
    stored: &StoredTokens,
    error: &ConnectorError,
) -> Result<(), Error> {
    let (revision, user_id) = (stored.token_revision, stored.owner_id);
    let failed = base.transact("connections.fail_refresh", Priority::Urgent, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            if error.fault != Fault::ConsentLost {
                connections::release_refresh(tx, connection_id, revision).await?;
                return Ok(());
            }
            let reason = error.connection_reason();
            if !connections::lose(tx, connection_id, revision, &reason).await? {
                return Ok(());
            }
            let impaired = Impairment::Connection(reason.clone());
            let mut events = Vec::new();
            for car in vehicle_connections::of_connection(tx, connection_id).await? {
                let vehicle_id = car.facts.vehicle_id;
                events.extend(impaired_grants(tx, vehicle_id, &impaired, now).await?);
            }
            events.push(Event::ConnectionLost { connection_id, user_id, reason });
            work.record_all(caller, events)
        })
    });
    failed.await
}

fn renewing_elsewhere() -> ConnectorError {
    ConnectorError {
        retry_after: Some(Duration::from_secs(1)),
        ..ConnectorError::local(Fault::Unavailable, "another instance is renewing the token")
    }
}

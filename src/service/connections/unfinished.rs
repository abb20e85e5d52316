//! Consents that nobody completed: they are forgotten here, and ended at the vehicle cloud if no connection has the
//! car, so that nothing stays shared that nobody uses.

use secrecy::SecretString;

use super::consent::KeptConsent;
use crate::connector::Access;
use crate::domain::actor::Actor;
use crate::domain::connection::{COMPLETION_TIME, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::id::ConnectionId;
use crate::domain::impairment::{ConnectionEnd, ConnectionReason};
use crate::service::{Base, Caller, Error, Service};
use crate::storage::consents::{self, Over};
use crate::storage::{Priority, connections, vehicle_connections};

/// Forgets the consents whose time to be completed is over; returns how many. Of those that were completed, the code.
///
/// # Errors
/// [`Error::Storage`].
pub async fn forget_unfinished(service: &Service) -> Result<u64, Error> {
    let base = &service.base;
    let mut reader = base.store.read().await?;
    let consented_before = base.clock.now().minus(COMPLETION_TIME);
    let over = consents::over(&mut reader, consented_before).await?;
    drop(reader);
    let mut forgotten = 0;
    for consent in &over {
        if consent.status == ConnectionStatus::Active {
            forget_code(base, consent.connection_id).await?;
        } else if forget(base, consent).await? {
            end_upstream(service, consent).await?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

async fn forget_code(base: &Base, connection_id: ConnectionId) -> Result<(), Error> {
    base.transact("connections.forget_code", Priority::Ordinary, |work| {
        Box::pin(async move { Ok(consents::forget(&mut work.tx, connection_id).await?) })
    })
    .await
}

/// Another instance, or its owner, may have been faster.
async fn forget(base: &Base, consent: &Over) -> Result<bool, Error> {
    let &Over { connection_id, organization_id, owner_id: user_id, .. } = consent;
    let forgotten = base.transact("connections.forget_unfinished", Priority::Ordinary, |work| {
        Box::pin(async move {
            let reason = ConnectionReason::Ended(ConnectionEnd::NotCompleted);
            if !connections::fail(&mut work.tx, connection_id, &reason).await? {
                return Ok(false);
            }
            let caller = Caller { actor: Actor::system(organization_id), request_id: None };
            work.record(&caller, Event::ConnectionFailed { connection_id, user_id, reason })?;
            Ok(true)
        })
    });
    forgotten.await
}

/// Ends what the consent shares at the vehicle cloud, but for cars that another connection has; returns whether the
/// cloud has ended all of it.
pub(in crate::service) async fn end_upstream(
    service: &Service,
    consent: &Over,
) -> Result<bool, Error> {
    let base = &service.base;
    let Some(sealed) = &consent.sealed_consent else { return Ok(true) };
    let kept = KeptConsent::unseal(base, consent.connection_id, sealed)?;
    let Some(access) = access(&kept) else { return Ok(false) };
    let mut all = true;
    for car in &kept.cars {
        let mut reader = base.store.read().await?;
        let known = vehicle_connections::by_provider(&mut reader, &car.provider_vehicle_id).await?;
        drop(reader);
        if !known.is_empty() {
            continue;
        }
        if let Err(error) = service.connector.disconnect(&access, &car.provider_vehicle_id).await {
            let connection_id = consent.connection_id;
            tracing::warn!(%connection_id, %error, "the vehicle cloud did not end a consent");
            all = false;
        }
    }
    Ok(all)
}

fn access(kept: &KeptConsent) -> Option<Access> {
    match (kept.access_token(), &kept.provider_user_id) {
        (Some(token), _) => Some(Access::OwnerToken(SecretString::from(token))),
        (None, Some(user_id)) => Some(Access::Application { user_id: user_id.clone() }),
        (None, None) => None,
    }
}

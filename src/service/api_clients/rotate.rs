//! A new secret for an API client, while the old one works on for as long as its program needs to take the new one.

use std::time::Duration;

use super::{Credentials, find_for};
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::id::ApiClientId;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, StateFault};
use crate::signing::secret::{RandomSecret, SecretPrefix};
use crate::storage::{Priority, api_clients};

/// The longest time in which two secrets work.
pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Makes a new secret for an API client. The one before works until `overlap` has passed, and every one before that not
/// any more.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`]; [`Error::NotFound`]; [`StateFault::ApiClientEnded`] if it was revoked or has
/// expired.
pub async fn rotate_secret(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    api_client_id: ApiClientId,
    overlap: Duration,
) -> Result<Answer<Credentials>, Error> {
    let operation = Operation::RotateApiClient;
    let rotated = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let client = find_for(base, &mut work.tx, caller, operation, api_client_id).await?;
            let (tx, now, route) = (&mut work.tx, work.now, operation.as_str());
            if let Some(answer) = idempotency.find_or_take(base, tx, caller, route).await? {
                return Ok(answer);
            }
            let secret = RandomSecret::generate(SecretPrefix::ApiClient, &*base.entropy)?;
            let until = now.plus(overlap.min(OVERLAP_MAX));
            let replaced = client.is_usable(now)
                && api_clients::rotate(tx, &client, secret.hash(), until).await?;
            if !replaced {
                return Err(Error::State(StateFault::ApiClientEnded));
            }
            let credentials = Credentials {
                api_client_id,
                name: client.name,
                scopes: client.scopes,
                vehicle_ids: client.vehicles,
                client_secret: secret.expose().to_owned(),
                expires_at: client.expires_at,
                created_at: client.created_at,
            };
            idempotency.keep(base, tx, caller, route, &credentials).await?;
            work.record(caller, Event::ApiClientSecretRotated { api_client_id, until })?;
            Ok(Answer::fresh(credentials))
        })
    });
    rotated.await
}

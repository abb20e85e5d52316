//! The keys of people's devices. Grant tokens can be bound to them, and a lost device can use none of its tokens.

use super::{Base, Caller, Error, StateFault, Work, sessions, users};
use crate::domain::access::{Operation, Sought};
use crate::domain::device_key::Thumbprint;
use crate::domain::event::{Event, SessionEnd};
use crate::domain::grant::Grant;
use crate::domain::id::{SessionId, UserId};
use crate::storage::device_keys::{self, DeviceKey};
use crate::storage::{Priority, grant_tokens};

/// So many devices of one person are known at a time. When there are as many, those that have no token are forgotten.
pub const DEVICE_KEYS_MAX: usize = 32;

/// Lets tokens of a grant be bound to a device of its grantee.
///
/// # Errors
/// [`StateFault::DeviceKeyRevoked`] for a device that was lost, [`StateFault::TooManyDeviceKeys`].
pub(super) async fn bind(
    work: &mut Work<'_>,
    grant: &Grant,
    thumbprint: Thumbprint,
) -> Result<(), Error> {
    let person = (grant.organization_id, grant.grantee_id);
    match device_keys::lock(&mut work.tx, grant.grantee_id, thumbprint).await? {
        Some(known) if known.revoked_at.is_some() => {
            return Err(Error::State(StateFault::DeviceKeyRevoked));
        }
        Some(_) => return Ok(()),
        None => {}
    }
    let known = device_keys::list(&mut work.tx, grant.grantee_id).await?.len();
    // A browser that makes a key for each visit does not keep its person from their car.
    if known >= DEVICE_KEYS_MAX
        && device_keys::forget_unused(&mut work.tx, grant.grantee_id).await? == 0
    {
        return Err(Error::State(StateFault::TooManyDeviceKeys));
    }
    device_keys::add(&mut work.tx, person, thumbprint, work.now).await?;
    Ok(())
}

/// The keys of a person's devices that were not revoked, newest first; about [`DEVICE_KEYS_MAX`] at most.
///
/// # Errors
/// [`Error::NotFound`], or a [`super::Denial`].
pub async fn list(base: &Base, caller: &Caller, user_id: UserId) -> Result<Vec<DeviceKey>, Error> {
    let mut reader = base.store.read().await?;
    users::find_for(base, &mut reader, caller, Operation::ListDeviceKeys, user_id).await?;
    Ok(device_keys::list(&mut reader, user_id).await?)
}

/// Ends every token that is bound to a device, and lets nothing be bound to it again: no request that shows one is allowed after
/// this was answered (P2). All sessions of the person end too, except `said_in`: the device may be signed in, and its finder
/// could bind another key. A second time changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for a person or a key that is not there, or a [`super::Denial`].
pub async fn revoke(
    base: &Base,
    caller: &Caller,
    user_id: UserId,
    device_key: Thumbprint,
    said_in: Option<SessionId>,
) -> Result<(), Error> {
    let operation = Operation::RevokeDeviceKey;
    let revoked = base.transact(operation.as_str(), Priority::Urgent, |work| {
        Box::pin(async move {
            users::find_for(base, &mut work.tx, caller, operation, user_id).await?;
            if device_keys::revoke(&mut work.tx, user_id, device_key, work.now).await? {
                grant_tokens::end_of_device(&mut work.tx, user_id, device_key, work.now).await?;
                work.record(caller, Event::DeviceKeyRevoked { user_id, device_key })?;
                let reason = SessionEnd::DeviceLost;
                sessions::end_others(work, caller, user_id, said_in, reason).await?;
                return Ok(());
            }
            let known = device_keys::lock(&mut work.tx, user_id, device_key).await?;
            known.map(drop).ok_or(Error::NotFound(Sought::the("device key")))
        })
    });
    revoked.await
}

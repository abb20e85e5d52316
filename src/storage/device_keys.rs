//! The keys of people's devices.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use crate::domain::device_key::Thumbprint;
use crate::domain::id::{OrganizationId, UserId};
use crate::domain::time::Timestamp;

const ADD: &str = "INSERT INTO device_keys (user_id, thumbprint, organization_id, added_at) VALUES ($1, $2, $3, $4)";
/// A revocation of the key waits until this transaction ends, or is seen by it.
const LOCK: &str = "SELECT d.* FROM device_keys d WHERE d.user_id = $1 AND d.thumbprint IN (VALUES {rows:text}) FOR SHARE OF d";
const LIST: &str = "SELECT * FROM device_keys WHERE user_id = $1 AND revoked_at IS NULL ORDER BY added_at DESC, thumbprint";
const REVOKE: &str = "UPDATE device_keys SET revoked_at = $3 WHERE user_id = $1 AND thumbprint = $2 AND revoked_at IS NULL";

const FORGET_UNUSED: &str = "DELETE FROM device_keys WHERE user_id = $1 AND revoked_at IS NULL AND NOT EXISTS \
    (SELECT 1 FROM grant_tokens k WHERE k.user_id = device_keys.user_id AND k.device_key = device_keys.thumbprint)";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ADD, LOCK, LIST, REVOKE, FORGET_UNUSED];

/// The key of a device.
#[derive(Debug, Clone)]
pub struct DeviceKey {
    /// Its name.
    pub thumbprint: Thumbprint,
    /// When the first token was bound to it.
    pub added_at: Timestamp,
    /// When it was revoked. No token can be bound to it afterwards.
    pub revoked_at: Option<Timestamp>,
}

impl FromRow for DeviceKey {
    const ORIGIN: Origin = Origin::of::<UserId>("device_keys", "user_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            thumbprint: row.get("thumbprint")?,
            added_at: row.get("added_at")?,
            revoked_at: row.optional("revoked_at")?,
        })
    }
}

/// Adds a key to a person's.
pub async fn add(
    tx: &mut Tx,
    (organization_id, user_id): (OrganizationId, UserId),
    thumbprint: Thumbprint,
    now: Timestamp,
) -> Result<(), StorageError> {
    let add = query(ADD).bind(user_id).bind(thumbprint.to_string()).bind(organization_id);
    add.bind(now).execute_one(tx).await
}

/// A key of a person, revoked or not. It cannot be revoked before the transaction ends.
pub async fn lock(
    tx: &mut Tx,
    user_id: UserId,
    thumbprint: Thumbprint,
) -> Result<Option<DeviceKey>, StorageError> {
    let lock = query(LOCK).bind(user_id).rows([[thumbprint.to_string().into()]]);
    lock.fetch_optional(tx).await
}

/// The keys of a person that were not revoked, newest first: there are at most a few.
pub async fn list(on: &mut impl Executor, user_id: UserId) -> Result<Vec<DeviceKey>, StorageError> {
    query(LIST).bind(user_id).fetch_all(on).await
}

/// Forgets the keys of a person for which there are no tokens; returns how many.
pub async fn forget_unused(tx: &mut Tx, user_id: UserId) -> Result<u64, StorageError> {
    query(FORGET_UNUSED).bind(user_id).execute(tx).await
}

/// Revokes a key; `false` if the person has no such key, or it was revoked before.
pub async fn revoke(
    tx: &mut Tx,
    user_id: UserId,
    thumbprint: Thumbprint,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let revoke = query(REVOKE).bind(user_id).bind(thumbprint.to_string());
    Ok(revoke.bind(now).execute(tx).await? == 1)
}

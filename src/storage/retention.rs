//! Forgetting what is over and old. The record keeps what it says of it.

use super::StorageError;
use super::db::{Tx, query};
use crate::domain::id::{CommandId, ConnectionId};
use crate::domain::time::Timestamp;

const DELETE_COMMANDS: &str = "DELETE FROM commands WHERE command_id IN (SELECT command_id FROM commands \
    WHERE command_id < $1 AND status <> 'sending' AND check_at IS NULL ORDER BY command_id LIMIT $2)";
const DELETE_READINGS: &str = "DELETE FROM grant_readings WHERE grant_id IN (SELECT r.grant_id FROM grant_readings r \
    JOIN grants g ON g.grant_id = r.grant_id WHERE r.fetched_at < $1 AND (g.ended_at < $1 OR g.not_after < $1) ORDER BY r.fetched_at LIMIT $2)";
/// A consent that ever had a car is kept with it.
const DELETE_CONNECTIONS: &str = "DELETE FROM connections WHERE connection_id IN (SELECT c.connection_id FROM connections c \
    WHERE c.connection_id < $1 AND c.status IN ('pending', 'failed', 'lost') \
    AND NOT EXISTS (SELECT 1 FROM vehicles v WHERE v.connection_id = c.connection_id) ORDER BY c.connection_id LIMIT $2)";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[DELETE_COMMANDS, DELETE_READINGS, DELETE_CONNECTIONS];

/// Forgets at most so many commands with smaller ids that are over, and with them their idempotency keys; returns
/// how many.
pub async fn delete_commands(
    tx: &mut Tx,
    before: CommandId,
    limit: i64,
) -> Result<u64, StorageError> {
    query(DELETE_COMMANDS).long().bind(before).bind(limit).execute(tx).await
}

/// Forgets what the cars of grants were seen as that were over before; returns how many readings that were.
pub async fn delete_readings(
    tx: &mut Tx,
    before: Timestamp,
    limit: i64,
) -> Result<u64, StorageError> {
    query(DELETE_READINGS).long().bind(before).bind(limit).execute(tx).await
}

/// Forgets at most so many consents with smaller ids that came to nothing; returns how many.
pub async fn delete_connections(
    tx: &mut Tx,
    before: ConnectionId,
    limit: i64,
) -> Result<u64, StorageError> {
    query(DELETE_CONNECTIONS).long().bind(before).bind(limit).execute(tx).await
}

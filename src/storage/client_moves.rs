//! People who have no voice but an API client's, and another API client in its place.

use super::StorageError;
use super::db::{Tx, Value, query};
use crate::domain::id::{ApiClientId, UserId};

const MOVE_USERS: &str = "UPDATE users SET created_by = $2 WHERE user_id IN (SELECT user_id FROM users \
    WHERE created_by_kind = 'api_client' AND created_by = $1 AND claimed_at IS NULL ORDER BY user_id LIMIT $3) RETURNING user_id";
/// The links that these people were sent stay what they were.
const MOVE_CLAIMS: &str = "UPDATE claims SET made_by = $2 WHERE made_by_kind = 'api_client' AND made_by = $1 \
    AND ended_at IS NULL AND user_id IN (VALUES {rows:uuid})";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[MOVE_USERS, MOVE_CLAIMS];

/// Makes at most so many people whom one API client made, and who have not claimed their account, another's, as if it
/// had made them and the links to their accounts; returns them.
pub async fn move_users(
    tx: &mut Tx,
    from: ApiClientId,
    to: ApiClientId,
    limit: i64,
) -> Result<Vec<UserId>, StorageError> {
    let moved: Vec<UserId> =
        query(MOVE_USERS).long().bind(from).bind(to).bind(limit).fetch_all(tx).await?;
    let rows = moved.iter().map(|&user_id| [Value::from(user_id)]);
    query(MOVE_CLAIMS).long().bind(from).bind(to).rows(rows).execute(tx).await?;
    Ok(moved)
}

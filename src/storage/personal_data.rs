//! Erasing a person: everything in the database that says more of them than their id, in one place.
//! What is about others, or about cars and times alone, stays.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, Value, query};
use super::idempotency_keys::StoredAnswer;
use crate::domain::id::{CommandId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

const USER: &str = "UPDATE users SET email = $3, display_name = $4, external_ref = NULL, password_hash = NULL, erased_at = $5 \
    WHERE organization_id = $1 AND user_id = $2 AND erased_at IS NULL";
const SESSIONS: &str = "UPDATE sessions SET ended_at = $2, end_reason = 'signed_out' WHERE user_id = $1 AND ended_at IS NULL";
const REFRESH_TOKENS: &str = "DELETE FROM refresh_tokens WHERE session_id IN (SELECT session_id FROM sessions WHERE user_id = $1)";
const GRANTS: &str = "UPDATE grants SET label = NULL, metadata = NULL, external_ref = NULL, instructions = NULL, fallback_text = NULL, return_terms = NULL, statement = FALSE, end_note = NULL \
    WHERE organization_id = $1 AND (grantee_id = $2 OR issuer_id = $2)";
const EXTENSIONS: &str = "UPDATE extension_requests SET reason = NULL WHERE organization_id = $1 AND grant_id IN \
    (SELECT grant_id FROM grants WHERE organization_id = $1 AND (grantee_id = $2 OR issuer_id = $2))";
const READINGS: &str = "DELETE FROM grant_readings WHERE grant_id IN \
    (SELECT grant_id FROM grants WHERE organization_id = $1 AND (grantee_id = $2 OR issuer_id = $2))";
/// Over the person, over what they lent or were lent, over their cars, or by them.
const HOLDS: &str = "UPDATE holds SET reason = NULL WHERE organization_id = $1 AND (scope_id = $2 OR placed_by = $2 \
    OR scope_id IN (SELECT grant_id FROM grants WHERE organization_id = $1 AND (grantee_id = $2 OR issuer_id = $2)) \
    OR scope_id IN (SELECT vehicle_id FROM vehicles WHERE organization_id = $1 AND owner_id = $2))";
const SCOPE_ENDS: &str = "UPDATE scope_ends SET reason = NULL WHERE organization_id = $1 AND (scope_id = $2 OR ended_by = $2 \
    OR scope_id IN (SELECT grant_id FROM grants WHERE organization_id = $1 AND (grantee_id = $2 OR issuer_id = $2)) \
    OR scope_id IN (SELECT vehicle_id FROM vehicles WHERE organization_id = $1 AND owner_id = $2))";
const BESIDE_ENTRIES: &str = "DELETE FROM personal_data WHERE entry_id IN (SELECT entry_id FROM audit_entries \
    WHERE organization_id = $1 AND (user_id = $2 OR actor_id = $2 OR acting_for = $2))";
const CONNECTIONS: &str = "UPDATE connections SET provider_user_id = NULL, state_hash = NULL, sealed_tokens = NULL, \
    sealed_consent = NULL, completion_hash = NULL, \
    status = CASE WHEN status IN ('pending', 'consented') THEN 'failed' ELSE status END WHERE organization_id = $1 AND owner_id = $2";
const GRANT_TOKENS: &str = "DELETE FROM grant_tokens WHERE organization_id = $1 AND user_id = $2";
const DEVICE_KEYS: &str = "DELETE FROM device_keys WHERE organization_id = $1 AND user_id = $2";
const VEHICLES_OF: &str =
    "SELECT vehicle_id FROM vehicles WHERE organization_id = $1 AND owner_id = $2";
const VEHICLES: &str = "UPDATE vehicles SET provider_vehicle_id = v.column2, label = NULL, plate = NULL, colour = NULL, \
    vin = NULL, metadata = NULL, external_ref = NULL FROM (VALUES {rows:uuid,text}) AS v \
    WHERE vehicles.vehicle_id = v.column1";
// There is no destination without coordinates; these are nobody's.
const DESTINATIONS: &str = "UPDATE commands SET parameters = '0 0' WHERE organization_id = $1 AND user_id = $2 AND action = 'set_destination'";
const COMMANDS_OF: &str =
    "SELECT command_id FROM commands WHERE organization_id = $1 AND user_id = $2";
const COMMAND_KEYS: &str = "UPDATE commands SET idempotency_key = v.column2 FROM (VALUES {rows:uuid,text}) AS v \
    WHERE commands.command_id = v.column1";
const ANSWERS_TO: &str = "DELETE FROM idempotency_keys WHERE principal_id = $1";
const ANSWERS: &str = "SELECT principal_id, route, idempotency_key, sealed_answer FROM idempotency_keys \
    WHERE organization_id = $1";
const ANSWER: &str =
    "DELETE FROM idempotency_keys WHERE principal_id = $1 AND route = $2 AND idempotency_key = $3";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    USER,
    SESSIONS,
    REFRESH_TOKENS,
    GRANTS,
    READINGS,
    EXTENSIONS,
    HOLDS,
    SCOPE_ENDS,
    BESIDE_ENTRIES,
    CONNECTIONS,
    GRANT_TOKENS,
    DEVICE_KEYS,
    VEHICLES_OF,
    VEHICLES,
    DESTINATIONS,
    COMMANDS_OF,
    COMMAND_KEYS,
    ANSWERS_TO,
    ANSWERS,
    ANSWER,
];

/// An answer that is kept for somebody's idempotency key.
#[derive(Debug, Clone)]
pub struct KeptAnswer {
    /// Identifies the user or API client that sent the request.
    pub principal_id: uuid::Uuid,
    /// The method and path of the operation.
    pub route: String,
    /// The key.
    pub key: String,
    /// The answer.
    pub sealed_answer: Vec<u8>,
}

impl FromRow for KeptAnswer {
    const ORIGIN: Origin = StoredAnswer::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            principal_id: row.get("principal_id")?,
            route: row.get("route")?,
            key: row.get("idempotency_key")?,
            sealed_answer: row.get("sealed_answer")?,
        })
    }
}

/// Erases a person's data from every table but the kept answers, which are sealed; `true` the
/// first time.
///
/// # Errors
/// [`StorageError`]; then nothing of the transaction may be kept.
pub async fn erase(
    tx: &mut Tx,
    organization_id: OrganizationId,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let email = format!("{user_id}@erased.invalid");
    let user = query(USER).bind(organization_id).bind(user_id).bind(email);
    let first = user.bind("erased").bind(now).execute(tx).await? == 1;
    query(SESSIONS).long().bind(user_id).bind(now).execute(tx).await?;
    query(REFRESH_TOKENS).long().bind(user_id).execute(tx).await?;
    for everything_of in [
        GRANTS,
        READINGS,
        EXTENSIONS,
        HOLDS,
        SCOPE_ENDS,
        BESIDE_ENTRIES,
        CONNECTIONS,
        DESTINATIONS,
        GRANT_TOKENS,
        DEVICE_KEYS,
    ] {
        query(everything_of).long().bind(organization_id).bind(user_id).execute(tx).await?;
    }
    let vehicles = cars_of(tx, organization_id, user_id).await?;
    let named = |id: String| format!("erased {id}");
    let vehicles = vehicles.into_iter().map(|id| row(id.into(), named(id.to_string())));
    query(VEHICLES).long().rows(vehicles).execute(tx).await?;
    let commands = query(COMMANDS_OF).long().bind(organization_id).bind(user_id);
    let commands: Vec<CommandId> = commands.fetch_all(tx).await?;
    let commands = commands.into_iter().map(|id| row(id.into(), named(id.to_string())));
    query(COMMAND_KEYS).long().rows(commands).execute(tx).await?;
    query(ANSWERS_TO).long().bind(user_id.as_uuid()).execute(tx).await?;
    Ok(first)
}

/// Every car that a person ever connected.
pub async fn cars_of(
    tx: &mut Tx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Vec<VehicleId>, StorageError> {
    query(VEHICLES_OF).long().bind(organization_id).bind(user_id).fetch_all(tx).await
}

fn row(id: Value, text: String) -> [Value; 2] {
    [id, text.into()]
}

/// Every answer that is kept for an organization.
pub async fn kept_answers(
    on: &mut impl Executor,
    organization_id: OrganizationId,
) -> Result<Vec<KeptAnswer>, StorageError> {
    query(ANSWERS).long().bind(organization_id).fetch_all(on).await
}

/// Forgets one of them.
pub async fn forget_answer(tx: &mut Tx, answer: &KeptAnswer) -> Result<(), StorageError> {
    let forget = query(ANSWER).bind(answer.principal_id).bind(answer.route.as_str());
    forget.bind(answer.key.as_str()).execute(tx).await.map(drop)
}

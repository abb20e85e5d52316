//! Grants. Ending one is the line that no later authorization can cross (P2): it waits for decisions
//! that have the grant locked ([`super::decisions`]), and later ones see it.

#[cfg(test)]
pub(crate) mod meaning;

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use crate::domain::grant::{Description, End, Grace, Grant, Validity};
use crate::domain::id::{GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO grants (grant_id, organization_id, vehicle_id, issuer_id, grantee_id, entitlements, not_before, \
    not_after, uses_max, uses, revision, version, label, metadata, external_ref, issued_at, grace_minutes, instructions, fallback_text, \
    return_terms, statement, leave_lock, grantee_recoveries, vehicle_consents, require_device_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
    $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";
const FIND: &str = "SELECT * FROM grants WHERE organization_id = $1 AND grant_id = $2";
/// Which of these are alive, the domain decides.
const OPEN_OF_VEHICLE: &str = "SELECT * FROM grants WHERE vehicle_id = $1 AND ended_at IS NULL AND not_after > $2 \
    ORDER BY grant_id";
/// The owner stands by a grant, whoever gave the grantee's account new credentials, and whatever became of their own
/// consent to the car since.
const CONFIRM: &str = "UPDATE grants SET grantee_recoveries = (SELECT recoveries FROM users WHERE user_id = grants.grantee_id), \
    vehicle_consents = (SELECT consents FROM vehicles WHERE vehicle_id = grants.vehicle_id), revision = revision + 1 \
    WHERE grant_id = $1 AND ended_at IS NULL AND (grantee_recoveries <> (SELECT recoveries FROM users WHERE user_id = grants.grantee_id) \
    OR vehicle_consents <> (SELECT consents FROM vehicles WHERE vehicle_id = grants.vehicle_id)) RETURNING *";
/// Those that wait because the owner's consent to the car came back. Which of them are alive, the domain decides.
const WAITING_OF_VEHICLE: &str = "SELECT g.* FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id \
    WHERE g.vehicle_id = $1 AND g.ended_at IS NULL AND g.not_after > $2 AND g.vehicle_consents <> v.consents ORDER BY g.grant_id";
/// The owner stands by these, now that their consent has come back.
const KEEP_EACH: &str = "UPDATE grants SET vehicle_consents = (SELECT consents FROM vehicles WHERE vehicle_id = grants.vehicle_id), \
    revision = revision + 1 \
    WHERE ended_at IS NULL AND grant_id IN (VALUES {rows:uuid}) RETURNING *";
/// The same for all grants that this issuer gave this person, for cars that are not waiting themselves.
const CONFIRM_OF: &str = "UPDATE grants SET grantee_recoveries = (SELECT recoveries FROM users WHERE user_id = grants.grantee_id), \
    revision = revision + 1 \
    WHERE issuer_id = $1 AND grantee_id = $2 AND ended_at IS NULL AND vehicle_id IN (SELECT v.vehicle_id FROM vehicles v \
    JOIN users o ON o.user_id = v.owner_id WHERE v.owner_id = $1 AND v.owner_recoveries = o.recoveries) RETURNING *";
/// What it says is that of a row that the same transaction has locked and read.
const AMEND: &str = "UPDATE grants SET entitlements = $3, not_before = $4, not_after = $5, uses_max = $6, label = $7, metadata = $8, \
    external_ref = $9, revision = $10, grace_minutes = $11, instructions = $12, fallback_text = $13, return_terms = $14, statement = $15, require_device_key = $16, version = version + 1 WHERE organization_id = $1 AND grant_id = $2 AND ended_at IS NULL \
    RETURNING *";
const END: &str = "UPDATE grants SET ended_at = $3, end_reason = $4, end_note = $5, leave_lock = $6, revision = revision + 1, version = version + 1 \
    WHERE organization_id = $1 AND grant_id = $2 AND ended_at IS NULL RETURNING *";
const END_EACH: &str = "UPDATE grants SET ended_at = $1, end_reason = $2, revision = revision + 1, version = version + 1 \
    WHERE ended_at IS NULL AND grant_id IN (VALUES {rows:uuid}) RETURNING *";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    FIND,
    OPEN_OF_VEHICLE,
    CONFIRM,
    WAITING_OF_VEHICLE,
    KEEP_EACH,
    CONFIRM_OF,
    AMEND,
    END,
    END_EACH,
];

impl FromRow for Grant {
    const ORIGIN: Origin = Origin::of::<GrantId>("grants", "grant_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let end = match (row.optional("ended_at")?, row.optional("end_reason")?) {
            (Some(ended_at), Some(end_reason)) => {
                Some(End { ended_at, end_reason, leave_lock: row.get("leave_lock")? })
            }
            (None, None) => None,
            _ => return Err(corrupt("end_reason", "is not there exactly when ended_at is")),
        };
        let validity = Validity::new(row.get("not_before")?, row.get("not_after")?);
        Ok(Self {
            grant_id: row.get("grant_id")?,
            organization_id: row.get("organization_id")?,
            vehicle_id: row.get("vehicle_id")?,
            issuer_id: row.get("issuer_id")?,
            grantee_id: row.get("grantee_id")?,
            entitlements: row.get("entitlements")?,
            validity: validity.map_err(|why| corrupt("not_after", why))?,
            grace: Grace::try_from(row.get::<i64>("grace_minutes")?)
                .map_err(|why| corrupt("grace_minutes", why))?,
            uses_max: row.optional("uses_max")?,
            require_device_key: row.get("require_device_key")?,
            uses: row.get("uses")?,
            end,
            revision: row.get("revision")?,
            version: row.get("version")?,
            description: Description {
                label: row.optional("label")?,
                metadata: row.optional("metadata")?,
                external_ref: row.optional("external_ref")?,
                instructions: row.optional("instructions")?,
                fallback_text: row.optional("fallback_text")?,
                return_terms: row.optional("return_terms")?,
                statement: row.get("statement")?,
            },
            issued_at: row.get("issued_at")?,
        })
    }
}

/// At which counts the owner stands by a grant: how often the grantee's account was recovered, and how often the owner's consent
/// to the car came back.
#[derive(Debug, Clone, Copy)]
pub struct StoodBy {
    /// The grantee's recoveries.
    pub grantee_recoveries: i64,
    /// The car's consents.
    pub vehicle_consents: i64,
}

/// Adds a grant that its owner stands by as things are, in a transaction that has locked the grantee and the car.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(tx: &mut Tx, grant: &Grant, stood_by: StoodBy) -> Result<(), StorageError> {
    let description = &grant.description;
    query(INSERT)
        .bind(grant.grant_id)
        .bind(grant.organization_id)
        .bind(grant.vehicle_id)
        .bind(grant.issuer_id)
        .bind(grant.grantee_id)
        .bind(&grant.entitlements)
        .bind(grant.validity.not_before())
        .bind(grant.validity.not_after())
        .bind(grant.uses_max)
        .bind(grant.uses)
        .bind(grant.revision)
        .bind(grant.version)
        .bind(description.label.as_deref())
        .bind(description.metadata.as_deref())
        .bind(description.external_ref.as_deref())
        .bind(grant.issued_at)
        .bind(i64::from(grant.grace))
        .bind(description.instructions.as_deref())
        .bind(description.fallback_text.as_deref())
        .bind(description.return_terms.as_deref())
        .bind(description.statement)
        .bind(grant.end.is_some_and(|end| end.leave_lock))
        .bind(stood_by.grantee_recoveries)
        .bind(stood_by.vehicle_consents)
        .bind(grant.require_device_key)
        .execute_one(tx)
        .await
}

/// One grant.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    grant_id: GrantId,
) -> Result<Option<Grant>, StorageError> {
    query(FIND).bind(organization_id).bind(grant_id).fetch_optional(on).await
}

/// The grants of a car that are alive at `now`.
pub async fn alive_of_vehicle(
    on: &mut impl Executor,
    vehicle_id: VehicleId,
    now: Timestamp,
) -> Result<Vec<Grant>, StorageError> {
    let open =
        query(OPEN_OF_VEHICLE).long().bind(vehicle_id).bind(Grant::over_by(now)).fetch_all(on);
    let mut open: Vec<Grant> = open.await?;
    open.retain(|grant| grant.is_alive(now));
    Ok(open)
}

/// Notes that the owner stands by a grant, and returns it as it is then; `None` if it did not wait for that.
pub async fn confirm(tx: &mut Tx, grant_id: GrantId) -> Result<Option<Grant>, StorageError> {
    query(CONFIRM).bind(grant_id).fetch_optional(tx).await
}

/// The grants of a car that are alive at `now` and wait because the owner's consent to it was lost and came back.
pub async fn waiting_of_vehicle(
    on: &mut impl Executor,
    vehicle_id: VehicleId,
    now: Timestamp,
) -> Result<Vec<Grant>, StorageError> {
    let waiting = query(WAITING_OF_VEHICLE).long().bind(vehicle_id).bind(Grant::over_by(now));
    let mut waiting: Vec<Grant> = waiting.fetch_all(on).await?;
    waiting.retain(|grant| grant.is_alive(now));
    Ok(waiting)
}

/// Notes that the owner stands by each of these grants, although their consent was lost; returns those that no act has
/// ended meanwhile.
pub async fn keep_each(tx: &mut Tx, grants: &[Grant]) -> Result<Vec<Grant>, StorageError> {
    let ids = grants.iter().map(|grant| [grant.grant_id.into()]);
    query(KEEP_EACH).rows(ids).fetch_all(tx).await
}

/// Notes that an issuer stands by what they gave a person; returns these grants.
pub async fn confirm_of(
    tx: &mut Tx,
    issuer_id: UserId,
    grantee_id: UserId,
) -> Result<Vec<Grant>, StorageError> {
    query(CONFIRM_OF).long().bind(issuer_id).bind(grantee_id).fetch_all(tx).await
}

/// Changes a grant to what `amended` says, and returns it as it is then; `None` if an act has ended it. The row must be
/// locked by this transaction since it was read.
pub async fn amend(tx: &mut Tx, amended: &Grant) -> Result<Option<Grant>, StorageError> {
    let description = &amended.description;
    query(AMEND)
        .bind(amended.organization_id)
        .bind(amended.grant_id)
        .bind(&amended.entitlements)
        .bind(amended.validity.not_before())
        .bind(amended.validity.not_after())
        .bind(amended.uses_max)
        .bind(description.label.as_deref())
        .bind(description.metadata.as_deref())
        .bind(description.external_ref.as_deref())
        .bind(amended.revision)
        .bind(i64::from(amended.grace))
        .bind(description.instructions.as_deref())
        .bind(description.fallback_text.as_deref())
        .bind(description.return_terms.as_deref())
        .bind(description.statement)
        .bind(amended.require_device_key)
        .fetch_optional(tx)
        .await
}

/// Ends a grant and returns it as it is then; `None` if there is no such grant or it had ended.
pub async fn end(
    tx: &mut Tx,
    organization_id: OrganizationId,
    grant_id: GrantId,
    end: End,
    note: Option<&str>,
) -> Result<Option<Grant>, StorageError> {
    query(END)
        .bind(organization_id)
        .bind(grant_id)
        .bind(end.ended_at)
        .bind(end.end_reason)
        .bind(note)
        .bind(end.leave_lock)
        .fetch_optional(tx)
        .await
}

/// A grant that has ended, as far as the record says.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The grant.
    pub grant_id: GrantId,
    /// Its car.
    pub vehicle_id: VehicleId,
    /// Its grantee.
    pub grantee_id: UserId,
    /// The revision that its end made.
    pub revision: i64,
}

impl FromRow for Ended {
    const ORIGIN: Origin = Grant::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            grant_id: row.get("grant_id")?,
            vehicle_id: row.get("vehicle_id")?,
            grantee_id: row.get("grantee_id")?,
            revision: row.get("revision")?,
        })
    }
}

/// Ends each of these grants that no act has ended; returns those. What else a row says may be corrupt: it ends all the same.
pub async fn end_each(
    tx: &mut Tx,
    grant_ids: &[GrantId],
    end: End,
) -> Result<Vec<Ended>, StorageError> {
    query(END_EACH)
        .bind(end.ended_at)
        .bind(end.end_reason)
        .rows(grant_ids.iter().map(|&id| [id.into()]))
        .fetch_all(tx)
        .await
}

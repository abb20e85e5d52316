//! People's accounts.

#[cfg(test)]
pub(super) mod meaning;

use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::{Page, StorageError};
use crate::domain::id::{OrganizationId, UserId};
use crate::domain::principal::PrincipalId;
use crate::domain::scope_end::PendingEnds;
use crate::domain::time::Timestamp;
use crate::domain::user::{AccountStatus, Email, Recovery, User};

const INSERT: &str = "INSERT INTO users (user_id, organization_id, email, display_name, role, password_hash, created_at, \
    created_by_kind, created_by, claimed_at, external_ref) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const FIND: &str = "SELECT * FROM users WHERE organization_id = $1 AND user_id = $2";
const LIST: &str = "SELECT * FROM users WHERE organization_id = $1 AND user_id < $2 \
    AND (CAST($4 AS TEXT) IS NULL OR email = $4) AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) \
    AND (CAST($6 AS TEXT) IS NULL OR $6 = CASE WHEN disabled_at IS NULL THEN 'open' ELSE 'closed' END) ORDER BY user_id DESC LIMIT $3";
const LIST_BY_EMAIL: &str = "SELECT * FROM users WHERE organization_id = $1 AND user_id < $2 AND email = $7 \
    AND (CAST($4 AS TEXT) IS NULL OR email = $4) AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) \
    AND (CAST($6 AS TEXT) IS NULL OR $6 = CASE WHEN disabled_at IS NULL THEN 'open' ELSE 'closed' END) ORDER BY user_id DESC LIMIT $3";
const LIST_BY_REFERENCE: &str = "SELECT * FROM users WHERE organization_id = $1 AND user_id < $2 AND external_ref = $7 \
    AND (CAST($4 AS TEXT) IS NULL OR email = $4) AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) \
    AND (CAST($6 AS TEXT) IS NULL OR $6 = CASE WHEN disabled_at IS NULL THEN 'open' ELSE 'closed' END) ORDER BY user_id DESC LIMIT $3";
const NAME: &str = "UPDATE users SET external_ref = $3 WHERE organization_id = $1 AND user_id = $2 AND erased_at IS NULL RETURNING *";
const FIND_BY_EMAIL: &str = "SELECT * FROM users WHERE email = $1 ORDER BY user_id LIMIT 2";
const FIND_BY_EMAIL_IN: &str = "SELECT * FROM users WHERE email = $1 AND organization_id = $2";
const SET_PASSWORD_HASH: &str =
    "UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2";
/// Changes nothing, but holds the rows, so that two administrators who close each other meet.
const LOCK_ADMINS: &str = "UPDATE users SET revision = revision WHERE organization_id = $1 AND role = 'admin' AND disabled_at IS NULL RETURNING *";
const PASSWORD_HASH: &str =
    "SELECT password_hash FROM users WHERE user_id = $1 AND password_hash IS NOT NULL";
const TAKE_CREDENTIALS: &str = "UPDATE users SET password_hash = NULL WHERE user_id = $1";
const CLAIM: &str = "UPDATE users SET password_hash = $2, claimed_at = COALESCE(claimed_at, $3) \
    WHERE user_id = $1 AND password_hash IS NULL AND disabled_at IS NULL";
/// Everything that rests on the account waits from here on.
const RECOVER: &str = "UPDATE users SET recoveries = recoveries + 1, recovered_at = $2, recovered_by_kind = $3, recovered_by = $4, \
    revision = revision + 1 WHERE user_id = $1";
const ENABLE: &str = "UPDATE users SET disabled_at = NULL, revision = revision + 1 \
    WHERE organization_id = $1 AND user_id = $2 AND disabled_at IS NOT NULL AND erased_at IS NULL";
const DISABLE: &str = "UPDATE users SET disabled_at = $3, revision = revision + 1 \
    WHERE organization_id = $1 AND user_id = $2 AND disabled_at IS NULL";

/// Nobody changes it before the transaction ends.
const LOCK_TO_LEND: &str = "SELECT u.* FROM users u WHERE u.organization_id = $1 AND u.user_id IN (VALUES {rows:uuid}) FOR SHARE OF u";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    FIND,
    LIST,
    LIST_BY_EMAIL,
    LIST_BY_REFERENCE,
    NAME,
    FIND_BY_EMAIL,
    FIND_BY_EMAIL_IN,
    SET_PASSWORD_HASH,
    DISABLE,
    ENABLE,
    LOCK_ADMINS,
    LOCK_TO_LEND,
    PASSWORD_HASH,
    TAKE_CREDENTIALS,
    CLAIM,
    RECOVER,
];

/// An account with what signing in needs.
#[derive(Debug, Clone)]
pub struct Account {
    /// The person.
    pub user: User,
    /// The PHC string of their password, if they have one.
    pub password_hash: Option<String>,
}

impl FromRow for User {
    const ORIGIN: Origin = Origin::of::<UserId>("users", "user_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            user_id: row.get("user_id")?,
            organization_id: row.get("organization_id")?,
            email: row.get("email")?,
            display_name: row.get("display_name")?,
            role: row.get("role")?,
            created_by: principal(row, "created_by_kind", "created_by")?
                .ok_or_else(|| corrupt("created_by_kind", "is missing"))?,
            claimed_at: row.optional("claimed_at")?,
            recovery: principal(row, "recovered_by_kind", "recovered_by")?
                .zip(row.optional("recovered_at")?)
                .map(|(made_by, redeemed_at)| Recovery { made_by, redeemed_at }),
            disabled_at: row.optional("disabled_at")?,
            external_ref: row.optional("external_ref")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Who is named in two columns, if anybody is.
pub(super) fn principal(
    row: &Row,
    kind_column: &'static str,
    id_column: &'static str,
) -> Result<Option<PrincipalId>, StorageError> {
    let Some(kind) = row.optional::<String>(kind_column)? else { return Ok(None) };
    let principal = PrincipalId::from_parts(&kind, row.optional(id_column)?);
    principal.map(Some).ok_or_else(|| corrupt(id_column, "does not fit its kind"))
}

impl FromRow for Account {
    const ORIGIN: Origin = User::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { user: User::from_row(row)?, password_hash: row.optional("password_hash")? })
    }
}

/// Adds an account.
///
/// # Errors
/// [`StorageError::Duplicate`] if the organization has an account with this address, or this name of its own.
pub async fn insert(
    tx: &mut Tx,
    user: &User,
    password_hash: Option<&str>,
) -> Result<(), StorageError> {
    query(INSERT)
        .bind(user.user_id)
        .bind(user.organization_id)
        .bind(user.email.as_str())
        .bind(user.display_name.as_str())
        .bind(user.role)
        .bind(password_hash)
        .bind(user.created_at)
        .bind(user.created_by.parts().0)
        .bind(user.created_by.parts().1)
        .bind(user.claimed_at)
        .bind(user.external_ref.as_deref())
        .execute_one(tx)
        .await
}

/// One account.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Option<User>, StorageError> {
    query(FIND).bind(organization_id).bind(user_id).fetch_optional(on).await
}

/// Which accounts to list: those for which everything that is named is so.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Only the one with this address.
    pub email: Option<Email>,
    /// Only the one with this name of the organization's.
    pub external_ref: Option<String>,
    /// Only those that can be used, or cannot.
    pub status: Option<AccountStatus>,
}

/// Accounts, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    filter: &UserFilter,
    page: Page,
) -> Result<Vec<User>, StorageError> {
    let (email, reference) =
        (filter.email.as_ref().map(Email::as_str), filter.external_ref.as_deref());
    let (sql, named) = match (email, reference) {
        (Some(email), _) => (LIST_BY_EMAIL, Some(email)),
        (None, Some(reference)) => (LIST_BY_REFERENCE, Some(reference)),
        (None, None) => (LIST, None),
    };
    let mut listing = query(sql)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(email)
        .bind(reference)
        .bind(filter.status.map(AccountStatus::as_str));
    if let Some(named) = named {
        listing = listing.bind(named);
    }
    listing.fetch_all(on).await
}

/// Gives an account the organization's own name, or takes it away, and returns the account as it is then; `None` if it was
/// erased.
///
/// # Errors
/// [`StorageError::Duplicate`] if another account of the organization has this name.
pub async fn name(
    tx: &mut Tx,
    user: &User,
    external_ref: Option<&str>,
) -> Result<Option<User>, StorageError> {
    let name = query(NAME).bind(user.organization_id).bind(user.user_id).bind(external_ref);
    name.fetch_optional(tx).await
}

/// The account an address signs in to. Without an organization it is `None` also when several
/// organizations know the address.
pub async fn find_account(
    on: &mut impl Executor,
    email: &Email,
    organization_id: Option<OrganizationId>,
) -> Result<Option<Account>, StorageError> {
    if let Some(organization_id) = organization_id {
        return query(FIND_BY_EMAIL_IN)
            .bind(email.as_str())
            .bind(organization_id)
            .fetch_optional(on)
            .await;
    }
    let mut accounts = query(FIND_BY_EMAIL).bind(email.as_str()).fetch_all(on).await?;
    Ok(if accounts.len() == 1 { accounts.pop() } else { None })
}

/// The PHC string of a person's password, if they have one.
pub async fn password_hash(
    on: &mut impl Executor,
    user_id: UserId,
) -> Result<Option<String>, StorageError> {
    query(PASSWORD_HASH).bind(user_id).fetch_optional(on).await
}

/// Replaces a password's PHC string, unless somebody replaced it first.
///
/// # Errors
/// [`StorageError::LostRace`] if the stored string is no longer `old`.
pub async fn set_password_hash(
    tx: &mut Tx,
    user_id: UserId,
    old: &str,
    new: &str,
) -> Result<(), StorageError> {
    query(SET_PASSWORD_HASH).bind(user_id).bind(old).bind(new).execute_one(tx).await
}

/// Closes an account: nothing that rests on it is authorized after this has committed. `false` if
/// there is no such open account.
pub async fn disable(
    tx: &mut Tx,
    organization_id: OrganizationId,
    user_id: UserId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let disabled = query(DISABLE).bind(organization_id).bind(user_id).bind(now).execute(tx).await?;
    Ok(disabled == 1)
}

/// Opens a closed account again; `false` if there is no such closed account, or it was erased.
pub async fn enable(
    tx: &mut Tx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<bool, StorageError> {
    Ok(query(ENABLE).bind(organization_id).bind(user_id).execute(tx).await? == 1)
}

/// The administrators of an organization whose accounts are open. Nobody changes them before the transaction ends.
pub async fn lock_admins(
    tx: &mut Tx,
    organization_id: OrganizationId,
) -> Result<Vec<User>, StorageError> {
    query(LOCK_ADMINS).bind(organization_id).fetch_all(tx).await
}

/// Somebody to whom a key is about to be lent.
#[derive(Debug, Clone)]
pub struct Borrower {
    /// The person.
    pub user: User,
    /// What has ended all that they were lent, and may not be on each grant's row yet.
    pub ends: PendingEnds,
    /// How often somebody else gave the account new credentials.
    pub recoveries: i64,
}

impl FromRow for Borrower {
    const ORIGIN: Origin = User::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            user: User::from_row(row)?,
            ends: row.kept("ends"),
            recoveries: row.get("recoveries")?,
        })
    }
}

/// A person whose account nobody closes, and of whose grants nobody ends all, before the transaction ends.
pub async fn lock_to_lend(
    tx: &mut Tx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Option<Borrower>, StorageError> {
    let lock = query(LOCK_TO_LEND).bind(organization_id).rows([[user_id.into()]]);
    Ok(lock.fetch_all(tx).await?.pop())
}

/// Takes an account's password away.
pub async fn take_credentials(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    query(TAKE_CREDENTIALS).bind(user_id).execute_one(tx).await
}

/// Gives an account without credentials a password; `false` if it has one, or is closed.
pub async fn claim(
    tx: &mut Tx,
    user_id: UserId,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(CLAIM).bind(user_id).bind(password_hash).bind(now).execute(tx).await? == 1)
}

/// Notes that somebody else gave an account new credentials: nothing that rests on the account is authorized after
/// this has committed, until its cars are consented to and its grants are confirmed.
pub async fn recover(tx: &mut Tx, user_id: UserId, recovery: Recovery) -> Result<(), StorageError> {
    let (kind, id) = recovery.made_by.parts();
    query(RECOVER)
        .bind(user_id)
        .bind(recovery.redeemed_at)
        .bind(kind)
        .bind(id)
        .execute_one(tx)
        .await
}

//! Consents that wait to be completed: what a browser came back with, kept sealed in the row of its connection until
//! the person who started it shows the code that the browser was given. As long as the code lives it is known which it
//! was, so that it can be shown once more by somebody whom the answer did not reach.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use crate::domain::connection::{ApiVersion, Connection, ConnectionStatus};
use crate::domain::id::{ConnectionId, OrganizationId, UserId};
use crate::domain::time::Timestamp;

const KEEP: &str = "UPDATE connections SET status = 'consented', sealed_consent = $2, completion_hash = $3, \
    completion_tries_left = $4, consented_at = $5, sealed_code = $6, browser_hash = $7, revision = revision + 1 WHERE connection_id = $1 AND status = 'pending'";
const SPEND_TRY: &str = "UPDATE connections SET completion_tries_left = completion_tries_left - 1 \
    WHERE connection_id = $1 AND completion_hash IS NOT NULL AND consented_at > $2 AND completion_tries_left > 0 \
    RETURNING status, completion_hash, completion_tries_left, sealed_consent";
const OVER: &str = "SELECT connection_id, organization_id, owner_id, status, sealed_consent FROM connections \
    WHERE completion_hash IS NOT NULL AND consented_at <= $1 ORDER BY consented_at LIMIT 64";
const WAITING: &str = "SELECT connection_id, organization_id, owner_id, status, sealed_consent FROM connections \
    WHERE connection_id = $1 AND status = 'consented'";
const ACTIVATE: &str = "UPDATE connections SET status = 'active', sealed_tokens = $2, access_expires_at = $3, \
    api_version = $4, provider_user_id = $5, sealed_consent = NULL, \
    token_revision = token_revision + 1, revision = revision + 1 WHERE connection_id = $1 AND status = 'consented'";
const SHOWN: &str = "SELECT * FROM connections WHERE browser_hash = $1 AND consented_at > $2";
const KEEP_ANSWER: &str =
    "UPDATE connections SET sealed_consent = $2 WHERE connection_id = $1 AND status = 'active'";
const FORGET: &str = "UPDATE connections SET sealed_consent = NULL, completion_hash = NULL, sealed_code = NULL, browser_hash = NULL \
    WHERE connection_id = $1 AND status = 'active'";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[KEEP, SPEND_TRY, OVER, WAITING, ACTIVATE, SHOWN, KEEP_ANSWER, FORGET];

/// What a browser came back with, until the owner shows the code that it was given.
#[derive(Debug)]
pub struct PendingConsent {
    /// What the consent came to.
    pub sealed: Vec<u8>,
    /// What is stored of the code.
    pub completion_hash: [u8; 32],
    /// How many codes are heard.
    pub tries: i64,
    /// When the browser came back.
    pub consented_at: Timestamp,
    /// The code, for the same browser.
    pub sealed_code: Vec<u8>,
    /// What is stored of the secret that tells this browser from others.
    pub browser_hash: [u8; 32],
}

/// Keeps what a browser came back with; `false` if the connection is not under way any more.
pub async fn keep(
    tx: &mut Tx,
    connection_id: ConnectionId,
    consent: PendingConsent,
) -> Result<bool, StorageError> {
    let kept = query(KEEP)
        .bind(connection_id)
        .bind(consent.sealed)
        .bind(consent.completion_hash)
        .bind(consent.tries)
        .bind(consent.consented_at)
        .bind(consent.sealed_code)
        .bind(consent.browser_hash)
        .execute(tx)
        .await?;
    Ok(kept == 1)
}

/// A code that a browser was given.
#[derive(Debug)]
pub struct ShownCode {
    /// The connection.
    pub connection: Connection,
    /// The code.
    pub sealed_code: Vec<u8>,
    /// When the browser was given it.
    pub consented_at: Timestamp,
}

impl FromRow for ShownCode {
    const ORIGIN: Origin = Connection::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            connection: Connection::from_row(row)?,
            sealed_code: row.get("sealed_code")?,
            consented_at: row.get("consented_at")?,
        })
    }
}

/// The code that this browser was given after `consented_after`, if it is still known.
pub async fn shown(
    on: &mut impl Executor,
    browser_hash: [u8; 32],
    consented_after: Timestamp,
) -> Result<Option<ShownCode>, StorageError> {
    query(SHOWN).bind(browser_hash).bind(consented_after).fetch_optional(on).await
}

/// One try of a completion code.
#[derive(Debug)]
pub struct CodeTry {
    /// `consented`, or `active` if the right one was shown before.
    pub status: ConnectionStatus,
    /// What is stored of the right one.
    pub completion_hash: [u8; 32],
    /// How many tries are left after this one.
    pub tries_left: i64,
    /// What the consent came to; once it is complete, what of it did not come to its owner.
    pub sealed_consent: Option<Vec<u8>>,
}

impl FromRow for CodeTry {
    const ORIGIN: Origin = Connection::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            status: row.get("status")?,
            completion_hash: row.get("completion_hash")?,
            tries_left: row.get("completion_tries_left")?,
            sealed_consent: row.optional("sealed_consent")?,
        })
    }
}

/// Spends a try of a completion code, before it is compared; `None` if no consent that the browser brought
/// after `consented_after` waits for one, or was completed with one.
pub async fn spend_try(
    tx: &mut Tx,
    connection_id: ConnectionId,
    consented_after: Timestamp,
) -> Result<Option<CodeTry>, StorageError> {
    query(SPEND_TRY).bind(connection_id).bind(consented_after).fetch_optional(tx).await
}

/// A consent whose code is of no more use, or will be of none.
#[derive(Debug)]
pub struct Over {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Who started it.
    pub owner_id: UserId,
    /// `consented` if nobody completed it, `active` if its owner did.
    pub status: ConnectionStatus,
    /// What the consent came to.
    pub sealed_consent: Option<Vec<u8>>,
}

impl FromRow for Over {
    const ORIGIN: Origin = Connection::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            connection_id: row.get("connection_id")?,
            organization_id: row.get("organization_id")?,
            owner_id: row.get("owner_id")?,
            status: row.get("status")?,
            sealed_consent: row.optional("sealed_consent")?,
        })
    }
}

/// The consent of a connection, if it waits to be completed.
pub async fn waiting(
    on: &mut impl Executor,
    connection_id: ConnectionId,
) -> Result<Option<Over>, StorageError> {
    query(WAITING).bind(connection_id).fetch_optional(on).await
}

/// Some of the consents that browsers brought at `consented_before` or earlier and whose codes are still known.
pub async fn over(
    on: &mut impl Executor,
    consented_before: Timestamp,
) -> Result<Vec<Over>, StorageError> {
    query(OVER).bind(consented_before).fetch_all(on).await
}

/// By what a connection is used from now on.
#[derive(Debug, Clone)]
pub struct Activation {
    /// How the cloud is spoken to.
    pub api_version: ApiVersion,
    /// The cloud's id of the owner.
    pub provider_user_id: Option<String>,
    /// For API v2.0: access and refresh token, sealed, and when the access token stops working.
    pub tokens: Option<(Vec<u8>, Timestamp)>,
}

/// Gives a connection whose consent is completed what it is used by.
///
/// # Errors
/// [`StorageError::LostRace`] if no consent waits for that.
pub async fn activate(
    tx: &mut Tx,
    connection_id: ConnectionId,
    activation: Activation,
) -> Result<(), StorageError> {
    let (sealed_tokens, access_expires_at) = activation.tokens.unzip();
    query(ACTIVATE)
        .bind(connection_id)
        .bind(sealed_tokens)
        .bind(access_expires_at)
        .bind(activation.api_version)
        .bind(activation.provider_user_id.as_deref())
        .execute_one(tx)
        .await
}

/// Keeps what the owner was answered of a consent that is complete, for when they ask again.
pub async fn keep_answer(
    tx: &mut Tx,
    connection_id: ConnectionId,
    sealed: Vec<u8>,
) -> Result<(), StorageError> {
    query(KEEP_ANSWER).bind(connection_id).bind(sealed).execute_one(tx).await
}

/// Forgets the code of a consent that is complete, and what was answered.
pub async fn forget(tx: &mut Tx, connection_id: ConnectionId) -> Result<(), StorageError> {
    query(FORGET).bind(connection_id).execute(tx).await.map(drop)
}

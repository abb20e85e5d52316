//! Requests that must not be carried out twice: the answer is kept, sealed, in the transaction of
//! the effect, and given again to whoever repeats the request with its idempotency key.
//! (Commands keep their keys on their own row, see [`super::commands`].)

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Base, Caller, Error};
use crate::domain::id::{OrganizationId, UserId};
use crate::signing::{digest, sealed};
use crate::storage::idempotency_keys::{self, KeyRef};
use crate::storage::{Priority, StorageError, Tx, personal_data};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What tells a repeated request from a new one.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The client's key; without one every request is new.
    pub key: Option<String>,
    /// SHA-256 of the request's path and body.
    pub request_hash: [u8; 32],
}

/// The outcome of a use case, and whether it is an old one.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The outcome.
    pub value: T,
    /// Whether it was kept from an earlier request with the same key.
    pub replayed: bool,
}

impl<T> Answer<T> {
    /// The outcome of carrying the request out.
    pub const fn fresh(value: T) -> Self {
        Self { value, replayed: false }
    }
}

/// The hash of a request that is made for this person.
pub(super) fn hash_for(request_hash: [u8; 32], user_id: Option<UserId>) -> [u8; 32] {
    let mut bytes = request_hash.to_vec();
    if let Some(user_id) = user_id {
        bytes.extend_from_slice(user_id.as_uuid().as_bytes());
    }
    digest::sha256(&bytes)
}

impl Idempotency {
    /// The hash of the request, for this caller: an API client that acts for somebody else sends
    /// another request.
    fn hash_for(&self, caller: &Caller) -> [u8; 32] {
        hash_for(self.request_hash, caller.actor.user_id())
    }

    fn key_ref<'a>(&'a self, caller: &Caller, route: &'static str) -> Option<KeyRef<'a>> {
        let key = self.key.as_deref()?;
        Some(KeyRef { principal_id: caller.principal_id(), route, key })
    }

    /// The kept answer, if this request was carried out before. Otherwise its key is taken, and [`Self::keep`] must follow in
    /// the same transaction: whoever repeats the request meanwhile waits here for its answer, and holds nothing else.
    ///
    /// # Errors
    /// [`Error::KeyReused`] if the key belongs to another request.
    pub async fn find_or_take<T: DeserializeOwned>(
        &self,
        base: &Base,
        tx: &mut Tx,
        caller: &Caller,
        route: &'static str,
    ) -> Result<Option<Answer<T>>, Error> {
        let Some(key) = self.key_ref(caller, route) else { return Ok(None) };
        let (organization_id, hash) = (caller.actor.organization_id, self.hash_for(caller));
        if idempotency_keys::take(tx, key, organization_id, hash, base.clock.now()).await? {
            return Ok(None);
        }
        // One that was forgotten between the two statements is taken the next time.
        let stored = idempotency_keys::find(tx, key).await?.ok_or(StorageError::LostRace)?;
        if stored.request_hash != hash {
            return Err(Error::KeyReused);
        }
        let opened = sealed::open(&base.keys(), &context(key), &stored.sealed_answer)
            .map_err(|error| Error::Internal(format!("kept answer: {error}")))?;
        let value = serde_json::from_slice(&opened)
            .map_err(|error| Error::Internal(format!("kept answer: {error}")))?;
        Ok(Some(Answer { value, replayed: true }))
    }

    /// Keeps the answer together with its effect, once [`Self::find_or_take`] has taken the key.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn keep<T: Serialize>(
        &self,
        base: &Base,
        tx: &mut Tx,
        caller: &Caller,
        route: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let Some(key) = self.key_ref(caller, route) else { return Ok(()) };
        let plain = serde_json::to_vec(value)
            .map_err(|error| Error::Internal(format!("answer to keep: {error}")))?;
        let sealed = sealed::seal(&base.keys(), &*base.entropy, &context(key), &plain)
            .map_err(|error| Error::Internal(format!("answer to keep: {error}")))?;
        Ok(idempotency_keys::answer(tx, key, sealed).await?)
    }
}

fn context(key: KeyRef<'_>) -> Vec<u8> {
    context_of(key.principal_id, key.route, key.key)
}

fn context_of(principal_id: uuid::Uuid, route: &str, key: &str) -> Vec<u8> {
    format!("idempotency_keys/{principal_id}/{route}/{key}").into_bytes()
}

/// Forgets the answers of an organization that say something of this person, whoever got them. One
/// that cannot be opened any more is forgotten too: nobody can say what is in it.
///
/// # Errors
/// [`Error::Storage`].
pub(super) async fn forget_about(
    base: &Base,
    tx: &mut Tx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<(), Error> {
    let keys = base.keys();
    let id = user_id.to_string();
    for answer in personal_data::kept_answers(tx, organization_id).await? {
        let context = context_of(answer.principal_id, &answer.route, &answer.key);
        let opened = sealed::open(&keys, &context, &answer.sealed_answer);
        let names_them = |opened: &[u8]| opened.windows(id.len()).any(|part| part == id.as_bytes());
        if opened.map_or(true, |opened| names_them(&opened)) {
            personal_data::forget_answer(tx, &answer).await?;
        }
    }
    Ok(())
}

/// Forgets answers that are older than [`KEPT`].
///
/// # Errors
/// [`Error::Storage`].
pub async fn forget_old(base: &Base) -> Result<u64, Error> {
    let forgotten = base.transact("idempotency.forget_old", Priority::Ordinary, |work| {
        Box::pin(async move {
            Ok(idempotency_keys::delete_old(&mut work.tx, work.now.minus(KEPT)).await?)
        })
    });
    forgotten.await
}

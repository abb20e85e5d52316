//! Proving to somebody that an entry about them is in the record.

use super::tiles::ask;
use super::{rounds, sequence, sign};
use crate::audit::entry::RecordedEntry;
use crate::audit::proof::Proof;
use crate::audit::tree::Tiles;
use crate::domain::actor::Scope;
use crate::domain::id::AuditEntryId;
use crate::service::{Caller, Error, Service, StateFault, users};
use crate::storage::{Reader, audit_entries, record, vehicles};

/// The proof that an entry is in the record, with the newest checkpoint that was witnessed, or the
/// newest of all if none that was covers it: for whoever did it or is
/// told about in it, for the owner of its car, and for administrators.
///
/// # Errors
/// [`crate::service::Denial::ScopeMissing`]; [`Error::NotFound`] also for entries that do not concern the caller;
/// [`StateFault::EntryNotSigned`] while nothing can be signed.
pub async fn prove(
    service: &Service,
    caller: &Caller,
    entry_id: AuditEntryId,
) -> Result<Proof, Error> {
    if caller.actor.is_api_client() {
        users::may_administer(caller, Scope::AuditRead)?;
    }
    let mut reader = service.store.read().await?;
    let organization_id = caller.actor.organization_id;
    let entry = audit_entries::find(&mut reader, organization_id, entry_id).await?;
    let entry = entry.ok_or(Error::NotFound)?;
    if !concerns(&mut reader, caller, &entry).await? {
        return Err(Error::NotFound);
    }
    if let Some(proof) = proof_of(service, &mut reader, &entry).await? {
        return Ok(proof);
    }
    drop(reader);
    // It is younger than the last checkpoint: sign now rather than make the caller wait.
    sequence(service).await?;
    sign(service).await?;
    let mut reader = service.store.read().await?;
    let proof = proof_of(service, &mut reader, &entry).await?;
    proof.ok_or(Error::State(StateFault::EntryNotSigned))
}

async fn concerns(
    reader: &mut Reader,
    caller: &Caller,
    entry: &RecordedEntry,
) -> Result<bool, Error> {
    if users::may_administer(caller, Scope::AuditRead).is_ok() {
        return Ok(true);
    }
    let Some(user_id) = caller.actor.user_id() else { return Ok(false) };
    let own = [entry.user_id, entry.acting_for].contains(&Some(user_id));
    if own || (entry.actor_kind == "user" && entry.actor_id == Some(user_id.as_uuid())) {
        return Ok(true);
    }
    let Some(vehicle_id) = entry.vehicle_id else { return Ok(false) };
    let vehicle = vehicles::find(reader, caller.actor.organization_id, vehicle_id).await?;
    Ok(vehicle.is_some_and(|vehicle| vehicle.owner_id == user_id))
}

/// The proof, if a checkpoint covers the entry.
async fn proof_of(
    service: &Service,
    reader: &mut Reader,
    entry: &RecordedEntry,
) -> Result<Option<Proof>, Error> {
    let Some(position) = record::position(reader, entry.entry_id).await? else { return Ok(None) };
    // A checkpoint that was witnessed is worth more to whoever keeps the proof than a newer one.
    let quorum = service.record.witnesses.quorum();
    let witnessed = rounds::newest_witnessed(reader, quorum).await?;
    let covering = match witnessed.filter(|witnessed| position < witnessed.size) {
        Some(witnessed) => Some(witnessed),
        None => rounds::newest(reader, quorum).await?.filter(|newest| position < newest.size),
    };
    let Some(covering) = covering else { return Ok(None) };
    let size = covering.size;
    let mut tiles = Tiles::default();
    let hashes = ask(reader, &mut tiles, |tiles| tiles.prove_entry(position, size)).await?;
    Ok(Some(Proof { leaf: entry.leaf(), position, hashes, checkpoint: covering.note }))
}

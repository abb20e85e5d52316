//! Proving to somebody that an entry about them is in the record.

use super::Record;
use super::tiles::ask;
use super::{rounds, sequence, sign};
use crate::audit::entry::RecordedEntry;
use crate::audit::proof::Proof;
use crate::audit::tree::Tiles;
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::id::{AuditEntryId, UserId};
use crate::service::{Caller, Error, StateFault};
use crate::storage::{Reader, audit_entries, record, vehicles};

/// The proof that an entry is in the record, with the newest checkpoint that was witnessed, or the
/// newest of all if none that was covers it: for whoever did it or is
/// told about in it, for the owner of its car, and for administrators.
///
/// # Errors
/// [`crate::service::Denial::ScopeMissing`]; [`Error::NotFound`] also for entries that do not concern the caller;
/// [`StateFault::EntryNotSigned`] while nothing can be signed.
pub async fn prove(log: &Record, caller: &Caller, entry_id: AuditEntryId) -> Result<Proof, Error> {
    let mut reader = log.base.store.read().await?;
    let organization_id = caller.actor.organization_id;
    let entry = audit_entries::find(&mut reader, organization_id, entry_id).await?;
    let object = match &entry {
        Some(entry) => object(&mut reader, entry).await?,
        None => Object::MISSING,
    };
    let sought = Sought::of(entry_id);
    log.base.authorize(caller, Operation::ProveAuditEntry, &object, sought.clone())?;
    let entry = entry.ok_or(Error::NotFound(sought))?;
    if let Some(proof) = proof_of(log, &mut reader, &entry).await? {
        return Ok(proof);
    }
    drop(reader);
    // It is younger than the last checkpoint: sign now rather than make the caller wait.
    sequence(&log.base).await?;
    sign(log).await?;
    let mut reader = log.base.store.read().await?;
    let proof = proof_of(log, &mut reader, &entry).await?;
    proof.ok_or(Error::State(StateFault::EntryNotSigned))
}

/// Whom an entry concerns: those it names, the person who acted, and the owner of its car.
async fn object(reader: &mut Reader, entry: &RecordedEntry) -> Result<Object, Error> {
    let acted = entry.actor_id.filter(|_| entry.actor_kind == "user").map(UserId::from_uuid);
    let owner = match entry.vehicle_id {
        Some(vehicle_id) => {
            let vehicle = vehicles::find(reader, entry.organization_id, vehicle_id).await?;
            vehicle.map(|vehicle| vehicle.owner_id)
        }
        None => None,
    };
    let object = Object::entry([entry.user_id, entry.acting_for, acted], owner);
    Ok(entry.vehicle_id.map_or(object, |vehicle_id| object.about(vehicle_id)))
}

/// The proof, if a checkpoint covers the entry.
async fn proof_of(
    log: &Record,
    reader: &mut Reader,
    entry: &RecordedEntry,
) -> Result<Option<Proof>, Error> {
    let Some(position) = record::position(reader, entry.entry_id).await? else { return Ok(None) };
    // A checkpoint that was witnessed is worth more to whoever keeps the proof than a newer one.
    let quorum = log.witnesses.quorum();
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

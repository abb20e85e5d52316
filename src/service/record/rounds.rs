//! Which checkpoint is put before the witnesses, and which one is published. All witnesses are
//! asked about the same checkpoint for a while, so that it gathers the cosignatures that a
//! verifier wants to see together.

use std::time::Duration;

use super::Quorum;
use super::Record;
use crate::service::Error;
use crate::storage::cosignatures::{self, Cosigned, Round};
use crate::storage::{Executor, Priority, Reader, record};

/// The next checkpoint is put before the witnesses no sooner than so long after the last one.
const SPACING: Duration = Duration::from_secs(1);
/// A checkpoint is not waited for longer, whoever has not cosigned it.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many checkpoints are kept that too few have cosigned so far.
const ROUNDS_MAX: i64 = 64;

/// A checkpoint with the cosignatures that there are.
#[derive(Debug, Clone)]
pub(super) struct Witnessed {
    /// How many entries it covers.
    pub(super) size: u64,
    /// As it is published: the log's signatures, and then the witnesses'.
    pub(super) note: Vec<u8>,
    cosignatures: usize,
}

impl Witnessed {
    /// Whether enough of the witnesses have cosigned it, at least one.
    pub(super) fn is_by_enough(&self, quorum: &Quorum) -> bool {
        self.cosignatures >= quorum.enough()
    }
}

/// Puts the newest checkpoint before the witnesses, if its time has come; returns whether it did.
///
/// # Errors
/// [`Error::Storage`].
pub async fn open_round(log: &Record) -> Result<bool, Error> {
    let quorum = log.witnesses.quorum();
    if quorum.is_empty() {
        return Ok(false);
    }
    let mut reader = log.base.store.read().await?;
    let state = record::state(&mut reader).await?;
    let Some(checkpoint) = state.checkpoint else { return Ok(false) };
    let now = log.base.clock.now();
    let all = witnessed(&mut reader, quorum).await?;
    if let Some(round) = cosignatures::newest_round(&mut reader).await? {
        let cosigned = all.iter().find(|w| w.size == round.size).map_or(0, |w| w.cosignatures);
        let age = now.since(round.opened_at);
        // After a clock was put back, an age would be nought for ever.
        let is_over = age >= PATIENCE || round.opened_at > now.plus(PATIENCE);
        let is_due = is_over || (age >= SPACING && cosigned == quorum.len());
        if state.checkpoint_size <= round.size || !is_due {
            return Ok(false);
        }
    }
    drop(reader);
    let enough = quorum.enough();
    let published = all.iter().find(|w| w.cosignatures >= enough).map_or(0, |w| w.size);
    let round = &Round { size: state.checkpoint_size, checkpoint, opened_at: now };
    let opened = log.base.transact("record.open_round", Priority::Ordinary, |work| {
        Box::pin(async move {
            cosignatures::open_round(&mut work.tx, round).await?;
            cosignatures::forget(&mut work.tx, published, ROUNDS_MAX).await?;
            Ok(true)
        })
    });
    opened.await
}

/// The newest checkpoint that enough witnesses have cosigned, at least one.
pub(super) async fn newest_witnessed(
    reader: &mut Reader,
    quorum: &Quorum,
) -> Result<Option<Witnessed>, Error> {
    if quorum.is_empty() {
        return Ok(None);
    }
    let all = witnessed(reader, quorum).await?;
    Ok(all.into_iter().find(|witnessed| witnessed.is_by_enough(quorum)))
}

/// The newest checkpoint of all, with the cosignatures that it has.
pub(super) async fn newest(
    reader: &mut Reader,
    quorum: &Quorum,
) -> Result<Option<Witnessed>, Error> {
    let state = record::state(reader).await?;
    let Some(note) = state.checkpoint else { return Ok(None) };
    let size = state.checkpoint_size;
    let mut all = Vec::new();
    if !quorum.is_empty() {
        all = witnessed(reader, quorum).await?;
    }
    let cosigned = all.into_iter().find(|witnessed| witnessed.size == size);
    Ok(Some(cosigned.unwrap_or(Witnessed { size, note, cosignatures: 0 })))
}

/// Every checkpoint that these witnesses have cosigned, the newest first. What former witnesses have
/// cosigned does not count.
async fn witnessed(on: &mut impl Executor, quorum: &Quorum) -> Result<Vec<Witnessed>, Error> {
    let mut found: Vec<Witnessed> = Vec::new();
    for Cosigned { size, checkpoint, witness, cosignature } in cosignatures::all(on).await? {
        if !quorum.has(&witness) {
            continue;
        }
        match found.last_mut().filter(|last| last.size == size) {
            Some(last) => {
                last.note.extend(cosignature);
                last.cosignatures += 1;
            }
            None => {
                let note = [checkpoint, cosignature].concat();
                found.push(Witnessed { size, note, cosignatures: 1 });
            }
        }
    }
    Ok(found)
}

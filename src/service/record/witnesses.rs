//! Asking witnesses for their cosignatures (C2SP tlog-witness). Each is asked by itself, and left
//! alone for a while when it is away; none of them can keep anything from happening.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use signed_note::Signature;

use super::Quorum;
use super::Record;
use super::tiles::ask as ask_tiles;
use crate::audit::checkpoint;
use crate::audit::note::{VerifierKey, cosigned_at};
use crate::audit::tree::Tiles;
use crate::audit::witness::{self, Submission};
use crate::config;
use crate::connector::witness::WitnessClient;
use crate::measures;
use crate::service::{Base, Error};
use crate::storage::cosignatures::{self, Round};
use crate::storage::{Priority, record};

/// How long a witness is left alone after the first failure; twice as long after each further one.
const REST_MIN: Duration = Duration::from_secs(1);
/// It is asked at least so often.
const REST_MAX: Duration = Duration::from_secs(60);

/// The witnesses of the record.
#[derive(Debug)]
pub struct Witnesses {
    client: WitnessClient,
    all: Vec<Witness>,
    quorum: Quorum,
}

#[derive(Debug)]
struct Witness {
    key: VerifierKey,
    /// The key as a text: how it is named in the database.
    id: String,
    url: String,
    state: Mutex<WitnessState>,
}

/// What this process knows of a witness.
#[derive(Debug, Clone, Copy, Default)]
struct WitnessState {
    /// The size of the tree that it said it knows.
    knows: Option<u64>,
    failures: u32,
    /// It is not asked before, by the monotonic clock.
    rests_until: Duration,
}

/// What came of asking a witness.
#[derive(Debug)]
enum Outcome {
    /// It cosigned.
    Cosigned(Signature),
    /// Another instance has put a newer checkpoint before it.
    Overtaken,
    /// It knows a larger tree than was ever published: another one than this.
    Ahead(u64),
    /// It was reached, and did not cosign.
    Refused(String),
    /// It could not be reached.
    Away(String),
}

impl Witnesses {
    /// These witnesses, asked through this client.
    #[must_use]
    pub fn new(client: WitnessClient, witnesses: &config::Witnesses) -> Self {
        let all = witnesses.all().iter().map(|address| Witness {
            key: address.key.clone(),
            id: address.key.to_string(),
            url: address.url.join("/add-checkpoint"),
            state: Mutex::default(),
        });
        Self { client, all: all.collect(), quorum: Quorum::of(witnesses) }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether nobody watches.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whose cosignatures count.
    #[must_use]
    pub const fn quorum(&self) -> &Quorum {
        &self.quorum
    }
}

impl Witness {
    fn state(&self) -> WitnessState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: WitnessState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Asks one witness, by its place in the settings, to cosign the checkpoint that is before it;
/// returns whether it did. A witness that has cosigned it is not asked, nor one that rests.
///
/// # Errors
/// [`Error::Storage`]; [`Error::Internal`] if the tiles in the database are damaged. That a witness
/// is away is no error.
pub async fn ask_witness(log: &Record, place: usize) -> Result<bool, Error> {
    let Some(asked) = log.witnesses.all.get(place) else { return Ok(false) };
    let mut reader = log.base.store.read().await?;
    let round = cosignatures::newest_round(&mut reader).await?;
    let progress = cosignatures::newest_of(&mut reader, &asked.id).await?;
    drop(reader);
    let last = progress.map_or(0, |progress| progress.size);
    let rests = log.base.clock.monotonic() < asked.state().rests_until;
    let mut cosigned = false;
    if let Some(round) = round.filter(|round| round.size > last && !rests) {
        let outcome = put_before(log, asked, &round, last).await?;
        cosigned = note_outcome(&log.base, asked, &round, outcome).await?;
    }
    measure(&log.base, asked).await?;
    Ok(cosigned)
}

/// Puts a checkpoint before a witness, and once more if it knows another tree than we thought.
async fn put_before(
    log: &Record,
    asked: &Witness,
    round: &Round,
    last: u64,
) -> Result<Outcome, Error> {
    let text = checkpoint::text_of(&round.checkpoint).map_err(Error::internal)?;
    let mut old_size = asked.state().knows.unwrap_or(last).min(round.size);
    for is_last in [false, true] {
        let request = submission(&log.base, round, old_size).await?.to_bytes();
        let answer = match log.witnesses.client.add_checkpoint(&asked.url, request).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Outcome::Away(error.detail)),
        };
        match (answer.status, witness::known_size(&answer.media_type, &answer.body)) {
            (200, _) => {
                return Ok(match witness::cosignature(&answer.body, &text, &asked.key) {
                    Some(cosignature) => Outcome::Cosigned(cosignature),
                    None => Outcome::Refused("the answer holds no good cosignature".to_owned()),
                });
            }
            (409, Some(known)) if known > round.size => {
                return beyond(&log.base, asked, known).await;
            }
            (409, Some(known)) if !is_last => old_size = known,
            (status, _) => return Ok(Outcome::Refused(format!("status {status}"))),
        }
    }
    Ok(Outcome::Refused("it does not know what it knows".to_owned()))
}

/// What it means that a witness knows a larger tree than it was shown.
async fn beyond(base: &Base, asked: &Witness, known: u64) -> Result<Outcome, Error> {
    let mut reader = base.store.read().await?;
    if record::state(&mut reader).await?.checkpoint_size < known {
        return Ok(Outcome::Ahead(known));
    }
    asked.set_state(WitnessState { knows: Some(known), ..asked.state() });
    Ok(Outcome::Overtaken)
}

async fn submission(base: &Base, round: &Round, old_size: u64) -> Result<Submission, Error> {
    let mut reader = base.store.read().await?;
    let mut tiles = Tiles::default();
    let growth = |tiles: &mut Tiles| tiles.prove_growth(old_size, round.size);
    let proof = ask_tiles(&mut reader, &mut tiles, growth).await?;
    Ok(Submission { old_size, proof, checkpoint: round.checkpoint.clone() })
}

/// Keeps what came of it, and decides when the witness is asked again.
async fn note_outcome(
    base: &Base,
    asked: &Witness,
    round: &Round,
    outcome: Outcome,
) -> Result<bool, Error> {
    let name = asked.key.name().to_owned();
    let (word, why) = match outcome {
        Outcome::Cosigned(cosignature) => {
            let at = cosigned_at(&cosignature).unwrap_or_else(|| base.clock.now());
            let line = &cosignature.to_bytes();
            let kept = base.transact("record.keep_cosignature", Priority::Ordinary, |work| {
                Box::pin(async move {
                    Ok(cosignatures::keep(&mut work.tx, &asked.id, round.size, line, at).await?)
                })
            });
            kept.await?;
            if asked.state().failures > 0 {
                tracing::info!(witness = name, size = round.size, "a witness cosigns again");
            }
            asked.set_state(WitnessState { knows: Some(round.size), ..WitnessState::default() });
            count(name, "cosigned");
            return Ok(true);
        }
        Outcome::Overtaken => return Ok(false),
        Outcome::Ahead(known) => (
            "ahead",
            format!(
                "it knows a tree of {known} entries, and the record has fewer: the record was cut, or there are two"
            ),
        ),
        Outcome::Refused(why) => ("refused", why),
        Outcome::Away(why) => ("away", why),
    };
    let failures = asked.state().failures.saturating_add(1);
    let rest = REST_MIN.saturating_mul(1 << failures.min(16).saturating_sub(1)).min(REST_MAX);
    let rests_until = base.clock.monotonic().saturating_add(rest);
    asked.set_state(WitnessState { failures, rests_until, knows: None });
    match (word, failures) {
        ("away", 1) => tracing::warn!(witness = name, why, "a witness is away"),
        ("away", _) => tracing::debug!(witness = name, why, "a witness is away"),
        _ => tracing::error!(witness = name, why, "a witness does not cosign the record"),
    }
    count(name, word);
    Ok(false)
}

fn count(witness: String, outcome: &'static str) {
    metrics::counter!(measures::WITNESS_REQUESTS, "witness" => witness, "outcome" => outcome)
        .increment(1);
}

/// Says how far behind a witness is.
async fn measure(base: &Base, asked: &Witness) -> Result<(), Error> {
    let mut reader = base.store.read().await?;
    let newest = record::state(&mut reader).await?.checkpoint_size;
    let progress = cosignatures::newest_of(&mut reader, &asked.id).await?;
    let size = progress.map_or(0, |progress| progress.size);
    let behind = newest.saturating_sub(size);
    let mut lag = Duration::ZERO;
    if behind > 0 {
        let first = record::first_beyond(&mut reader, size).await?;
        let since = first.or(progress.map(|progress| progress.cosigned_at));
        lag = since.map_or(Duration::ZERO, |since| base.clock.now().since(since));
    }
    let name = asked.key.name().to_owned();
    metrics::gauge!(measures::WITNESS_LAG_SECONDS, "witness" => name.clone())
        .set(lag.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 entries")]
    metrics::gauge!(measures::WITNESS_LAG_ENTRIES, "witness" => name).set(behind as f64);
    Ok(())
}

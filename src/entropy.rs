//! Randomness, as a parameter. [`OsEntropy`] is the only caller of the system's generator for
//! ids, nonces and secrets (key generation and password salts have their own inside `ring` and
//! `argon2`).

use std::sync::Mutex;

use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::domain::id::Id;
use crate::domain::time::Timestamp;

/// The generator could not give bytes; nothing that needs them may go on (P9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random number generator gave no bytes")]
pub struct NoEntropy;

/// A source of unpredictable bytes and of ids.
pub trait Entropy: Send + Sync {
    /// Fills `target` with unpredictable bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] if the generator fails.
    fn fill(&self, target: &mut [u8]) -> Result<(), NoEntropy>;

    /// A new UUIDv7 (RFC 9562 section 5.7). Of two ids made one after the other by the same
    /// source the later one is greater, also within one millisecond.
    ///
    /// # Errors
    /// [`NoEntropy`] if the generator fails.
    fn uuid(&self, now: Timestamp) -> Result<Uuid, NoEntropy>;
}

impl dyn Entropy + '_ {
    /// `N` unpredictable bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] if the generator fails.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A new id of any kind.
    ///
    /// # Errors
    /// [`NoEntropy`] if the generator fails.
    pub fn id<K>(&self, now: Timestamp) -> Result<Id<K>, NoEntropy> {
        self.uuid(now).map(Id::from_uuid)
    }
}

/// Keeps UUIDv7s of one process in order: 26 bits of counter under the milliseconds.
#[derive(Debug, Default)]
struct Sequence(Mutex<(u64, u32)>);

/// New milliseconds start in the lower half of the counter, so that it cannot run over soon.
const COUNTER_START_MASK: u32 = (1 << 25) - 1;
const COUNTER_MAX: u32 = (1 << 26) - 1;

impl Sequence {
    fn uuid(&self, now: Timestamp, random: [u8; 10]) -> Uuid {
        let millis = u64::try_from(now.as_unix_micros() / 1000).unwrap_or(0);
        let [a, b, c, d, tail @ ..] = random;
        let start = u32::from_be_bytes([a, b, c, d]) & COUNTER_START_MASK;
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = match *last {
            (then, _) if millis > then => (millis, start),
            (then, counter) if counter < COUNTER_MAX => (then, counter + 1),
            (then, _) => (then + 1, start),
        };
        let (millis, counter) = *last;
        drop(last);
        // rand_a takes 12 bits of the counter, rand_b the other 14 after its two variant bits.
        let high = (counter >> 14).to_be_bytes();
        let low = (counter & 0x3fff).to_be_bytes();
        let [t0, t1, t2, t3, t4, t5] = tail;
        let rest = [high[2], high[3], low[2], low[3], t0, t1, t2, t3, t4, t5];
        uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
    }
}

/// Random bytes of the ids to come: asking the system for ten at a time takes longer than making
/// the id.
#[derive(Debug, Default)]
struct Supply(Mutex<Vec<[u8; 10]>>);

/// How many ids are supplied at once.
const SUPPLY: usize = 64;

/// The generator of the operating system.
#[derive(Debug)]
pub struct OsEntropy {
    random: SystemRandom,
    supply: Supply,
    sequence: Sequence,
}

impl Default for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one module in which randomness is drawn")]
    fn default() -> Self {
        let (supply, sequence) = (Supply::default(), Sequence::default());
        Self { random: SystemRandom::new(), supply, sequence }
    }
}

impl Entropy for OsEntropy {
    fn fill(&self, target: &mut [u8]) -> Result<(), NoEntropy> {
        self.random.fill(target).map_err(|_| NoEntropy)
    }

    fn uuid(&self, now: Timestamp) -> Result<Uuid, NoEntropy> {
        let mut supply = self.supply.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if supply.is_empty() {
            let mut fresh = [[0; 10]; SUPPLY];
            self.fill(fresh.as_flattened_mut())?;
            supply.extend_from_slice(&fresh);
        }
        let random = supply.pop().ok_or(NoEntropy)?;
        drop(supply);
        Ok(self.sequence.uuid(now, random))
    }
}

/// Bytes that follow from a seed: for tests, fleets and vectors. Never for secrets.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<(u64, u64)>,
    sequence: Sequence,
}

impl SeededEntropy {
    /// The same seed gives the same bytes.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { state: Mutex::new((seed, 0)), sequence: Sequence::default() }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, target: &mut [u8]) -> Result<(), NoEntropy> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in target.chunks_mut(32) {
            let (seed, counter) = *state;
            state.1 += 1;
            let mut input = [0; 16];
            let (first, second) = input.split_at_mut(8);
            first.copy_from_slice(&seed.to_be_bytes());
            second.copy_from_slice(&counter.to_be_bytes());
            let digest = ring::digest::digest(&ring::digest::SHA256, &input);
            for (to, from) in chunk.iter_mut().zip(digest.as_ref()) {
                *to = *from;
            }
        }
        Ok(())
    }

    fn uuid(&self, now: Timestamp) -> Result<Uuid, NoEntropy> {
        let mut random = [0; 10];
        self.fill(&mut random)?;
        Ok(self.sequence.uuid(now, random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_source_are_in_order_and_well_formed() {
        let entropy = SeededEntropy::from_seed(1);
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let ids: Vec<Uuid> = (0..5000).map(|_| entropy.uuid(now).unwrap()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert!(ids.iter().all(|id| id.get_variant() == uuid::Variant::RFC4122));
    }
}

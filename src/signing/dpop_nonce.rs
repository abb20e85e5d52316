//! Nonces for proofs (RFC 9449 section 8). A nonce contains the minute in which the service made it, and a digest under a key of
//! the service. Every instance with the same keys accepts it, and no nonce is stored.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::sealing_key::SealingKeys;
use crate::domain::time::Timestamp;

const SLOT_SECONDS: i64 = 60;
/// A nonce is accepted in its own minute and so many after it.
const SLOTS_AFTER: i64 = 4;
/// How many minutes the clock of the instance that gave it out may be ahead: less than the difference at which clocks are not
/// trusted any more.
const SLOTS_AHEAD: i64 = 1;
const TAG_LENGTH: usize = 16;
/// What is derived from a sealing key for this is for nothing else.
const PURPOSE: &[u8] = b"keylend dpop nonce";

/// What makes nonces and knows them again.
#[derive(Debug, Clone)]
pub struct Nonces {
    /// The one of today first; the others for what was given out before a rotation.
    keys: Vec<hmac::Key>,
}

impl Nonces {
    /// Nonces of those who have these keys.
    #[must_use]
    pub fn new(keys: &SealingKeys) -> Self {
        let derived = |bytes: &[u8]| {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), PURPOSE);
            hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref())
        };
        Self { keys: keys.iter().map(|key| derived(key.bytes().as_slice())).collect() }
    }

    /// The nonce of this minute.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> String {
        let slot = slot(now);
        self.keys.first().map(|key| nonce(key, slot)).unwrap_or_default()
    }

    /// Until when proofs with this nonce are fresh; `None` if they are not at `now`.
    #[must_use]
    pub fn fresh_until(&self, nonce: &str, now: Timestamp) -> Option<Timestamp> {
        let bytes: [u8; 8 + TAG_LENGTH] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let (slot_bytes, tag) = bytes.split_first_chunk::<8>()?;
        let named = i64::from_be_bytes(*slot_bytes);
        let age = slot(now).checked_sub(named)?;
        if !(-SLOTS_AHEAD..=SLOTS_AFTER).contains(&age) {
            return None;
        }
        let is_ours = |key: &hmac::Key| bool::from(digest(key, named)[..].ct_eq(tag));
        let until = named.checked_add(1 + SLOTS_AFTER)?.checked_mul(SLOT_SECONDS)?;
        let until = Timestamp::from_unix_seconds(until)?;
        self.keys.iter().any(is_ours).then_some(until)
    }
}

/// How long after its nonce was given out a proof may still be fresh somewhere.
pub const FRESH_MAX: Duration =
    Duration::from_secs(((1 + SLOTS_AFTER + SLOTS_AHEAD) * SLOT_SECONDS) as u64);

const fn slot(now: Timestamp) -> i64 {
    now.as_unix_seconds().div_euclid(SLOT_SECONDS)
}

fn nonce(key: &hmac::Key, slot: i64) -> String {
    URL_SAFE_NO_PAD.encode([&slot.to_be_bytes()[..], &digest(key, slot)].concat())
}

fn digest(key: &hmac::Key, slot: i64) -> [u8; TAG_LENGTH] {
    let mut digest = [0; TAG_LENGTH];
    let whole = hmac::sign(key, &slot.to_be_bytes());
    for (to, from) in digest.iter_mut().zip(whole.as_ref()) {
        *to = *from;
    }
    digest
}

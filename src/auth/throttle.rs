//! Slows down guessing without locking the rightful owner out (NIST SP 800-63B-4 section 3.2.2,
//! OWASP ASVS 5.0 V6.1.1).
//!
//! Three limits on failed sign-ins: per account and address together, per address, and per
//! account. An address from which an account was signed in to before is exempt from the last
//! two, for that account alone: strangers can use up neither limit against its owner. What stays
//! possible is to keep an owner out who comes from a new address while the account is under
//! attack from many addresses.
//!
//! It lives in the memory of one process: a restart forgets, and each instance counts for
//! itself. It does not know which accounts exist.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::digest::{Context, SHA256};

use crate::auth::bounded::Bounded;
use crate::auth::limiter::{KEYS_MAX, Limiter};
use crate::auth::network::Network;
use crate::clock::Clock;

/// Failures at one account from one address.
const PAIR: Limit = Limit::new(10, Duration::from_secs(15 * 60));

/// Failures from one address at any account.
const ADDRESS: Limit = Limit::new(100, Duration::from_secs(15 * 60));

/// Failures at one account from addresses that never signed in to it; NIST SP 800-63B-4 allows
/// no more than 100 in a row.
const ACCOUNT: Limit = Limit::new(100, Duration::from_secs(60 * 60));

/// So many failures in a row, after which they are forgotten evenly over the period.
struct Limit {
    failures: NonZeroU32,
    period: Duration,
}

impl Limit {
    const fn new(failures: u32, period: Duration) -> Self {
        let failures = match NonZeroU32::new(failures) {
            Some(failures) => failures,
            None => NonZeroU32::MIN,
        };
        Self { failures, period }
    }
}

/// What names an account before anybody knows whether it exists: a digest of what was typed, so
/// that no address of a person is kept here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey([u8; 32]);

impl AccountKey {
    /// A key from a digest made elsewhere.
    #[must_use]
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The SHA-256 of the parts that name the account, for instance organization and e-mail
    /// address in their normalized spelling. Each part is preceded by its length: no two lists
    /// of parts run together into the same text.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(key)
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKey(…)")
    }
}

/// The attempt is refused unread; it may be made again after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("too many failed attempts; try again in {} seconds", self.seconds())]
pub struct RetryAfter(pub Duration);

impl RetryAfter {
    /// In whole seconds, rounded up and at least one: the value of `Retry-After` (RFC 9110
    /// section 10.2.3).
    #[must_use]
    pub fn seconds(&self) -> u64 {
        let part = u64::from(self.0.subsec_nanos() > 0);
        self.0.as_secs().saturating_add(part).max(1)
    }
}

type Pair = (AccountKey, Network);

/// The failures that count at the moment and the addresses that are known to belong.
pub struct Throttle {
    clock: Arc<dyn Clock>,
    pairs: Limiter<Pair>,
    addresses: Limiter<Network>,
    accounts: Limiter<AccountKey>,
    /// When an account was last signed in to from an address.
    known: Mutex<Bounded<Pair, Duration>>,
}

impl Throttle {
    /// Nothing counted, nobody known.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            pairs: limiter(&PAIR, &clock),
            addresses: limiter(&ADDRESS, &clock),
            accounts: limiter(&ACCOUNT, &clock),
            known: Mutex::new(Bounded::new(KEYS_MAX)),
            clock,
        }
    }

    /// Whether an attempt may be made now; to be asked before the password is looked at. Counts
    /// nothing.
    ///
    /// # Errors
    /// [`RetryAfter`] with the longest of the waits that apply.
    pub fn check(&self, account: AccountKey, address: IpAddr) -> Result<(), RetryAfter> {
        let network = Network::from(address);
        let pair = (account, network);
        let mut waits = vec![self.pairs.refused_for(&pair)];
        if !self.is_known(&pair) {
            waits.push(self.addresses.refused_for(&network));
            waits.push(self.accounts.refused_for(&account));
        }
        match waits.into_iter().flatten().max() {
            Some(wait) => Err(RetryAfter(wait)),
            None => Ok(()),
        }
    }

    /// Counts a wrong password, or any password for an account that does not exist. Not for
    /// attempts that [`Self::check`] refused or whose password was never compared.
    pub fn record_failure(&self, account: AccountKey, address: IpAddr) {
        let network = Network::from(address);
        let pair = (account, network);
        self.pairs.count(&pair);
        self.addresses.count(&network);
        if !self.is_known(&pair) {
            self.accounts.count(&account);
        }
    }

    /// Remembers that the account was signed in to from this address and forgets the failures
    /// of the two together. The failures of the address at other accounts stay: an account of
    /// one's own buys no further guesses.
    pub fn record_success(&self, account: AccountKey, address: IpAddr) {
        let pair = (account, Network::from(address));
        self.pairs.forget(&pair);
        self.known().insert(pair, self.clock.monotonic());
    }

    fn is_known(&self, pair: &Pair) -> bool {
        self.known().get(pair).is_some()
    }

    fn known(&self) -> MutexGuard<'_, Bounded<Pair, Duration>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

fn limiter<K: Clone + Eq + std::hash::Hash>(limit: &Limit, clock: &Arc<dyn Clock>) -> Limiter<K> {
    let per_failure = limit.period / limit.failures.get();
    Limiter::new(limit.failures, per_failure, Arc::clone(clock))
}

#[cfg(test)]
#[path = "throttle_test.rs"]
mod tests;

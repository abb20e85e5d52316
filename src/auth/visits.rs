//! How often one address may ask for what needs no credentials: a flood of such requests must not
//! slow the unlocks of others.
//!
//! It lives in the memory of one process, and knows no routes.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::limiter::Limiter;
use crate::auth::network::Network;
use crate::auth::throttle::RetryAfter;
use crate::clock::Clock;

/// At once an address may ask for as much as in so many seconds.
const BURST_S: u32 = 4;

/// The visits that count at the moment.
pub struct Visits {
    addresses: Limiter<Network>,
}

impl Visits {
    /// Nobody has come yet; `per_second` visits of one address are admitted in the long run.
    #[must_use]
    pub fn new(per_second: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_S - 1));
        let each = Duration::from_secs(1) / per_second.get();
        Self { addresses: Limiter::new(burst, each, clock) }
    }

    /// Lets a visitor in. One that is refused does not count, so that a flood does not keep its
    /// neighbours behind the same address out for longer than it lasts.
    ///
    /// # Errors
    /// [`RetryAfter`]: this address has come too often.
    pub fn admit(&self, address: IpAddr) -> Result<(), RetryAfter> {
        let network = Network::from(address);
        match self.addresses.refused_for(&network) {
            Some(wait) => Err(RetryAfter(wait)),
            None => {
                self.addresses.count(&network);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Visits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visits").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::Timestamp;

    #[test]
    fn an_address_is_admitted_as_often_as_it_may_and_others_are_not_kept_out() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix_seconds(1_700_000_000).unwrap()));
        let visits = Visits::new(NonZeroU32::new(10).unwrap(), clock.clone());
        let [flood, neighbour, other] =
            ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|address| address.parse().unwrap());
        let admitted = (0..100).filter(|_| visits.admit(flood).is_ok()).count();
        assert_eq!(admitted, 40);
        assert_eq!(visits.admit(neighbour).unwrap_err().seconds(), 1);
        visits.admit(other).unwrap();
        clock.advance(Duration::from_millis(500));
        let admitted = (0..100).filter(|_| visits.admit(flood).is_ok()).count();
        assert_eq!(admitted, 5);
    }
}

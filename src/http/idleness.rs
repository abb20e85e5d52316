//! How long a connection may be there without a request: whoever asks nothing makes room for others.
//!
//! What counts is requests alone. Bytes that a client sends to be kept (PING of HTTP/2, a head that
//! never ends), and answers that it does not take, keep no connection open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often a connection is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// So many looks in a row may find that nothing was asked: a minute, which is longer than the pauses
/// of an app's pool of connections. Then the client is told to go.
const QUIET_LOOKS_MAX: u32 = 12;
/// The same while most places are taken.
const QUIET_LOOKS_CROWDED: u32 = 1;
/// Who was told to go has so many quiet looks to take what was answered: half a minute. Then the
/// connection is cut.
const LEAVING_LOOKS_MAX: u32 = 6;
/// The same while most places are taken.
const LEAVING_LOOKS_CROWDED: u32 = 2;

/// What follows from a look at a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may stay.
    Stay,
    /// The client is to be told that no further request is taken.
    Leave,
    /// It is to be closed as it is.
    Cut,
}

/// The requests on one connection.
#[derive(Debug, Default)]
struct Requests {
    open: AtomicUsize,
    /// Whether one began or ended since the last look.
    any: AtomicBool,
}

/// How long one connection has been quiet.
#[derive(Debug, Default)]
pub(super) struct Idleness {
    requests: Arc<Requests>,
    was_ever_asked: bool,
    is_leaving: bool,
    quiet_looks: u32,
}

impl Idleness {
    /// What requests on this connection report to.
    pub(super) fn counter(&self) -> Counter {
        Counter(Arc::clone(&self.requests))
    }

    /// The client was told to go.
    pub(super) const fn leave(&mut self) {
        (self.is_leaving, self.quiet_looks) = (true, 0);
    }

    /// Looks at the connection, [`LOOK_EVERY`] after the last time.
    pub(super) fn look(&mut self, is_crowded: bool) -> Verdict {
        let is_any = self.requests.any.swap(false, Ordering::Relaxed);
        self.was_ever_asked |= is_any;
        if is_any || self.requests.open.load(Ordering::Relaxed) > 0 {
            self.quiet_looks = 0;
            return Verdict::Stay;
        }
        self.quiet_looks = self.quiet_looks.saturating_add(1);
        let looks_max = match (self.is_leaving, is_crowded) {
            (false, false) => QUIET_LOOKS_MAX,
            (false, true) => QUIET_LOOKS_CROWDED,
            (true, false) => LEAVING_LOOKS_MAX,
            (true, true) => LEAVING_LOOKS_CROWDED,
        };
        if self.quiet_looks < looks_max {
            return Verdict::Stay;
        }
        // Who never asked has nothing to take.
        if self.is_leaving || !self.was_ever_asked {
            return Verdict::Cut;
        }
        self.leave();
        Verdict::Leave
    }
}

/// Counts the requests of one connection.
#[derive(Debug, Clone)]
pub(super) struct Counter(Arc<Requests>);

impl Counter {
    /// A request begins; it ends when this is dropped.
    pub(super) fn begin(&self) -> Open {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.any.store(true, Ordering::Relaxed);
        Open(self.clone())
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Open(Counter);

impl Drop for Open {
    fn drop(&mut self) {
        let Self(Counter(requests)) = self;
        requests.any.store(true, Ordering::Relaxed);
        requests.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many looks there are until one has this verdict; all before it let the connection stay.
    fn looks_until(idleness: &mut Idleness, is_crowded: bool, expected: Verdict) -> u32 {
        for number in 1..1000 {
            match idleness.look(is_crowded) {
                Verdict::Stay => {}
                verdict => {
                    assert_eq!(verdict, expected);
                    return number;
                }
            }
        }
        panic!("it stays for ever");
    }

    #[test]
    fn who_never_asks_is_cut_off_after_a_minute_or_at_once_in_a_crowd() {
        assert_eq!(looks_until(&mut Idleness::default(), false, Verdict::Cut), 12);
        assert_eq!(looks_until(&mut Idleness::default(), true, Verdict::Cut), 1);
    }

    #[test]
    fn who_asks_stays_while_it_is_answered_and_a_minute_longer() {
        let mut idleness = Idleness::default();
        let open = idleness.counter().begin();
        for is_crowded in [false, true] {
            assert!((0..100).all(|_| idleness.look(is_crowded) == Verdict::Stay));
        }
        drop(open);
        // The end of a request is heard of at the next look.
        assert_eq!(looks_until(&mut idleness, false, Verdict::Leave), 13);
    }

    #[test]
    fn who_was_told_to_go_has_half_a_minute_to_take_what_was_answered() {
        for (is_crowded, looks) in [(false, 6), (true, 2)] {
            let mut idleness = Idleness::default();
            drop(idleness.counter().begin());
            looks_until(&mut idleness, is_crowded, Verdict::Leave);
            assert_eq!(looks_until(&mut idleness, is_crowded, Verdict::Cut), looks);
        }
    }

    #[test]
    fn what_is_still_being_answered_is_not_cut_off_when_the_service_stops() {
        let mut idleness = Idleness::default();
        let open = idleness.counter().begin();
        idleness.leave();
        assert!((0..100).all(|_| idleness.look(true) == Verdict::Stay));
        drop(open);
        assert_eq!(looks_until(&mut idleness, false, Verdict::Cut), 7);
    }
}

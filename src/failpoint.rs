//! Places at which a test can end this process or make it stand still: between a decision, its
//! commit, the send, the outcome and the answer. [`Failpoint`] is the one list of them.
//!
//! Only a program built with the feature `failpoints` has them, and there only what was armed
//! strikes. Without the feature [`reached`] is nothing at all. A ready-made crate (`fail`) was
//! considered: it can panic, which the runtime catches, but not end a process without a word, as
//! the kernel or a power failure does.

words! {
    /// A place in a use case. A name is the use case and what has just been done.
    Failpoint {
        /// A batch is decided on and written, and not committed.
        GateDecided = "gate.decided",
        /// The batch is committed, and nothing was started.
        GateCommitted = "gate.committed",
        /// The sender has the right to call the vehicle cloud.
        SendToken = "send.token",
        /// The sender has looked at the clock and is about to send.
        SendChecked = "send.checked",
        /// The vehicle cloud has answered, and nobody knows.
        SendAnswered = "send.answered",
        /// Outcomes are written, and not committed.
        OutcomesWritten = "outcomes.written",
        /// Outcomes are committed, and nobody was told.
        OutcomesCommitted = "outcomes.committed",
        /// The client of a command is about to be told.
        DispatchTold = "dispatch.told",
        /// Abandoned commands are taken over, and it is not committed.
        RecoverTaken = "recover.taken",
        /// Commands are taken to be looked at, and no look was made.
        ReconcileTaken = "reconcile.taken",
        /// A car was seen, and nothing is written of it.
        ReconcileSeen = "reconcile.seen",
        /// A grant is issued, and it is not committed.
        GrantIssued = "grant.issued",
        /// A grant is issued and committed.
        GrantIssueCommitted = "grant.issue_committed",
        /// A grant is ended, and it is not committed.
        GrantEnded = "grant.ended",
        /// A grant is ended and committed.
        GrantEndCommitted = "grant.end_committed",
        /// A refresh token is used up and replaced, and it is not committed.
        SessionRefreshed = "session.refreshed",
        /// A refresh token is used up and replaced, and it is committed.
        SessionRefreshCommitted = "session.refresh_committed",
        /// Entries have their positions, and it is not committed.
        SequencePlaced = "sequence.placed",
        /// Entries have their positions, and nothing was signed.
        SequenceCommitted = "sequence.committed",
        /// A checkpoint is signed, and kept nowhere.
        CheckpointSigned = "checkpoint.signed",
        /// A checkpoint is kept beside the key, and not published.
        CheckpointKept = "checkpoint.kept",
        /// A checkpoint is published, and it is not committed.
        CheckpointPublished = "checkpoint.published",
    }
}

#[cfg(feature = "failpoints")]
pub use armed::{Arming, InvalidArming, arm, reached};

/// The process has come to this place.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn reached(_: Failpoint) {}

#[cfg(feature = "failpoints")]
mod armed {
    use std::process::Command;
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Failpoint;

    static ARMED: OnceLock<Armed> = OnceLock::new();

    #[derive(Debug)]
    struct Armed {
        arming: Arming,
        passes: AtomicU64,
    }

    /// What happens to the process.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Blow {
        /// It ends at once; nothing is written, closed or said to anybody.
        End,
        /// It stands still, with all its threads, until it gets SIGCONT.
        Stop,
    }

    /// Which place strikes, when and how: `gate.decided`, `gate.decided:3`, `send.checked:1:stop`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Arming {
        point: Failpoint,
        /// At this pass, counted from 1, and at no other.
        pass: u64,
        blow: Blow,
    }

    /// A text that arms nothing.
    #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
    #[error("`{0}` is not a failpoint, such as gate.decided:3 or send.checked:1:stop")]
    pub struct InvalidArming(String);

    impl FromStr for Arming {
        type Err = InvalidArming;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            let invalid = || InvalidArming(text.chars().take(64).collect());
            let mut parts = text.split(':');
            let point = parts.next().and_then(|name| name.parse().ok()).ok_or_else(invalid)?;
            let pass = parts.next().map_or(Ok(1), str::parse).map_err(|_| invalid())?;
            let blow = match parts.next() {
                None => Blow::End,
                Some("stop") => Blow::Stop,
                Some(_) => return Err(invalid()),
            };
            if pass == 0 || parts.next().is_some() {
                return Err(invalid());
            }
            Ok(Self { point, pass, blow })
        }
    }

    /// Arms one place, for good; whoever armed one first has armed it.
    pub fn arm(arming: Arming) {
        ARMED.get_or_init(|| Armed { arming, passes: AtomicU64::new(0) });
    }

    /// The process has come to this place.
    pub fn reached(point: Failpoint) {
        let Some(armed) = ARMED.get().filter(|armed| armed.arming.point == point) else { return };
        if armed.passes.fetch_add(1, Ordering::Relaxed).wrapping_add(1) != armed.arming.pass {
            return;
        }
        match armed.arming.blow {
            Blow::End => std::process::abort(),
            Blow::Stop => stand_still(),
        }
    }

    fn stand_still() {
        let id = std::process::id().to_string();
        match Command::new("kill").args(["-STOP", &id]).status() {
            Ok(status) if status.success() => {}
            // A test that relies on it must not go on as if nothing had been asked for.
            _ => std::process::abort(),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_arming_names_a_place_a_pass_and_a_blow() {
            let arming = |text: &str| text.parse::<Arming>().map_err(|error| error.to_string());
            let point = Failpoint::GateDecided;
            let once = Arming { point, pass: 1, blow: Blow::End };
            assert_eq!(arming("gate.decided"), Ok(once));
            assert_eq!(arming("gate.decided:7"), Ok(Arming { pass: 7, ..once }));
            assert_eq!(arming("gate.decided:1:stop"), Ok(Arming { blow: Blow::Stop, ..once }));
            for text in ["", "gate", "gate.decided:0", "gate.decided:x", "gate.decided:1:stop:1"] {
                assert!(arming(text).is_err(), "{text}");
            }
        }
    }
}

//! Places at which a test can end this process, make it stand still or make a task panic: between a decision, its
//! commit, the send, the outcome and the answer. [`Failpoint`] is the one list of them.
//!
//! Only a program built with the feature `failpoints` has them, and there only what was armed
//! strikes. Without the feature [`reached`] is nothing at all. A ready-made crate (`fail`) was
//! considered: it cannot end a process without a word, as the kernel or a power failure does.

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
        /// Outcomes are committed, and nobody was notified.
        OutcomesCommitted = "outcomes.committed",
        /// The client of a command is about to get its answer.
        DispatchAnswers = "dispatch.answers",
        /// Abandoned commands are made `unknown`, and it is not committed.
        RecoverMarked = "recover.marked",
        /// Commands are leased to be checked, and no car was asked.
        ReconcileLeased = "reconcile.leased",
        /// A car was seen, and nothing is written of it.
        ReconcileSeen = "reconcile.seen",
        /// A grant is changed, and it is not committed.
        GrantAmended = "grant.amended",
        /// A grant is changed and committed.
        GrantAmendCommitted = "grant.amend_committed",
        /// A grant is issued, and it is not committed.
        GrantIssued = "grant.issued",
        /// A grant is issued and committed.
        GrantIssueCommitted = "grant.issue_committed",
        /// A grant is ended, and it is not committed.
        GrantEnded = "grant.ended",
        /// A grant is ended and committed.
        GrantEndCommitted = "grant.end_committed",
        /// A hold is placed, and it is not committed.
        HoldPlaced = "hold.placed",
        /// A hold is placed and committed.
        HoldPlaceCommitted = "hold.place_committed",
        /// All grants of a scope are ended, and it is not committed.
        EndBegun = "end.begun",
        /// All grants of a scope are ended and it is committed; they may not have it on their own rows.
        EndBeginCommitted = "end.begin_committed",
        /// Some grants of a scope have the end on their own rows.
        EndSteppedOn = "end.stepped_on",
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
mod armed;

#[cfg(feature = "failpoints")]
pub use armed::{Arming, InvalidArming, arm, reached};

/// The process has come to this place.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn reached(_: Failpoint) {}

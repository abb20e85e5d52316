//! Decides from a [`History`] whether the promises of ARCHITECTURE.md were kept. It is pure: what
//! clients saw, what cars did and what the record says go in, and every [`Violation`] comes out
//! with its evidence. It does not know how the history came about, and takes nobody's word: the
//! cars' journal says what happened, the clients' log what was promised to them.
//!
//! | Promise | Decided by |
//! |---|---|
//! | P1 | each decision follows from the record ([`decided_otherwise`]); each execution names a command that the record authorized before, for that car and action; a client that was refused is told what the record says ([`sends`]) |
//! | P2 | no command is authorized for a request that began after a revocation of its grant was answered, nor by what the grant said before a change that was answered; but a lock that the revocation has left ([`revocations`]); nor what a hold forbids that was answered ([`holds`]), nor by a grant whose scope has ended ([`ends`]) |
//! | P3 | after that answer only commands that it listed are executed, and none after a drained one, which lists nothing before it has waited its time out ([`revocations`]) |
//! | P4 | one execution a command, one command or grant and one kind of answer a key, one winner a refresh token ([`repetitions`]) |
//! | P5 | nothing executed is called failed, refused, cancelled or expired; `confirmed` and `contradicted` only if the car was seen so ([`outcomes`]) |
//! | P6 | each 2xx answer has its entry, each status that was told its step, each command its end within 60 s of the restart, rows are as the record says, a refresh token that was given out is taken ([`durability`]) |
//! | P7 | the whole record verifies against every checkpoint that clients kept ([`record`]) |
//! | P8 | each authorization lies within its grant in the revision that it names: car, person, time, entitlement, uses; a grant is recorded and changed as it was asked for ([`limits`]) |
//! | P9 | while nothing could be committed, nothing was executed beyond what might still leave, and no change was answered with success ([`outages`]) |
//! | P10 | nobody is answered other than 404 about another organization's car, and no entry of a request is another organization's ([`limits`]) |
//!
//! A process that stood still between its look at the clock and its send may send when it goes on,
//! however late: the one hole in P3 that is known. Such times are told as [`Stall`]s.

mod durability;
mod ends;
pub(crate) mod history;
mod holds;
mod index;
mod limits;
mod outages;
mod outcomes;
mod planted;
mod record;
mod repetitions;
mod revocations;
mod sends;

use std::fmt;

pub(crate) use history::History;
use index::Index;
pub(crate) use record::decided_otherwise;

/// One of the promises of ARCHITECTURE.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Promise {
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
    P7,
    P8,
    P9,
    P10,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) promise: Promise,
    pub(crate) evidence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.evidence)
    }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, promise: Promise, evidence: impl Into<String>) {
        self.0.push(Violation { promise, evidence: evidence.into() });
    }
}

/// Every violation in a history.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let mut findings = Findings::default();
    let index = match Index::of(history) {
        Ok(index) => index,
        Err(violation) => return vec![violation],
    };
    sends::check(&index, &mut findings);
    revocations::check(&index, &mut findings);
    holds::check(&index, &mut findings);
    ends::check(&index, &mut findings);
    repetitions::check(&index, &mut findings);
    outcomes::check(&index, &mut findings);
    durability::check(&index, &mut findings);
    record::check(&index, &mut findings);
    limits::check(&index, &mut findings);
    outages::check(&index, &mut findings);
    findings.0
}

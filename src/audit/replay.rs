//! Deciding again: from the entries alone the facts of each recorded decision are rebuilt, at the revisions that the decision
//! names, and the policy is asked once more. It shows that what was allowed and refused followed from what the record says,
//! and that nothing changed a right without an entry. Whether the entries are the ones that were signed, [`super::verify`]
//! finds out.

mod consequences;
mod decision;
mod rows;

use crate::domain::id::{GrantId, UserId};
use crate::domain::policy::{self, Basis, Decision, Facts};
use crate::domain::row_facts::FactsRow;

use consequences::Consequences;
use decision::{RecordedDecision, ReplayedEntry};
use rows::{Rebuilt, Rows};

/// An entry says what the rest of the record does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisagreeingEntry {
    /// The position of the entry, counted from 0.
    pub position: u64,
    /// What is wrong with it.
    pub disagreement: Disagreement,
}

impl std::fmt::Display for DisagreeingEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry {}: {}", self.position, self.disagreement)
    }
}

/// How an entry disagrees with the rest of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The leaf cannot be read.
    #[error("this is not an entry of this program: {0}")]
    Malformed(String),
    /// The decision was another one than the facts ask for.
    #[error("it was {recorded}; by the facts at that time it is {decided}")]
    DecidedOtherwise {
        /// What the entry says.
        recorded: String,
        /// What follows from the facts.
        decided: String,
    },
    /// The decision rests on a revision of which no entry says anything: something changed without being recorded.
    #[error("it rests on revision {revision} of {row}, and no entry says what that was")]
    Unrecorded {
        /// The row.
        row: FactsRow,
        /// The revision.
        revision: i64,
    },
    /// Two entries say different things of one revision.
    #[error("it says something else of revision {revision} of {row} than an entry before")]
    ToldOtherwise {
        /// The row.
        row: FactsRow,
        /// The revision.
        revision: i64,
    },
    /// Two commands spent the same use of a grant.
    #[error("it spends use {number} of {grant_id}, which was spent before")]
    SpentTwice {
        /// The grant.
        grant_id: GrantId,
        /// The number of the use, counted from 1.
        number: i64,
    },
    /// A decision counts more uses of a grant than entries spent.
    #[error("it counts {counted} uses of {grant_id}, and the entries spend {spent}")]
    Miscounted {
        /// The grant.
        grant_id: GrantId,
        /// How many uses the decision counts.
        counted: i64,
        /// How many the record has.
        spent: i64,
    },
    /// A decision takes somebody for the last who unlocked a car, and the record knows of others.
    #[error("it takes {} for the last who unlocked the car, and the entries do not say so", .0.map_or_else(|| "nobody".to_owned(), |user_id| user_id.to_string()))]
    UnlockedByOthers(Option<UserId>),
}

/// What was decided again, and agrees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreed {
    /// How many entries there are.
    pub entries: u64,
    /// How many decisions allowed something.
    pub allowed: u64,
    /// How many refused something.
    pub refused: u64,
    /// How many rest on an end of grants with some reference that was still being carried out where the record ends: which
    /// grants it is about the record does not say yet.
    pub open: u64,
}

/// A record that is gone through once, and then decided again.
#[derive(Debug, Default)]
pub struct Replay {
    position: u64,
    rows: Rows,
    decisions: Vec<(u64, RecordedDecision)>,
    first: Option<DisagreeingEntry>,
}

impl Replay {
    /// Takes the next entry.
    pub fn push(&mut self, leaf: &[u8]) {
        let position = self.position;
        self.position = position.saturating_add(1);
        if let Err(disagreement) = self.take(position, leaf) {
            self.note(position, disagreement);
        }
    }

    fn take(&mut self, position: u64, leaf: &[u8]) -> Result<(), Disagreement> {
        let malformed = |error: serde_json::Error| Disagreement::Malformed(error.to_string());
        let entry: ReplayedEntry<'_> = serde_json::from_slice(leaf).map_err(malformed)?;
        if let Some(facts) = entry.facts().map_err(malformed)? {
            self.rows.learn(facts)?;
        }
        self.rows.learn_end(&entry);
        if let Some(decision) = entry.decision().map_err(malformed)? {
            self.decisions.push((position, decision));
        }
        Ok(())
    }

    fn note(&mut self, position: u64, disagreement: Disagreement) {
        if self.first.as_ref().is_none_or(|first| position < first.position) {
            self.first = Some(DisagreeingEntry { position, disagreement });
        }
    }

    /// Decides everything again, now that all entries are known: those of different instances may stand in another order than
    /// they happened.
    ///
    /// # Errors
    /// The [`DisagreeingEntry`] with the lowest position.
    pub fn finish(mut self) -> Result<Agreed, DisagreeingEntry> {
        let mut agreed = Agreed { entries: self.position, ..Agreed::default() };
        let decisions = std::mem::take(&mut self.decisions);
        let consequences = Consequences::of(&decisions);
        for (position, decision) in &decisions {
            let again = decide(&self.rows, decision).and_then(|decided| {
                consequences.check(*position, decision)?;
                Ok(decided)
            });
            match again {
                Ok(Again::Allowed) => agreed.allowed += 1,
                Ok(Again::Refused) => agreed.refused += 1,
                Ok(Again::Open) => agreed.open += 1,
                Err(disagreement) => {
                    self.note(*position, disagreement);
                    break;
                }
            }
        }
        self.first.map_or(Ok(agreed), Err)
    }
}

/// What came of deciding once more.
enum Again {
    Allowed,
    Refused,
    Open,
}

fn decide(rows: &Rows, decision: &RecordedDecision) -> Result<Again, Disagreement> {
    let (vehicle, grant) = match rows.facts(decision)? {
        Rebuilt::Known(vehicle, grant) => (vehicle, grant),
        Rebuilt::Open => return Ok(Again::Open),
    };
    let facts = Facts { vehicle: &vehicle, grant: grant.as_deref() };
    let decided = match policy::decide(facts, &decision.request, decision.at) {
        Decision::Allow(Basis::Ownership) if decision.grant_id.is_none() => None,
        Decision::Allow(Basis::Grant(grant_id)) if decision.grant_id == Some(grant_id) => None,
        Decision::Allow(_) => Some(vec!["another_basis".to_owned()]),
        Decision::Deny(reasons) => {
            Some(reasons.into_iter().map(|reason| reason.to_string()).collect())
        }
    };
    match (&decision.refused, decided) {
        (None, None) => Ok(Again::Allowed),
        (Some(recorded), Some(decided)) if *recorded == decided => Ok(Again::Refused),
        (recorded, decided) => Err(Disagreement::DecidedOtherwise {
            recorded: told(recorded.as_deref()),
            decided: told(decided.as_deref()),
        }),
    }
}

fn told(refused: Option<&[String]>) -> String {
    refused.map_or_else(
        || "allowed".to_owned(),
        |reasons| format!("refused with {}", reasons.join(", ")),
    )
}

#[cfg(test)]
#[path = "replay_test.rs"]
mod tests;

//! Deciding again: from the entries alone the facts of each recorded decision are rebuilt, at the revisions that the decision
//! names, and the policy is asked once more. It shows that what was allowed and refused followed from what the record says,
//! and that nothing changed a right without an entry. Whether the entries are the ones that were signed, [`super::verify`]
//! finds out.

mod consequences;
mod decision;
mod rows;
mod succession;

use crate::domain::id::GrantId;
use crate::domain::policy::{self, Decision, Facts, Reason};
use crate::domain::row_facts::FactsRow;

use consequences::Consequences;
use decision::{RecordedDecision, ReplayedEntry};
use rows::Rows;
use succession::Cause;

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
    /// A row became something else by an event that does not do that.
    #[error(
        "`{member}` of {row} is something else in revision {revision} than before, and no entry says why"
    )]
    ChangedSilently {
        /// The row.
        row: FactsRow,
        /// The revision.
        revision: i64,
        /// The member of its facts.
        member: String,
    },
    /// The decision says that the right is somebody else's.
    #[error("it says that the right is somebody else's, and no entry says so")]
    Theirs,
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
    /// A decision says who unlocked a car last, and the record knows of others.
    #[error("it says of the last who unlocked the car: {0}, and the entries do not bear that out")]
    UnlockedByOthers(&'static str),
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
    /// How many may rest on an end of grants with some reference of which the record does not say whether it is about the grant:
    /// it was still being carried out where the record ends, or something else ended the grant first on its own row.
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
            self.rows.learn(facts, Cause::of(position, &entry))?;
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
        let silent: Vec<(u64, Disagreement)> = self.rows.silent_changes().collect();
        for (position, disagreement) in silent {
            self.note(position, disagreement);
        }
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
    let Some(rests_on) = &decision.rests_on else { return decide_of_another(rows, decision) };
    let (vehicle, grant) = rows.facts(decision, rests_on)?;
    let facts = Facts { vehicle: &vehicle, grant: grant.as_ref() };
    let decided: Option<Vec<String>> = match policy::decide(facts, &decision.request, decision.at) {
        Decision::Allow(_) => None,
        Decision::Deny(reasons) => {
            Some(reasons.into_iter().map(|reason| reason.to_string()).collect())
        }
    };
    match (&decision.refused, decided) {
        (None, None) => Ok(Again::Allowed),
        (Some(recorded), Some(decided)) if *recorded == decided => Ok(Again::Refused),
        _ if rows.may_rest_on_end(decision, rests_on)? => Ok(Again::Open),
        (recorded, decided) => Err(Disagreement::DecidedOtherwise {
            recorded: told(recorded.as_deref()),
            decided: told(decided.as_deref()),
        }),
    }
}

/// Of a right of somebody else a decision says nothing but that.
fn decide_of_another(rows: &Rows, decision: &RecordedDecision) -> Result<Again, Disagreement> {
    let reason = if decision.grant_id.is_some() { Reason::NotTheGrantee } else { Reason::NotFound };
    let is_refused = decision.refused.as_deref() == Some(&[reason.to_string()]);
    if is_refused && rows.is_of_another(decision) {
        return Ok(Again::Refused);
    }
    Err(Disagreement::Theirs)
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

//! Ends by scope: all that a person was lent, that was lent of a car or in an organization ends at once, however many
//! grants that are. One change of the row of the scope is the line; the rows of the grants follow in small transactions.
//! Until they have, the row of the scope keeps the end, and decisions take the grants for ended.

use serde::{Deserialize, Serialize};

use crate::domain::grant::{End, EndReason, Grant};
use crate::domain::id::{EndId, OrganizationId};
use crate::domain::kept::Kept;
use crate::domain::key_scope::KeyScope;
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;

/// Which grants of a scope end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Those that were issued before this time.
    pub issued_before: Timestamp,
    /// Only those that carry this reference.
    pub external_ref: Option<String>,
}

impl Selection {
    /// Whether it is about a grant of its scope.
    #[must_use]
    pub fn covers(&self, grant: &Grant) -> bool {
        grant.issued_at < self.issued_before
            && (self.external_ref.is_none() || self.external_ref == grant.description.external_ref)
    }
}

/// An end by scope of which grants may not know yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEnd {
    /// The end.
    pub end_id: EndId,
    /// Which grants.
    #[serde(flatten)]
    pub selection: Selection,
    /// The time of the act.
    pub ended_at: Timestamp,
    /// The kind of act.
    pub end_reason: EndReason,
}

impl PendingEnd {
    /// What becomes of each grant.
    #[must_use]
    pub const fn end(&self) -> End {
        End { ended_at: self.ended_at, end_reason: self.end_reason, leave_lock: false }
    }
}

/// The ends by scope that the row of a scope keeps.
pub type PendingEnds = Kept<PendingEnd>;

impl PendingEnds {
    /// The end of a grant of the scope that its own row may not say yet.
    #[must_use]
    pub fn over(&self, grant: &Grant) -> Option<End> {
        match self {
            Self::Nothing => None,
            Self::Known(ends) => {
                ends.iter().find(|end| end.selection.covers(grant)).map(PendingEnd::end)
            }
            Self::Unreadable => Some(End {
                ended_at: grant.issued_at,
                end_reason: EndReason::Revoked,
                leave_lock: false,
            }),
        }
    }
}

/// An end by scope as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScopeEnd {
    /// What grants need to know of it.
    #[serde(flatten)]
    pub pending: PendingEnd,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// What it is over.
    pub scope: KeyScope,
    /// Why, in the words of who ended it; it can be erased.
    pub reason: Option<String>,
    /// Who ended it.
    pub ended_by: PrincipalId,
    /// How many grants have it on their own rows.
    pub grants: i64,
    /// Since when all have.
    pub completed_at: Option<Timestamp>,
}

#[cfg(test)]
#[path = "scope_end_test.rs"]
mod tests;

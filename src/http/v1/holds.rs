//! Holds: pauses of what grants allow.

pub(in crate::http) mod lift;
pub(in crate::http) mod list;
pub(in crate::http) mod place;

use serde::Serialize;
use utoipa::ToSchema;

use super::key_scope::ScopeBody;
use crate::domain::hold::Hold;

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HoldBody {
    /// Identifies the hold.
    #[schema(example = "hld_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    hold_id: String,
    /// What it is over.
    scope: ScopeBody,
    /// `guest`, `owner`, `support` or `admin`: who has this rank can lift it; administrators also lift those of support.
    rank: String,
    /// Why; `null` for those who neither placed it nor administer, and if it was erased.
    reason: Option<String>,
    /// The first moment in which it no longer stands; `null` is until it is lifted.
    until: Option<String>,
    /// Whether cars can be locked all the same.
    allow_lock: bool,
    /// Whether it stands, at the time of the answer.
    stands: bool,
    /// The person or API client that placed it; `null` for the service.
    placed_by: Option<String>,
    /// When it was placed.
    placed_at: String,
    /// When it was lifted.
    lifted_at: Option<String>,
}

impl HoldBody {
    fn of(hold: Hold, stands: bool) -> Self {
        let placed_by = hold.placed_by.parts().1.map(|_| hold.placed_by.to_string());
        Self {
            hold_id: hold.standing.hold_id.to_string(),
            scope: hold.scope.into(),
            rank: hold.standing.rank.to_string(),
            reason: hold.reason,
            until: hold.standing.until.map(|until| until.to_string()),
            allow_lock: hold.standing.allow_lock,
            stands,
            placed_by,
            placed_at: hold.placed_at.to_string(),
            lifted_at: hold.lifted_at.map(|at| at.to_string()),
        }
    }
}

//! Holds: pauses of what grants allow.

pub(in crate::http) mod lift;
pub(in crate::http) mod list;
pub(in crate::http) mod place;

use serde::Serialize;
use utoipa::ToSchema;

use super::key_scope::KeyScopeBody;
use crate::domain::hold::{Hold, Rank};
use crate::domain::id::HoldId;
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;

/// A hold.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HoldBody {
    /// Identifies the hold.
    #[schema(example = "hld_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    hold_id: HoldId,
    /// What it is over.
    scope: KeyScopeBody,
    /// `guest`, `owner`, `support` or `admin`: who has this rank can lift it; administrators also lift those of support.
    rank: Rank,
    /// Why; `null` for those who neither placed it nor administer, and if it was erased.
    reason: Option<String>,
    /// The first moment in which it no longer stands; `null` is until it is lifted.
    until: Option<Timestamp>,
    /// Whether cars can be locked all the same.
    allow_lock: bool,
    /// Whether it stands, at the time of the answer.
    stands: bool,
    /// The person or API client that placed it; `null` for the service.
    placed_by: Option<PrincipalId>,
    /// When it was placed.
    placed_at: Timestamp,
    /// When it was lifted.
    lifted_at: Option<Timestamp>,
}

impl HoldBody {
    fn of(hold: Hold, stands: bool) -> Self {
        let placed_by = Some(hold.placed_by).filter(|by| *by != PrincipalId::System);
        Self {
            hold_id: hold.standing.hold_id,
            scope: hold.scope.into(),
            rank: hold.standing.rank,
            reason: hold.reason,
            until: hold.standing.until,
            allow_lock: hold.standing.allow_lock,
            stands,
            placed_by,
            placed_at: hold.placed_at,
            lifted_at: hold.lifted_at,
        }
    }
}

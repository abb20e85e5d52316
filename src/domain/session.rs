//! A person's session: one family of refresh tokens, of which only the newest works.

use std::time::Duration;

use crate::domain::id::{OrganizationId, SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::Role;

/// After this a person signs in again, however often the session was refreshed.
pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// After this without a refresh a person signs in again.
pub const IDLE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A session with what is known about its person now.
#[derive(Debug, Clone)]
pub struct Session {
    /// Identifies the session.
    pub session_id: SessionId,
    /// The organization of its person.
    pub organization_id: OrganizationId,
    /// The person who signed in.
    pub user_id: UserId,
    /// What the person may do, today.
    pub role: Role,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When the newest refresh token was given out.
    pub refreshed_at: Timestamp,
    /// After this no refresh helps.
    pub expires_at: Timestamp,
    /// Since when it is over.
    pub ended_at: Option<Timestamp>,
    /// Since when the account is closed.
    pub disabled_at: Option<Timestamp>,
}

impl Session {
    /// Whether it can be used at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && self.disabled_at.is_none()
            && now < self.expires_at
            && now < self.refreshed_at.plus(IDLE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Id;

    fn session() -> Session {
        let created_at = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let id = uuid::Uuid::from_u128(1);
        Session {
            session_id: Id::from_uuid(id),
            organization_id: Id::from_uuid(id),
            user_id: Id::from_uuid(id),
            role: Role::Member,
            created_at,
            refreshed_at: created_at,
            expires_at: created_at.plus(LIFETIME),
            ended_at: None,
            disabled_at: None,
        }
    }

    #[test]
    fn a_session_lasts_thirty_days_and_seven_without_a_refresh() {
        const DAY_S: u64 = 86_400;
        assert_eq!((LIFETIME.as_secs(), IDLE_MAX.as_secs()), (30 * DAY_S, 7 * DAY_S));
    }

    #[test]
    fn each_limit_ends_a_session_alone() {
        const MOMENT: Duration = Duration::from_micros(1);
        let fresh = session();
        let (idle, over) = (fresh.created_at.plus(IDLE_MAX), fresh.expires_at);
        assert!(fresh.is_open(idle.minus(MOMENT)) && !fresh.is_open(idle));
        let busy = Session { refreshed_at: over.minus(MOMENT), ..session() };
        assert!(busy.is_open(over.minus(MOMENT)) && !busy.is_open(over));
        let at = fresh.created_at;
        assert!(!Session { ended_at: Some(at), ..session() }.is_open(at));
        assert!(!Session { disabled_at: Some(at), ..session() }.is_open(at));
    }
}

//! A guest asks to keep a car for longer, and the owner decides. Where a request stands follows from what was decided and the
//! time.

use std::time::Duration;

use crate::domain::grant::Grant;
use crate::domain::id::{ExtensionRequestId, GrantId, OrganizationId};
use crate::domain::time::Timestamp;

/// A request that nobody has decided for so long is not decided any more.
pub const OPEN_TIME: Duration = Duration::from_secs(24 * 60 * 60);

words! {
    /// What an owner decided.
    ExtensionDecision {
        /// The grant is valid for longer.
        Approved = "approved",
        /// It is not.
        Declined = "declined",
    }
}

words! {
    /// Where a request stands.
    ExtensionStatus {
        /// The owner can decide.
        Open = "open",
        /// The grant is valid for longer.
        Approved = "approved",
        /// The owner said no.
        Declined = "declined",
        /// Nobody decided in time.
        Expired = "expired",
    }
}

/// A request as stored.
#[derive(Debug, Clone)]
pub struct ExtensionRequest {
    /// Identifies the request; UUIDv7.
    pub extension_request_id: ExtensionRequestId,
    /// The organization of the grant.
    pub organization_id: OrganizationId,
    /// The grant.
    pub grant_id: GrantId,
    /// Until when the guest wants to use it.
    pub not_after: Timestamp,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When it was made.
    pub requested_at: Timestamp,
    /// From then on it is not decided any more.
    pub expires_at: Timestamp,
    /// What the owner decided, and when.
    pub decided: Option<(ExtensionDecision, Timestamp)>,
}

impl ExtensionRequest {
    /// Where it stands at `now`, about a grant that is alive or not.
    #[must_use]
    pub fn status(&self, is_alive: bool, now: Timestamp) -> ExtensionStatus {
        match self.decided {
            Some((ExtensionDecision::Approved, _)) => ExtensionStatus::Approved,
            Some((ExtensionDecision::Declined, _)) => ExtensionStatus::Declined,
            None if !is_alive || now >= self.expires_at => ExtensionStatus::Expired,
            None => ExtensionStatus::Open,
        }
    }

    /// Until when a request about this grant can be decided: a grant that is over is not extended.
    #[must_use]
    pub fn open_until(grant: &Grant, now: Timestamp) -> Timestamp {
        now.plus(OPEN_TIME).min(grant.validity.not_after())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::Id;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + second).unwrap()
    }

    fn request(decided: Option<ExtensionDecision>) -> ExtensionRequest {
        ExtensionRequest {
            extension_request_id: Id::from_uuid(Uuid::nil()),
            organization_id: Id::from_uuid(Uuid::nil()),
            grant_id: Id::from_uuid(Uuid::nil()),
            not_after: at(100),
            reason: None,
            requested_at: at(0),
            expires_at: at(5),
            decided: decided.map(|decision| (decision, at(3))),
        }
    }

    #[test]
    fn a_request_is_open_until_somebody_decides_or_its_time_is_over() {
        use ExtensionDecision as D;
        use ExtensionStatus as S;
        for (decided, second, status) in [
            (None, 4, S::Open),
            (None, 5, S::Expired),
            (Some(D::Approved), 4, S::Approved),
            (Some(D::Approved), 5, S::Approved),
            (Some(D::Declined), 5, S::Declined),
        ] {
            assert_eq!(request(decided).status(true, at(second)), status);
        }
        assert_eq!(request(None).status(false, at(4)), S::Expired);
        assert_eq!(request(Some(D::Approved)).status(false, at(4)), S::Approved);
    }

    #[test]
    fn nobody_decides_for_a_grant_that_is_over() {
        let grant = Grant::example();
        let ends = grant.validity.not_after();
        assert_eq!(ExtensionRequest::open_until(&grant, ends.minus(Duration::from_secs(1))), ends);
        let early = ends.minus(OPEN_TIME).minus(Duration::from_secs(9));
        assert_eq!(ExtensionRequest::open_until(&grant, early), early.plus(OPEN_TIME));
    }
}

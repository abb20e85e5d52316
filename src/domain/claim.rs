//! A claim: a single-use link by which a person comes to an account that has no credentials. Joining and
//! recovering are the same thing, but for what the account can do afterwards.

use std::time::Duration;

use crate::domain::id::{ClaimId, OrganizationId, UserId};
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;

/// How many wrong PINs are heard before the claim is cancelled.
pub const PIN_TRIES_MAX: i64 = 5;
/// How many digits a PIN has.
pub const PIN_LENGTH: usize = 6;

words! {
    /// What a claim is for.
    ClaimPurpose {
        /// The account never had credentials.
        Join = "join",
        /// The account's credentials were taken away when the claim was made.
        Recover = "recover",
    }
}

impl ClaimPurpose {
    /// How long such a claim can be redeemed.
    #[must_use]
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::Join => Duration::from_secs(7 * 24 * 60 * 60),
            Self::Recover => Duration::from_secs(60 * 60),
        }
    }
}

words! {
    /// Why a claim is over.
    ClaimEnd {
        /// A person has credentials by it.
        Redeemed = "redeemed",
        /// A newer claim for the account was made.
        Replaced = "replaced",
        /// The PIN was wrong too many times.
        PinRefused = "pin_refused",
    }
}

words! {
    /// Why a claim is not redeemed.
    ClaimRefusal {
        /// There is no claim with this secret.
        Unknown = "unknown",
        /// It was redeemed before.
        Redeemed = "redeemed",
        /// A newer claim for the account was made.
        Replaced = "replaced",
        /// The PIN was wrong too many times.
        Cancelled = "cancelled",
        /// Its time is over.
        Expired = "expired",
        /// The account is closed.
        AccountDisabled = "account_disabled",
        /// It needs a PIN.
        PinMissing = "pin_missing",
        /// The PIN is wrong.
        PinWrong = "pin_wrong",
    }
}

/// A claim as stored, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Identifies the claim, also in the record.
    pub claim_id: ClaimId,
    /// The organization of the account.
    pub organization_id: OrganizationId,
    /// The account.
    pub user_id: UserId,
    /// What it is for.
    pub purpose: ClaimPurpose,
    /// Whether a PIN that travels another way is needed besides.
    pub has_pin: bool,
    /// Who made it.
    pub made_by: PrincipalId,
    /// When it was made.
    pub created_at: Timestamp,
    /// After this it cannot be redeemed.
    pub expires_at: Timestamp,
    /// Why it is over, if it is.
    pub end_reason: Option<ClaimEnd>,
}

impl Claim {
    /// Why the claim cannot be redeemed at `now` for an account that is open or not.
    #[must_use]
    pub fn refusal(&self, is_account_open: bool, now: Timestamp) -> Option<ClaimRefusal> {
        match self.end_reason {
            Some(ClaimEnd::Redeemed) => Some(ClaimRefusal::Redeemed),
            Some(ClaimEnd::Replaced) => Some(ClaimRefusal::Replaced),
            Some(ClaimEnd::PinRefused) => Some(ClaimRefusal::Cancelled),
            None if now >= self.expires_at => Some(ClaimRefusal::Expired),
            None if !is_account_open => Some(ClaimRefusal::AccountDisabled),
            None => None,
        }
    }

    /// Whether the account waits for others once the claim is redeemed: somebody else gave it new credentials. Who
    /// made the account has its voice until it is claimed, so that their claim for joining takes nothing away.
    #[must_use]
    pub fn restricts(&self, account_made_by: PrincipalId) -> bool {
        let is_own = self.made_by == PrincipalId::User(self.user_id);
        let is_invitation = self.purpose == ClaimPurpose::Join && self.made_by == account_made_by;
        !is_own && !is_invitation
    }
}

#[cfg(test)]
#[path = "claim_test.rs"]
mod tests;

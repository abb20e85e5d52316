//! How often somebody may ask for what is decided on or recorded: each person, and each program for each
//! person, at a pace; and each grant in the hands of a person. Locking a car and ending a right each have a pace
//! of their own, so that nothing else that is asked uses it up (P11).
//!
//! It lives in the memory of one process: a restart forgets, and each instance counts for itself.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::{Caller, Error, Limit};
use crate::auth::Limiter;
use crate::clock::Clock;
use crate::config::{Allowance, Limits};
use crate::domain::access::Operation;
use crate::domain::id::{GrantId, UserId};
use crate::domain::instruction::Action;
use crate::domain::principal::PrincipalId;
use crate::signing::grant_token::{GrantClaims, VerifiedGrantToken};

/// What counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// To lock a car.
    Lock,
    /// To end a right.
    End,
    /// To show a token that is bound to a device where no gate decides.
    Show,
    /// Everything else.
    Other,
}

impl From<Action> for Lane {
    fn from(action: Action) -> Self {
        match action {
            Action::Lock => Self::Lock,
            _ => Self::Other,
        }
    }
}

/// How somebody shows that they may use a right to a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// They are signed in, or a program acts for them.
    Account,
    /// They have the grant's token. Whoever copied one uses up the grant's pace, not the person's.
    GrantToken,
}

impl Shown {
    /// By the grant's token, or without it.
    pub(super) const fn by(has_token: bool) -> Self {
        if has_token { Self::GrantToken } else { Self::Account }
    }
}

/// The use of a right to a car.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    pub(super) caller: &'a Caller,
    /// Whose right it is.
    pub(super) user_id: UserId,
    pub(super) grant_id: Option<GrantId>,
    pub(super) shown: Shown,
}

impl<'a> Use<'a> {
    /// By a grant's token.
    #[must_use]
    pub fn of_token(caller: &'a Caller, token: &VerifiedGrantToken) -> Self {
        let GrantClaims { grantee_id, grant_id, .. } = *token.claims();
        Self { caller, user_id: grantee_id, grant_id: Some(grant_id), shown: Shown::GrantToken }
    }
}

type OfCaller = (PrincipalId, Option<UserId>, Lane);
type OfGrant = (UserId, GrantId, Shown, Lane);

/// What was asked for lately.
pub struct Pace {
    per_caller: Allowance,
    per_grant: Allowance,
    callers: Limiter<OfCaller>,
    /// By person too: whoever names somebody else's grant uses up nothing of theirs; and by what was shown: whoever
    /// copied a token, nothing of what the person does who is signed in.
    grants: Limiter<OfGrant>,
}

impl Pace {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let (per_caller, per_grant) = (limits.caller_requests, limits.grant_requests);
        let (callers, grants) = (limiter(per_caller, clock), limiter(per_grant, clock));
        Self { per_caller, per_grant, callers, grants }
    }

    /// Counts that a caller asks for something.
    ///
    /// # Errors
    /// [`Error::Throttled`] if they ask too often; then it does not count.
    pub(super) fn admit(&self, caller: &Caller, operation: Operation) -> Result<(), Error> {
        let Some(lane) = lane(operation) else { return Ok(()) };
        let Some(key) = of_caller(caller, lane) else { return Ok(()) };
        self.admit_keys(Some(key), None)
    }

    /// Counts that a right to a car is used.
    ///
    /// # Errors
    /// [`Error::Throttled`] if that is too often; then it does not count.
    pub(super) fn admit_use(&self, used: Use<'_>, lane: Lane) -> Result<(), Error> {
        let Use { caller, user_id, grant_id, shown } = used;
        let of_caller = match shown {
            Shown::Account => of_caller(caller, lane),
            Shown::GrantToken => None,
        };
        self.admit_keys(of_caller, grant_id.map(|grant_id| (user_id, grant_id, shown, lane)))
    }

    fn admit_keys(&self, caller: Option<OfCaller>, grant: Option<OfGrant>) -> Result<(), Error> {
        if let Some(wait) = caller.and_then(|key| self.callers.refused_for(&key)) {
            return Err(Error::Throttled(Limit::Caller(self.per_caller), wait));
        }
        if let Some(wait) = grant.and_then(|key| self.grants.refused_for(&key)) {
            return Err(Error::Throttled(Limit::Grant(self.per_grant), wait));
        }
        if let Some(key) = caller {
            self.callers.count(&key);
        }
        if let Some(key) = grant {
            self.grants.count(&key);
        }
        Ok(())
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").finish_non_exhaustive()
    }
}

fn limiter<K: Clone + Eq + std::hash::Hash>(
    allowance: Allowance,
    clock: &Arc<dyn Clock>,
) -> Limiter<K> {
    let burst = NonZeroU32::new(allowance.burst).unwrap_or(NonZeroU32::MIN);
    let each = Duration::from_secs(60) / allowance.per_minute.max(1);
    Limiter::new(burst, each, Arc::clone(clock))
}

/// The service itself asks as often as it must.
fn of_caller(caller: &Caller, lane: Lane) -> Option<OfCaller> {
    match caller.actor.principal_id() {
        PrincipalId::System => None,
        principal => Some((principal, caller.actor.user_id(), lane)),
    }
}

/// What only reads is not counted here, and neither are uses of a right to a car: these count where they are decided on.
const NOT_COUNTED: &[Operation] = &[
    Operation::ListUsers,
    Operation::GetUser,
    Operation::ListAllowedClients,
    Operation::ListSessions,
    Operation::ListDeviceKeys,
    Operation::ListTokens,
    Operation::ListApiClients,
    Operation::ListConnections,
    Operation::GetConnection,
    Operation::ListVehicles,
    Operation::GetVehicle,
    Operation::GetCommand,
    Operation::ListCommands,
    Operation::ListGrants,
    Operation::GetGrant,
    Operation::ListHolds,
    Operation::ListAuditEntries,
    Operation::ListEvents,
    Operation::ListWebhookEndpoints,
    Operation::SeeEvent,
    Operation::ListReturnUrls,
    Operation::ListAllowedOrigins,
    Operation::ProveAuditEntry,
    Operation::ReadVehicle,
    Operation::SendCommand,
    Operation::CheckAccess,
];

/// What ends or pauses a right: nothing else uses up how often that may be done.
const ENDS: &[Operation] = &[
    Operation::DisableUser,
    Operation::EndSessionsOfUser,
    Operation::EndSession,
    Operation::RevokeDeviceKey,
    Operation::EndToken,
    Operation::DisallowClient,
    Operation::RevokeApiClient,
    Operation::Disconnect,
    Operation::NarrowGrant,
    Operation::EndGrantsOfUser,
    Operation::EndGrantsOfVehicle,
    Operation::EndGrantsOfOrganization,
    Operation::RemoveVehicle,
    Operation::HoldGrant,
    Operation::HoldUser,
    Operation::HoldVehicle,
    Operation::HoldOrganization,
    Operation::RevokeGrant,
    Operation::RelinquishGrant,
];

/// In which lane an operation counts. One that is in none of the lists counts with all others.
fn lane(operation: Operation) -> Option<Lane> {
    if NOT_COUNTED.contains(&operation) {
        return None;
    }
    Some(if ENDS.contains(&operation) { Lane::End } else { Lane::Other })
}

#[cfg(test)]
#[path = "pace_test.rs"]
mod tests;

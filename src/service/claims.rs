//! Claims: single-use links by which people come to accounts without credentials.

mod redeem;

use serde::{Deserialize, Serialize};

use super::idempotency::{Answer, Idempotency};
use super::{Base, Caller, Error, StateFault, Work, sessions};
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::claim::{Claim, ClaimEnd, ClaimPurpose, PIN_LENGTH};
use crate::domain::event::{Event, SessionEnd};
use crate::domain::id::{ClaimId, UserId};
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;
use crate::domain::user::{Role, User};
use crate::measures;
use crate::signing::secret::{self, RandomSecret, SecretPrefix};
use crate::storage::{Priority, claims, users};

pub use redeem::{Redemption, redeem};

const CREATE: &str = "claims.create";

/// A claim with its secrets, at the only time they are shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewClaim {
    /// Identifies the claim.
    pub claim_id: ClaimId,
    /// The account.
    pub user_id: UserId,
    /// What it is for.
    pub purpose: ClaimPurpose,
    /// The secret of the link.
    pub claim_token: String,
    /// The link: the secret is its fragment, which browsers send nowhere.
    pub claim_url: String,
    /// What the person must know besides, if that was asked for.
    pub pin: Option<String>,
    /// After this it cannot be redeemed.
    pub expires_at: Timestamp,
}

/// Makes a claim for an account; the one before stops working. If the account has been claimed, its
/// password and its sessions end: that is the recovery.
///
/// # Errors
/// [`super::Denial::AdminOnly`], [`Error::NotFound`], [`StateFault::AccountDisabled`].
pub async fn create(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    user_id: UserId,
    with_pin: bool,
) -> Result<Answer<NewClaim>, Error> {
    let created = base.transact(CREATE, Priority::Ordinary, |work| {
        Box::pin(async move {
            let found = users::find(&mut work.tx, caller.actor.organization_id, user_id).await?;
            let object = Object::found(found.as_ref(), |user| Object::user(user.user_id));
            let operation = match &found {
                Some(user) => operation_for(caller.actor.principal_id(), user),
                None => Operation::CreateClaim,
            };
            base.authorize(caller, operation, &object, Sought::of(user_id))?;
            let user = found.ok_or_else(|| Error::NotFound(Sought::of(user_id)))?;
            if let Some(answer) =
                idempotency.find_or_take(base, &mut work.tx, caller, CREATE).await?
            {
                return Ok(answer);
            }
            if user.disabled_at.is_some() {
                return Err(Error::State(StateFault::AccountDisabled));
            }
            // Claims before their accounts, as where they are redeemed.
            let claim = make(base, work, caller, &user, with_pin).await?;
            if claim.purpose == ClaimPurpose::Recover {
                users::take_credentials(&mut work.tx, user_id).await?;
                sessions::end_others(work, caller, user_id, None, SessionEnd::Recovered).await?;
            }
            idempotency.keep(base, &mut work.tx, caller, CREATE, &claim).await?;
            Ok(Answer::fresh(claim))
        })
    });
    created.await.inspect(count_created)
}

/// Counts the claim of an answer, unless that is one from before.
pub(super) fn count_created<T>(answer: &Answer<T>) {
    if !answer.replayed {
        count("created");
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(measures::CLAIMS, "outcome" => outcome).increment(1);
}

/// A program that could recover accounts, or make claims for administrators, could give itself every right; and one
/// that could make them for another program's customers could take those away from it.
fn operation_for(caller: PrincipalId, user: &User) -> Operation {
    let is_program = matches!(caller, PrincipalId::ApiClient(_));
    match (purpose_for(user), user.role) {
        (ClaimPurpose::Join, Role::Member) if !is_program || user.created_by == caller => {
            Operation::CreateClaim
        }
        (ClaimPurpose::Join | ClaimPurpose::Recover, _) => Operation::RecoverUser,
    }
}

const fn purpose_for(user: &User) -> ClaimPurpose {
    match user.claimed_at {
        Some(_) => ClaimPurpose::Recover,
        None => ClaimPurpose::Join,
    }
}

/// Makes a claim in the transaction of what it belongs to.
pub(super) async fn make(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    user: &User,
    with_pin: bool,
) -> Result<NewClaim, Error> {
    let (now, user_id, purpose) = (work.now, user.user_id, purpose_for(user));
    let token = RandomSecret::generate(SecretPrefix::Claim, &*base.entropy)?;
    let pin = match with_pin {
        true => Some(secret::pin(PIN_LENGTH, &*base.entropy)?),
        false => None,
    };
    let claim = Claim {
        claim_id: base.entropy.id(now)?,
        organization_id: user.organization_id,
        user_id,
        purpose,
        has_pin: with_pin,
        made_by: caller.actor.principal_id(),
        created_at: now,
        expires_at: now.plus(purpose.lifetime()),
        end_reason: None,
    };
    let (claim_id, expires_at) = (claim.claim_id, claim.expires_at);
    let pin_hash = pin.as_ref().map(|pin| secret::hash_of_pair(token.expose(), pin));
    claims::end_of_user(&mut work.tx, user_id, ClaimEnd::Replaced, now).await?;
    claims::insert(&mut work.tx, &claim, token.hash(), pin_hash).await?;
    let has_pin = claim.has_pin;
    work.record(caller, Event::ClaimCreated { claim_id, user_id, purpose, has_pin, expires_at })?;
    Ok(NewClaim {
        claim_id,
        user_id,
        purpose,
        claim_url: format!("{}/c#{}", base.settings.public_url, token.expose()),
        claim_token: token.expose().to_owned(),
        pin: pin.map(|pin| pin.as_str().to_owned()),
        expires_at,
    })
}

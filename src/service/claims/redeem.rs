//! Redeeming a claim: the person chooses a password that nobody else knows, and is signed in. Of any number
//! who try at the same time exactly one succeeds.

use secrecy::{ExposeSecret, SecretString};

use super::count;
use crate::domain::actor::{Actor, Principal};
use crate::domain::claim::{Claim, ClaimEnd, ClaimRefusal};
use crate::domain::event::Event;
use crate::domain::password;
use crate::domain::principal::PrincipalId;
use crate::domain::user::{Recovery, User};
use crate::service::grants::confirmed;
use crate::service::sessions::{self, Origin, Tokens};
use crate::service::{Base, Caller, Error, Service, StateFault, Work, allowed_clients};
use crate::signing::secret;
use crate::storage::{Executor, Priority, claims, grants, users};

/// What a person redeems a claim with.
#[derive(Debug)]
pub struct Redemption {
    /// The secret of the link.
    pub claim_token: SecretString,
    /// The password of their choice.
    pub password: SecretString,
    /// What they were told another way.
    pub pin: Option<SecretString>,
    /// Whether the API client that made the account may go on acting for them.
    pub keeps_client: bool,
    /// Where the request came from.
    pub origin: Origin,
}

/// Redeems a claim and starts a session.
///
/// # Errors
/// [`StateFault::Claim`] with what stands in the way, [`Error::Invalid`] for a password that breaks the rules, [`Error::Overloaded`].
pub async fn redeem(service: &Service, redemption: &Redemption) -> Result<Tokens, Error> {
    let redeemed = attempt(service, redemption).await;
    match &redeemed {
        Ok(_) => count("redeemed"),
        Err(Error::State(StateFault::Claim(_))) => count("refused"),
        Err(_) => {}
    }
    redeemed
}

async fn attempt(service: &Service, redemption: &Redemption) -> Result<Tokens, Error> {
    let base = &service.base;
    let mut reader = base.store.read().await?;
    let (claim, user) = find(&mut reader, redemption).await?;
    drop(reader);
    if let Some(refusal) = claim.refusal(user.disabled_at.is_none(), base.clock.now()) {
        return Err(refused(refusal));
    }
    if claim.has_pin && redemption.pin.is_none() {
        return Err(refused(ClaimRefusal::PinMissing));
    }
    password::check(redemption.password.expose_secret(), &user.email)
        .map_err(|refusal| Error::invalid("/password", "password_refused", refusal))?;
    let hash = &service.hash_password(&redemption.password).await?;
    let redeemed = base.transact("claims.redeem", Priority::Ordinary, |work| {
        Box::pin(async move { redeem_once(base, work, redemption, hash).await })
    });
    redeemed.await?.map_err(refused)
}

const fn refused(refusal: ClaimRefusal) -> Error {
    Error::State(StateFault::Claim(refusal))
}

async fn find(on: &mut impl Executor, redemption: &Redemption) -> Result<(Claim, User), Error> {
    const UNKNOWN: Error = refused(ClaimRefusal::Unknown);
    let hash = secret::hash_of(redemption.claim_token.expose_secret());
    let claim = claims::find_by_token(on, hash).await?.ok_or(UNKNOWN)?;
    let user = users::find(on, claim.organization_id, claim.user_id).await?.ok_or(UNKNOWN)?;
    Ok((claim, user))
}

/// A refusal is a result of the work too: a try of the PIN that is spent stays spent.
async fn redeem_once(
    base: &Base,
    work: &mut Work<'_>,
    redemption: &Redemption,
    password_hash: &str,
) -> Result<Result<Tokens, ClaimRefusal>, Error> {
    let (claim, user) = find(&mut work.tx, redemption).await?;
    if let Some(refusal) = claim.refusal(user.disabled_at.is_none(), work.now) {
        return Ok(Err(refusal));
    }
    if let Err(refusal) = try_pin(work, &claim, &user, redemption).await? {
        return Ok(Err(refusal));
    }
    let (claim_id, user_id, now) = (claim.claim_id, claim.user_id, work.now);
    // Somebody else redeemed or replaced it since it was read, or closed the account: nothing of this stays.
    if !claims::end(&mut work.tx, claim_id, ClaimEnd::Redeemed, now).await? {
        return Err(refused(ClaimRefusal::Redeemed));
    }
    if !users::claim(&mut work.tx, user_id, password_hash, now).await? {
        return Err(refused(ClaimRefusal::AccountDisabled));
    }
    let restricted = claim.restricts(user.created_by);
    let person = &person(&user, redemption);
    let purpose = claim.purpose;
    let redeemed = Event::ClaimRedeemed { claim_id, user_id, purpose, restricted };
    work.record(person, redeemed)?;
    if restricted {
        restrict(work, person, &claim).await?;
    }
    if let (true, PrincipalId::ApiClient(client)) = (redemption.keeps_client, user.created_by) {
        let account = (user.organization_id, user_id);
        allowed_clients::allow_in(work, person, account, client).await?;
    }
    Ok(Ok(sessions::start(base, work, &user, &redemption.origin).await?))
}

/// What the account could do before waits for the people whom it concerns, but for what the maker of the claim
/// gave themself.
async fn restrict(work: &mut Work<'_>, person: &Caller, claim: &Claim) -> Result<(), Error> {
    let (made_by, user_id) = (claim.made_by, claim.user_id);
    users::recover(&mut work.tx, user_id, Recovery { made_by, redeemed_at: work.now }).await?;
    if let PrincipalId::User(issuer_id) = made_by {
        let kept = grants::confirm_of(&mut work.tx, issuer_id, user_id).await?;
        work.record_all(person, kept.iter().map(confirmed))?;
    }
    Ok(())
}

/// Compares the PIN, if the claim has one. A try is spent before, so that no more than a few are ever compared,
/// however many come at once.
async fn try_pin(
    work: &mut Work<'_>,
    claim: &Claim,
    user: &User,
    redemption: &Redemption,
) -> Result<Result<(), ClaimRefusal>, Error> {
    if !claim.has_pin {
        return Ok(Ok(()));
    }
    let Some(pin) = &redemption.pin else { return Ok(Err(ClaimRefusal::PinMissing)) };
    let Some(spent) = claims::spend_try(&mut work.tx, claim.claim_id).await? else {
        return Ok(Err(ClaimRefusal::Cancelled));
    };
    let token = redemption.claim_token.expose_secret();
    if secret::hashes_equal(&secret::hash_of_pair(token, pin.expose_secret()), &spent.pin_hash) {
        return Ok(Ok(()));
    }
    let (claim_id, user_id) = (claim.claim_id, claim.user_id);
    let reason = match spent.tries_left {
        1.. => ClaimRefusal::PinWrong,
        _ => ClaimRefusal::Cancelled,
    };
    if reason == ClaimRefusal::Cancelled {
        claims::end(&mut work.tx, claim_id, ClaimEnd::PinRefused, work.now).await?;
    }
    let refusal = Event::ClaimRefused { claim_id, user_id, reason };
    work.record_with(&nobody(user, redemption), refusal, redemption.origin.personal())?;
    Ok(Err(reason))
}

/// The person whom the claim makes of who redeems it.
fn person(user: &User, redemption: &Redemption) -> Caller {
    let principal = Principal::User { user_id: user.user_id, role: user.role };
    let actor = Actor { organization_id: user.organization_id, principal };
    Caller { actor, request_id: redemption.origin.request_id.clone() }
}

/// Who tried a PIN is not known.
fn nobody(user: &User, redemption: &Redemption) -> Caller {
    let actor = Actor::system(user.organization_id);
    Caller { actor, request_id: redemption.origin.request_id.clone() }
}

//! Handing out the signed form of a grant, to its grantee or an API client for them. With a proof of a device the token is bound
//! to the key of that device and short-lived: the device can fetch the next one at any time.

use std::time::Duration;

use secrecy::SecretString;

use super::find_for;
use super::list::with_ends_of_scopes;
use crate::domain::access::Operation;
use crate::domain::device_key::Thumbprint;
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, TokenId};
use crate::domain::policy::Reason;
use crate::domain::time::Timestamp;
use crate::service::shown_token::{CountingTokens, to_spend};
use crate::service::{Base, Caller, Error, StateFault, device_keys};
use crate::signing::dpop::Proof;
use crate::signing::grant_token::{self, GrantClaims};
use crate::storage::Priority;
use crate::storage::grant_tokens::{self, GrantToken};

/// How long a token can be shown that is bound to a device.
const BOUND_TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// A grant token, and until when it can be shown. Until when it opens a car, the grant's row says.
#[derive(Debug)]
pub struct MintedToken {
    /// What the guest's app carries.
    pub grant_token: SecretString,
    /// Names it.
    pub token_id: TokenId,
    /// The key of the device that alone can show it, if it is bound to one.
    pub device_key: Option<Thumbprint>,
    /// From then on it cannot be shown; one that is not bound lasts as long as anything can be done with the grant, however it
    /// is extended.
    pub expires_at: Timestamp,
}

/// Signs a grant. The token proves who may ask; whether they may is decided by the grant's row
/// each time.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheGrantee`], [`crate::service::Denial::ScopeMissing`],
/// [`StateFault::GrantEnded`]; with a proof also [`crate::service::CredentialFault::ProofSpent`] and those of [`device_keys::bind`].
pub async fn mint_token(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    proof: Option<Proof>,
) -> Result<MintedToken, Error> {
    // What was opened can be closed whatever the clock says (P11); that nothing else is, the gate sees to.
    if proof.is_none() {
        base.require_trusted_clock()?;
    }
    base.transact(Operation::MintToken.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let operation = Operation::MintToken;
            let (grant, _, acting_as) =
                find_for(base, &mut work.tx, caller, operation, grant_id).await?;
            let grant = with_ends_of_scopes(&mut work.tx, grant).await?;
            // A bound token does not last into the grace: the phone gets another there.
            let locks_still = grant.lock_until().is_some_and(|until| work.now < until);
            let is_worth_a_token = grant.is_alive(work.now) || (locks_still && proof.is_some());
            if !is_worth_a_token {
                return Err(Error::State(StateFault::GrantEnded));
            }
            if grant.require_device_key && proof.is_none() {
                return Err(Error::Refused(vec![Reason::DeviceKeyRequired]));
            }
            if let Some(proof) = proof {
                let spent = CountingTokens::spend(&mut work.tx, to_spend(base, proof)?).await?;
                spent.map_err(Error::Unauthenticated)?;
                device_keys::bind(work, &grant, proof.thumbprint).await?;
            }
            let device_key = proof.map(|proof| proof.thumbprint);
            let claims = claims(&grant, base.entropy.id(work.now)?, work.now, device_key);
            grant_tokens::add(&mut work.tx, &kept(&claims)).await?;
            let (expires_at, token_id) = (claims.not_after, claims.token_id);
            let GrantClaims { vehicle_id, grantee_id, .. } = claims;
            work.record(
                &caller.acting_as(acting_as),
                Event::GrantTokenMinted {
                    grant_id,
                    vehicle_id,
                    grantee_id,
                    token_id,
                    device_key,
                    expires_at,
                },
            )?;
            let issuer = base.settings.issuers.current();
            let token = grant_token::mint(&base.keys(), issuer, &claims);
            let grant_token = token.map_err(Error::internal)?.into();
            Ok(MintedToken { grant_token, token_id, device_key, expires_at })
        })
    })
    .await
}

fn kept(claims: &GrantClaims) -> GrantToken {
    GrantToken {
        token_id: claims.token_id,
        organization_id: claims.organization_id,
        grant_id: claims.grant_id,
        user_id: claims.grantee_id,
        device_key: claims.device_key,
        expires_at: claims.not_after,
        ended_at: None,
    }
}

fn claims(
    grant: &Grant,
    token_id: TokenId,
    issued_at: Timestamp,
    device_key: Option<Thumbprint>,
) -> GrantClaims {
    let over = grant.validity.over_at_most();
    let short = device_key.map(|_| issued_at.plus(BOUND_TOKEN_LIFETIME));
    GrantClaims {
        grantee_id: grant.grantee_id,
        token_id,
        issued_at,
        not_before: grant.issued_at,
        not_after: short.map_or(over, |short| short.min(over)),
        device_key,
        grant_id: grant.grant_id,
        organization_id: grant.organization_id,
        vehicle_id: grant.vehicle_id,
        entitlements: grant.entitlements.clone(),
        grant_revision: grant.revision,
    }
}

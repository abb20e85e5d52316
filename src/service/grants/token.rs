//! Handing out the signed form of a grant, to its grantee or a machine for them.

use secrecy::SecretString;

use super::{Relation, find_with_vehicle, relation};
use crate::domain::actor::Scope;
use crate::domain::event::Event;
use crate::domain::id::GrantId;
use crate::domain::time::Timestamp;
use crate::service::{Caller, Denial, Error, Service, StateFault};
use crate::signing::grant_token::{self, GrantClaims};
use crate::storage::repeat;

/// A grant token, and until when it is any use.
#[derive(Debug)]
pub struct MintedToken {
    /// What the guest's app carries.
    pub grant_token: SecretString,
    /// The end of the grant's validity.
    pub expires_at: Timestamp,
}

/// Signs a grant. The token proves who may ask; whether they may is decided by the grant's row
/// each time.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::NotTheGrantee`], [`Denial::ScopeMissing`],
/// [`StateFault::GrantEnded`].
pub async fn mint_token(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
) -> Result<MintedToken, Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(Scope::GrantsWrite) {
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::GrantsWrite.as_str())));
    }
    service.must_agree()?;
    repeat(|| mint_once(service, caller, grant_id)).await
}

async fn mint_once(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
) -> Result<MintedToken, Error> {
    let now = service.clock.now();
    let mut tx = service.store.begin().await?;
    let (grant, vehicle) = find_with_vehicle(&mut tx, caller, grant_id).await?;
    let acts_for_anyone = caller.actor.is_api_client() && caller.actor.user_id().is_none();
    match relation(caller, &grant, &vehicle) {
        Relation::Grantee => {}
        _ if acts_for_anyone => {}
        Relation::Stranger => return Err(Error::NotFound),
        Relation::Owner | Relation::Administrator => {
            return Err(Error::Forbidden(Denial::NotTheGrantee));
        }
    }
    if service.has_ended(&grant) {
        return Err(Error::State(StateFault::GrantEnded));
    }
    let expires_at = grant.validity.not_after();
    let claims = GrantClaims {
        grantee_id: grant.grantee_id,
        token_id: service.entropy.id(now)?,
        issued_at: now,
        not_before: grant.validity.not_before(),
        not_after: grant.validity.not_after(),
        grant_id,
        organization_id: grant.organization_id,
        vehicle_id: grant.vehicle_id,
        entitlements: grant.entitlements,
        grant_revision: grant.revision,
    };
    let token = grant_token::mint(&service.keys(), &service.settings.public_url, &claims)
        .map_err(|error| Error::Internal(error.to_string()))?;
    let minted = Event::GrantTokenMinted {
        grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        token_id: claims.token_id,
        expires_at,
    };
    service.record(&mut tx, &caller.acting_for(grant.grantee_id), now, [minted]).await?;
    tx.commit().await?;
    Ok(MintedToken { grant_token: token.into(), expires_at })
}

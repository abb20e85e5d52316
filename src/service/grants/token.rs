//! Handing out the signed form of a grant, to its grantee or an API client for them.

use secrecy::SecretString;

use super::find_for;
use super::list::with_ends_of_scopes;
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, TokenId};
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error, StateFault};
use crate::signing::grant_token::{self, GrantClaims};
use crate::storage::Priority;

/// A grant token, and until when it can be shown. Until when it opens a car, the grant's row says.
#[derive(Debug)]
pub struct MintedToken {
    /// What the guest's app carries.
    pub grant_token: SecretString,
    /// From then on nothing can be done with the grant, however it is extended.
    pub expires_at: Timestamp,
}

/// Signs a grant. The token proves who may ask; whether they may is decided by the grant's row
/// each time.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheGrantee`], [`crate::service::Denial::ScopeMissing`],
/// [`StateFault::GrantEnded`].
pub async fn mint_token(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
) -> Result<MintedToken, Error> {
    base.require_trusted_clock()?;
    base.transact(Operation::MintToken.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let operation = Operation::MintToken;
            let (grant, _, acting_as) =
                find_for(base, &mut work.tx, caller, operation, grant_id).await?;
            let grant = with_ends_of_scopes(&mut work.tx, grant).await?;
            if !grant.is_alive(work.now) {
                return Err(Error::State(StateFault::GrantEnded));
            }
            let claims = claims(&grant, base.entropy.id(work.now)?, work.now);
            let issuer = base.settings.issuers.current();
            let token = grant_token::mint(&base.keys(), issuer, &claims);
            let expires_at = claims.not_after;
            let minted = Event::GrantTokenMinted {
                grant_id,
                vehicle_id: grant.vehicle_id,
                grantee_id: grant.grantee_id,
                token_id: claims.token_id,
                expires_at,
            };
            work.record(&caller.acting_as(acting_as), minted)?;
            let grant_token = token.map_err(Error::internal)?.into();
            Ok(MintedToken { grant_token, expires_at })
        })
    })
    .await
}

fn claims(grant: &Grant, token_id: TokenId, issued_at: Timestamp) -> GrantClaims {
    GrantClaims {
        grantee_id: grant.grantee_id,
        token_id,
        issued_at,
        not_before: grant.issued_at,
        not_after: grant.validity.over_at_most(),
        grant_id: grant.grant_id,
        organization_id: grant.organization_id,
        vehicle_id: grant.vehicle_id,
        entitlements: grant.entitlements.clone(),
        grant_revision: grant.revision,
    }
}

//! The grant a token speaks for, as its row is now.

use super::list::with_ends_of_scopes;
use crate::domain::access::Sought;
use crate::domain::grant::Grant;
use crate::domain::policy::{self, Reason};
use crate::domain::vehicle::Vehicle;
use crate::service::pace::{Lane, Use};
use crate::service::shown_token::ShownToken;
use crate::service::{Base, Caller, Error};
use crate::signing::grant_token::VerifiedGrantToken;
use crate::storage::{grants, vehicles};

/// The grant and its car, if the grant can be used now. The token counts for this request, and the proof that comes with it
/// is spent: for requests on which no gate decides.
///
/// # Errors
/// Those of [`ShownToken::counts`]; [`Error::NotFound`], or [`Error::Refused`] with what stands in the way.
pub async fn of_token(
    base: &Base,
    caller: &Caller,
    (token, shown): (&VerifiedGrantToken, &ShownToken),
    lane: Lane,
) -> Result<(Grant, Vehicle), Error> {
    shown.counts(base, Use::of_token(caller, token), lane).await?;
    let organization_id = token.claims().organization_id;
    let mut reader = base.store.read().await?;
    let grant = grants::find(&mut reader, organization_id, token.claims().grant_id).await?;
    let not_found = || Error::NotFound(Sought::of(token.claims().grant_id));
    let grant = grant.ok_or_else(not_found)?;
    let grant = with_ends_of_scopes(&mut reader, grant).await?;
    if grant.require_device_key && token.claims().device_key.is_none() {
        return Err(Error::Refused(vec![Reason::DeviceKeyRequired]));
    }
    let reasons = policy::judge_time(&grant, base.clock.now());
    if !reasons.is_empty() {
        return Err(Error::Refused(reasons));
    }
    let vehicle = vehicles::find(&mut reader, organization_id, grant.vehicle_id).await?;
    Ok((grant, vehicle.ok_or_else(not_found)?))
}

//! Ending well: whether the car is as its owner asked it to be given back, and giving the key back.

use std::time::Duration;

use super::{AnswerWhen, EndedGrant, Ending, end, find_for};
use crate::domain::access::Operation;
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, UserId};
use crate::domain::policy::{Decision, Request};
use crate::domain::reading::Observable;
use crate::domain::return_terms::{Judged, Met, ReturnTerms};
use crate::service::facts::DecisionFacts;
use crate::service::{Caller, Error, Service, vehicles};
use crate::storage::commands;

/// So long a guest waits at most for what the car says, to give the key back.
const CHECK_TIME: Duration = Duration::from_secs(10);

/// Whether the car of a grant is as it is to be given back.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Throttled`].
pub async fn check_end(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
) -> Result<Vec<Judged>, Error> {
    let mut reader = service.base.store.read().await?;
    let (grant, vehicle, acting_as) =
        find_for(&service.base, &mut reader, caller, Operation::CheckEnd, grant_id).await?;
    drop(reader);
    judge(service, &caller.acting_as(acting_as), &grant, vehicle.owner_id).await
}

/// Gives a grant back, if the car is not known to be otherwise than it is to be given back. A grant that opened nothing, and one
/// that has ended, is asked nothing; and what cannot be found out in time stands in nobody's way.
///
/// # Errors
/// As [`end`]; [`Error::EndCriteriaUnmet`], [`Error::Throttled`]: each try is counted, also one that ends nothing.
pub async fn relinquish(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
    wait: AnswerWhen,
) -> Result<(EndedGrant, Vec<Judged>), Error> {
    let base = &service.base;
    let mut reader = base.store.read_urgent().await?;
    let (grant, vehicle, acting_as) =
        find_for(base, &mut reader, caller, Operation::RelinquishGrant, grant_id).await?;
    drop(reader);
    let acting = caller.acting_as(acting_as);
    let mut judged = Vec::new();
    if let Some(terms) = terms(&grant).filter(|_| grant.uses > 0 && grant.end.is_none()) {
        let found = judge(service, &acting, &grant, vehicle.owner_id);
        judged = match tokio::time::timeout(CHECK_TIME, found).await {
            Ok(Ok(judged)) => judged,
            Ok(Err(error)) => {
                tracing::warn!(error = ?error, "a return could not be checked");
                terms.unknown()
            }
            Err(_) => terms.unknown(),
        };
    }
    let unmet = judged.iter().filter(|judged| judged.met == Met::No);
    let unmet: Vec<_> = unmet.map(|judged| judged.criterion).collect();
    if !unmet.is_empty() {
        return Err(Error::EndCriteriaUnmet(unmet));
    }
    let ending = Ending::Relinquish { judged: &judged };
    let ended = end(base, caller, grant_id, ending, wait).await?;
    Ok((ended, judged))
}

/// How the car of a grant is to be given back. Terms that cannot be read ask for nothing.
fn terms(grant: &Grant) -> Option<ReturnTerms> {
    let text = grant.description.return_terms.as_deref()?;
    let terms = ReturnTerms::of_text(text);
    if terms.is_none() {
        tracing::error!(grant_id = %grant.grant_id, "return terms cannot be read");
    }
    terms
}

/// Judges what the grant asks for by what the car reports now. The car is read only while its guest may lock it: nobody learns of
/// it by a grant that is over, has not begun or is held.
async fn judge(
    service: &Service,
    caller: &Caller,
    grant: &Grant,
    owner_id: UserId,
) -> Result<Vec<Judged>, Error> {
    let Some(terms) = terms(grant) else { return Ok(Vec::new()) };
    if !may_lock(service, grant).await? {
        return Ok(terms.unknown());
    }
    let mut asked: Vec<Observable> = Vec::new();
    for observable in terms.criteria().into_iter().filter_map(|criterion| criterion.observable()) {
        if !asked.contains(&observable) {
            asked.push(observable);
        }
    }
    let spender = Some(grant.grant_id).into();
    let (car, base) = ((grant.vehicle_id, owner_id), &service.base);
    let readings = vehicles::read_for_owner(service, caller, car, spender, &asked).await?;
    let mut reader = base.store.read().await?;
    let moved = commands::newest_at_doors(&mut reader, &[grant.vehicle_id]).await?;
    let moved_at = moved.first().map(|command| command.created_at);
    Ok(terms.judge(&readings, moved_at, base.clock.now()))
}

/// Whether the guest of a grant may lock its car now.
async fn may_lock(service: &Service, grant: &Grant) -> Result<bool, Error> {
    let mut reader = service.base.store.read().await?;
    let named = (grant.vehicle_id, Some(grant.grant_id));
    let known = DecisionFacts::read(&mut reader, &[named]).await?;
    let request = Request {
        user_id: grant.grantee_id,
        vehicle_id: grant.vehicle_id,
        entitlement: Entitlement::Lock,
        spends_use: false,
        device_key: None,
    };
    let facts = known.of(grant.organization_id, named);
    let decision = facts.map(|facts| facts.decide(&request, service.base.clock.now()));
    Ok(matches!(decision, Some(Decision::Allow(_))))
}

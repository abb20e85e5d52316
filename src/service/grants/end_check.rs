//! Ending well: whether the car is as its owner asked it to be given back, and giving the key back.

use super::{AnswerWhen, EndedGrant, Ending, end, find_for, find_permitted};
use crate::domain::access::Operation;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, UserId};
use crate::domain::reading::Observable;
use crate::domain::return_terms::{Judged, Met};
use crate::service::{Caller, Error, Service, vehicles};
use crate::storage::commands;

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
/// that has ended, is asked nothing.
///
/// # Errors
/// As [`end`]; [`Error::EndCriteriaUnmet`], [`Error::Throttled`].
pub async fn relinquish(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
    wait: AnswerWhen,
) -> Result<(EndedGrant, Vec<Judged>), Error> {
    let base = &service.base;
    let mut reader = base.store.read_urgent().await?;
    let (grant, vehicle, acting_as) =
        find_permitted(base, &mut reader, caller, Operation::RelinquishGrant, grant_id).await?;
    drop(reader);
    let acting = caller.acting_as(acting_as);
    let mut judged = Vec::new();
    if grant.uses > 0 && grant.is_alive(base.clock.now()) {
        base.pace.admit(&acting, Operation::CheckEnd)?;
        judged = judge(service, &acting, &grant, vehicle.owner_id).await?;
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

/// Judges what the grant asks for by what the car reports now.
async fn judge(
    service: &Service,
    caller: &Caller,
    grant: &Grant,
    owner_id: UserId,
) -> Result<Vec<Judged>, Error> {
    let Some(terms) = &grant.description.return_terms else { return Ok(Vec::new()) };
    let mut asked: Vec<Observable> = Vec::new();
    for observable in terms.criteria().into_iter().filter_map(|criterion| criterion.observable()) {
        if !asked.contains(&observable) {
            asked.push(observable);
        }
    }
    let readings = vehicles::read_for_owner(service, caller, grant, owner_id, &asked).await?;
    let mut reader = service.base.store.read().await?;
    let moved = commands::newest_at_doors(&mut reader, grant.vehicle_id).await?;
    let moved_at = moved.map(|command| command.created_at);
    Ok(terms.judge(&readings, moved_at, service.base.clock.now()))
}

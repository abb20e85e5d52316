//! A guest asks to keep a car for longer, and its owner decides.

use super::amend::{Changes, amend_in};
use super::{find_for, lock};
use crate::domain::access::{Operation, Sought};
use crate::domain::event::Event;
use crate::domain::extension::{ExtensionDecision, ExtensionRequest, ExtensionStatus};
use crate::domain::grant::{Grant, Validity};
use crate::domain::id::{ExtensionRequestId, GrantId};
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error, Expected, PersonalContext, StateFault, Work};
use crate::storage::{Page, Priority, extension_requests};

/// Asks for a grant to be valid for longer, in the place of what was asked before and is undecided.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheGrantee`], [`StateFault::GrantEnded`], [`Error::Invalid`] for a time
/// that is not later, or too late.
pub async fn request_extension(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    not_after: Timestamp,
    reason: Option<&str>,
) -> Result<ExtensionRequest, Error> {
    let operation = Operation::RequestExtension;
    let requested = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let (found, _, acting_as) =
                find_for(base, &mut work.tx, caller, operation, grant_id).await?;
            let grant = lock(&mut work.tx, found).await?;
            work.now = base.clock.now();
            check(&grant, not_after, work.now)?;
            let request = ExtensionRequest {
                extension_request_id: base.entropy.id(work.now)?,
                organization_id: grant.organization_id,
                grant_id,
                not_after,
                reason: reason.map(ToOwned::to_owned),
                requested_at: work.now,
                expires_at: ExtensionRequest::open_until(&grant, work.now),
                decided: None,
            };
            extension_requests::put(&mut work.tx, &request).await?;
            let event = Event::ExtensionRequested {
                extension_request_id: request.extension_request_id,
                grant_id,
                vehicle_id: grant.vehicle_id,
                grantee_id: grant.grantee_id,
                not_after,
            };
            let context = PersonalContext { note: reason, ..PersonalContext::default() };
            work.record_with(&caller.acting_as(acting_as), event, context)?;
            Ok(request)
        })
    });
    requested.await
}

fn check(grant: &Grant, not_after: Timestamp, now: Timestamp) -> Result<(), Error> {
    if !grant.is_alive(now) {
        return Err(Error::State(StateFault::GrantEnded));
    }
    if not_after <= grant.validity.not_after() {
        let why = "must be later than the grant's own";
        return Err(Error::invalid("/not_after", "not_later", why));
    }
    let longer = Validity::new(grant.validity.not_before(), not_after);
    longer.map_err(|why| Error::invalid("/not_after", "invalid_validity", why))?;
    Ok(())
}

/// The requests about a grant, newest first, for those who see the grant.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::ScopeMissing`].
pub async fn list_extensions(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    page: Page,
) -> Result<Vec<ExtensionRequest>, Error> {
    let mut reader = base.store.read().await?;
    find_for(base, &mut reader, caller, Operation::GetGrant, grant_id).await?;
    let organization_id = caller.actor.organization_id;
    Ok(extension_requests::list(&mut reader, organization_id, grant_id, page).await?)
}

/// Decides a request. What is approved changes the grant in the same transaction, as its owner would. Deciding it the same
/// way once more is deciding it once.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheOwner`], [`StateFault::RequestEnded`], and whatever changing the grant
/// fails with, such as [`Error::WindowTaken`].
pub async fn decide_extension(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    id: ExtensionRequestId,
    decision: ExtensionDecision,
) -> Result<ExtensionRequest, Error> {
    let decided = base.transact(Operation::DecideExtension.as_str(), Priority::Ordinary, |work| {
        Box::pin(decide_in(base, work, caller, (grant_id, id), decision))
    });
    decided.await
}

async fn decide_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    (grant_id, id): (GrantId, ExtensionRequestId),
    decision: ExtensionDecision,
) -> Result<ExtensionRequest, Error> {
    let (found, _, acting_as) =
        find_for(base, &mut work.tx, caller, Operation::DecideExtension, grant_id).await?;
    let grant = lock(&mut work.tx, found).await?;
    work.now = base.clock.now();
    let of = (caller.actor.organization_id, grant_id);
    let request = extension_requests::find(&mut work.tx, of, id).await?;
    let request = request.ok_or(Error::NotFound(Sought::of(id)))?;
    if request.decided.is_some_and(|(before, _)| before == decision) {
        return Ok(request);
    }
    let is_open = request.status(work.now) == ExtensionStatus::Open && grant.is_alive(work.now);
    let is_later = request.not_after > grant.validity.not_after();
    if !is_open || (decision == ExtensionDecision::Approved && !is_later) {
        return Err(Error::State(StateFault::RequestEnded));
    }
    if decision == ExtensionDecision::Approved {
        let changes = Changes { not_after: Some(request.not_after), ..Changes::default() };
        amend_in(base, work, caller, grant_id, &Expected::Any, &changes).await?;
    }
    let decided = extension_requests::decide(&mut work.tx, id, decision, work.now).await?;
    let decided = decided.ok_or(Error::State(StateFault::RequestEnded))?;
    let event = Event::ExtensionDecided {
        extension_request_id: id,
        grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        decision,
    };
    work.record(&caller.acting_as(acting_as), event)?;
    Ok(decided)
}

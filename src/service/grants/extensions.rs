//! A guest asks to keep a car for longer, and its owner decides.

use super::amend::{Changes, amend_in};
use super::list::with_ends_of_scopes;
use super::{find_for, lock};
use crate::domain::access::{Operation, Sought};
use crate::domain::event::Event;
use crate::domain::extension::{ExtensionDecision, ExtensionRequest, ExtensionStatus};
use crate::domain::grant::{Grant, Validity};
use crate::domain::id::{ExtensionRequestId, GrantId};
use crate::domain::time::Timestamp;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, Expected, PersonalContext, StateFault, Work};
use crate::storage::{Page, Priority, extension_requests};

const REQUEST: &str = "grants.request_extension";

/// A request, and where it stands.
#[derive(Debug, Clone)]
pub struct KnownExtension {
    /// The request.
    pub request: ExtensionRequest,
    /// Where it stands.
    pub status: ExtensionStatus,
}

impl KnownExtension {
    fn of(request: ExtensionRequest, grant: &Grant, now: Timestamp) -> Self {
        Self { status: request.status(grant.is_alive(now), now), request }
    }
}

/// What a guest asks for.
#[derive(Debug, Clone, Copy)]
pub struct WantedExtension<'a> {
    /// Until when they want to use the grant.
    pub not_after: Timestamp,
    /// Why, in their words.
    pub reason: Option<&'a str>,
}

/// Asks for a grant to be valid for longer, in the place of what was asked before and is undecided.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheGrantee`], [`StateFault::GrantEnded`], [`Error::Invalid`] for a time
/// that is not later, or too late.
pub async fn request_extension(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    grant_id: GrantId,
    wanted: WantedExtension<'_>,
) -> Result<Answer<KnownExtension>, Error> {
    let requested = base.transact(REQUEST, Priority::Ordinary, |work| {
        Box::pin(request_in(base, work, caller, idempotency, (grant_id, wanted)))
    });
    requested.await
}

async fn request_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    idempotency: &Idempotency,
    (grant_id, wanted): (GrantId, WantedExtension<'_>),
) -> Result<Answer<KnownExtension>, Error> {
    let (operation, WantedExtension { not_after, reason }) = (Operation::RequestExtension, wanted);
    let (found, _, acting_as) = find_for(base, &mut work.tx, caller, operation, grant_id).await?;
    let grant = lock(&mut work.tx, found).await?;
    work.now = base.clock.now();
    let of = (grant.organization_id, grant_id);
    // What is kept of an answer is an id, and nothing that a person wrote.
    let kept: Option<Answer<ExtensionRequestId>> =
        idempotency.find_or_take(base, &mut work.tx, caller, REQUEST).await?;
    if let Some(Answer { value: id, replayed }) = kept {
        let request = extension_requests::find(&mut work.tx, of, id).await?;
        let request = request.ok_or(Error::State(StateFault::RequestEnded))?;
        return Ok(Answer { value: KnownExtension::of(request, &grant, work.now), replayed });
    }
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
    let id = request.extension_request_id;
    idempotency.keep(base, &mut work.tx, caller, REQUEST, &id).await?;
    let event = Event::ExtensionRequested {
        extension_request_id: id,
        grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        not_after,
    };
    let context = PersonalContext { note: reason, ..PersonalContext::default() };
    work.record_with(&caller.acting_as(acting_as), event, context)?;
    Ok(Answer::fresh(KnownExtension::of(request, &grant, work.now)))
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
) -> Result<Vec<KnownExtension>, Error> {
    let mut reader = base.store.read().await?;
    let (grant, ..) = find_for(base, &mut reader, caller, Operation::GetGrant, grant_id).await?;
    let grant = with_ends_of_scopes(&mut reader, grant).await?;
    let organization_id = caller.actor.organization_id;
    let found = extension_requests::list(&mut reader, organization_id, grant_id, page).await?;
    let now = base.clock.now();
    Ok(found.into_iter().map(|request| KnownExtension::of(request, &grant, now)).collect())
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
) -> Result<KnownExtension, Error> {
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
) -> Result<KnownExtension, Error> {
    let (found, _, acting_as) =
        find_for(base, &mut work.tx, caller, Operation::DecideExtension, grant_id).await?;
    let grant = lock(&mut work.tx, found).await?;
    work.now = base.clock.now();
    let of = (caller.actor.organization_id, grant_id);
    let request = extension_requests::find(&mut work.tx, of, id).await?;
    let request = request.ok_or(Error::NotFound(Sought::of(id)))?;
    if request.decided.is_some_and(|(before, _)| before == decision) {
        return Ok(KnownExtension::of(request, &grant, work.now));
    }
    let is_open = request.status(grant.is_alive(work.now), work.now) == ExtensionStatus::Open;
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
    Ok(KnownExtension::of(decided, &grant, work.now))
}

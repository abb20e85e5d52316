//! Giving each grant of a scope its end, some at a time.

use std::time::Duration;

use crate::domain::actor::Actor;
use crate::domain::event::Event;
use crate::domain::grant::Grace;
use crate::domain::id::GrantId;
use crate::domain::scope_end::{PendingEnd, ScopeEnd};
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Caller, Error, Work};
use crate::storage::{Priority, grants, key_scopes, scope_ends};

/// An end that has been open for so long has nobody any more who carries it out.
const LEFT_AFTER: Duration = Duration::from_secs(10);
/// So many of them are gone on with at a time.
const LEFT_MAX: i64 = 16;
/// A grant whose validity has been over for so long allows nothing by any clock that is trusted.
const SURELY_OVER: Duration = Grace::MAX.duration().saturating_add(Duration::from_secs(60 * 60));

/// What one transaction did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// How many grants it ended.
    pub(super) ended: usize,
    /// The last one that it found.
    last: GrantId,
    /// Whether there may be more after it.
    pub(super) is_more: bool,
}

/// The time by which the validity of a grant must be over for it to need no end. While the clock is not trusted, none is.
pub(super) fn over_by(base: &Base) -> Timestamp {
    match base.require_trusted_clock() {
        Ok(()) => base.clock.now().minus(SURELY_OVER),
        Err(_) => Timestamp::MIN,
    }
}

/// Ends the next grants after this one, and records each.
pub(super) async fn end_some(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    end: &ScopeEnd,
    after: GrantId,
) -> Result<Step, Error> {
    let of = (end.organization_id, end.scope);
    let PendingEnd { end_id, selection, end_reason, .. } = &end.pending;
    let count = base.settings.grants_per_step;
    let page = (after, i64::try_from(count).unwrap_or(i64::MAX));
    let selected = scope_ends::selected(&mut work.tx, of, selection, over_by(base), page).await?;
    scope_ends::lock_grants(&mut work.tx, &selected).await?;
    let ended = grants::end_each(&mut work.tx, &selected, end.pending.end()).await?;
    let events = ended.iter().map(|grant| Event::GrantEnded {
        grant_id: grant.grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        grant_revision: grant.revision,
        end_reason: *end_reason,
        end_id: Some(*end_id),
    });
    work.record_all(caller, events)?;
    Ok(Step {
        ended: ended.len(),
        last: selected.last().copied().unwrap_or(after),
        is_more: selected.len() == count,
    })
}

/// Notes that no grant is left, in a transaction that has locked the row of the scope, and takes the end from it.
pub(super) async fn complete(
    work: &mut Work<'_>,
    caller: &Caller,
    end: &mut ScopeEnd,
    ended: usize,
) -> Result<(), Error> {
    let end_id = end.pending.end_id;
    end.grants = scope_ends::count(&mut work.tx, end_id, ended).await?;
    if scope_ends::complete(&mut work.tx, end_id, work.now).await? {
        end.completed_at = Some(work.now);
        keep_open(work, end).await?;
        work.record(caller, Event::EndCompleted { end_id, scope: end.scope, grants: end.grants })?;
    }
    Ok(())
}

/// Writes the ends that are open beside what they are over.
pub(super) async fn keep_open(work: &mut Work<'_>, end: &ScopeEnd) -> Result<(), Error> {
    let open = scope_ends::open_over(&mut work.tx, end.scope).await?;
    let open: Vec<PendingEnd> = open.into_iter().map(|end| end.pending).collect();
    Ok(key_scopes::keep_ends(&mut work.tx, end.scope, &open).await?)
}

/// Gives all grants of a scope the end that was begun over it, and returns the end as it is then. Others who do the same are
/// in nobody's way, and an end that is complete stays as it is.
///
/// # Errors
/// [`Error::Storage`]; then what is left is gone on with later.
pub(in crate::service) async fn carry_out(
    base: &Base,
    caller: &Caller,
    end: ScopeEnd,
) -> Result<ScopeEnd, Error> {
    if end.completed_at.is_some() {
        return Ok(end);
    }
    let (mut after, end) = (GrantId::from_uuid(uuid::Uuid::nil()), &end);
    loop {
        let stepped = base.transact("ends.carry_out", Priority::Ordinary, |work| {
            Box::pin(step(base, work, caller, end, after))
        });
        let step = stepped.await?;
        failpoint::reached(Failpoint::EndSteppedOn);
        if !step.is_more {
            break;
        }
        after = step.last;
    }
    let completed = base.transact("ends.complete", Priority::Ordinary, |work| {
        Box::pin(async move {
            key_scopes::lock(&mut work.tx, end.organization_id, end.scope).await?;
            work.now = base.clock.now();
            let mut end = end.clone();
            complete(work, caller, &mut end, 0).await?;
            Ok(end)
        })
    });
    completed.await
}

/// The same, for an act of which the end is a part: the line is drawn, and what is left is gone on with later. Returns how many
/// grants have the end.
pub(in crate::service) async fn carry_out_or_leave(
    base: &Base,
    caller: &Caller,
    end: ScopeEnd,
) -> i64 {
    let so_far = end.grants;
    match carry_out(base, caller, end).await {
        Ok(end) => end.grants,
        Err(error) => {
            tracing::warn!(error = ?error, "an end by scope is not complete yet");
            so_far
        }
    }
}

/// Ends the next grants, and locks nothing but them.
async fn step(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    end: &ScopeEnd,
    after: GrantId,
) -> Result<Step, Error> {
    let next = end_some(base, work, caller, end, after).await?;
    scope_ends::count(&mut work.tx, end.pending.end_id, next.ended).await?;
    Ok(next)
}

/// Goes on with ends that nobody carries out any more: their process has ended, or lost its database. Returns how many there
/// were. One that fails is tried again the next time, and keeps no other from going on.
///
/// # Errors
/// [`Error::Storage`].
pub async fn go_on(base: &Base) -> Result<u64, Error> {
    let since = base.clock.now().minus(LEFT_AFTER);
    let left = scope_ends::open_since(&mut base.store.read().await?, since, LEFT_MAX).await?;
    let mut count = 0;
    for end in left {
        let caller = Caller { actor: Actor::system(end.organization_id), request_id: None };
        carry_out_or_leave(base, &caller, end).await;
        count += 1;
    }
    Ok(count)
}

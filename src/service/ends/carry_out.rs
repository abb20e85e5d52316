//! Giving each grant of a scope its end, some at a time.

use std::time::Duration;

use super::BATCH;
use crate::domain::actor::Actor;
use crate::domain::event::Event;
use crate::domain::id::GrantId;
use crate::domain::scope_end::{PendingEnd, ScopeEnd};
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Caller, Error, Work};
use crate::storage::decisions::{self, RowsToLock};
use crate::storage::{Priority, grants, key_scopes, scope_ends};

/// An end that has been open for so long has nobody any more who carries it out.
const LEFT_AFTER: Duration = Duration::from_secs(10);
/// So many of them are gone on with at a time.
const LEFT_MAX: i64 = 16;

/// What one transaction did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// How many grants it found.
    pub(super) found: usize,
    /// How many of them it ended.
    pub(super) ended: usize,
    /// The last one that it found.
    last: GrantId,
}

/// Ends the next grants after this one, and records each.
pub(super) async fn end_some(
    work: &mut Work<'_>,
    caller: &Caller,
    end: &ScopeEnd,
    after: GrantId,
) -> Result<Step, Error> {
    let of = (end.organization_id, end.scope);
    let PendingEnd { end_id, selection, end_reason, .. } = &end.pending;
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let selected =
        scope_ends::selected(&mut work.tx, of, selection, end.pending.ended_at, (after, limit))
            .await?;
    let last = selected.last().map_or(after, |grant| grant.grant_id);
    // In one order with everybody who decides on several of them, so that there is no deadlock.
    let grant_ids = selected.iter().map(|grant| grant.grant_id).collect();
    decisions::lock_rows(&mut work.tx, RowsToLock { grant_ids, ..RowsToLock::default() }).await?;
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
    Ok(Step { found: selected.len(), ended: ended.len(), last })
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
        let open = scope_ends::open_over(&mut work.tx, end.scope).await?;
        let open: Vec<PendingEnd> = open.into_iter().map(|end| end.pending).collect();
        key_scopes::keep_ends(&mut work.tx, end.scope, &open).await?;
        let event = Event::EndCompleted { end_id, grants: end.grants };
        work.record(caller, event)?;
    }
    Ok(())
}

/// Gives all grants of a scope the end that was begun over it, and returns how many have it. Others who do the same are in
/// nobody's way.
///
/// # Errors
/// [`Error::Storage`]; then what is left is gone on with later.
pub(in crate::service) async fn carry_out(
    base: &Base,
    caller: &Caller,
    end: &ScopeEnd,
) -> Result<i64, Error> {
    let mut after = GrantId::from_uuid(uuid::Uuid::nil());
    let mut grants = end.grants;
    let mut is_complete = end.completed_at.is_some();
    while !is_complete {
        let found = base.transact("ends.carry_out", Priority::Ordinary, |work| {
            Box::pin(step(work, caller, end, after))
        });
        let step = found.await?;
        failpoint::reached(Failpoint::EndSteppedOn);
        after = step.last;
        if step.found < BATCH {
            let completed = base.transact("ends.complete", Priority::Ordinary, |work| {
                Box::pin(look_once_more(base, work, caller, end))
            });
            (grants, is_complete) = completed.await?;
        }
    }
    Ok(grants)
}

/// The same, for an act of which the end is a part: the line is drawn, and what is left is gone on with later.
pub(in crate::service) async fn carry_out_or_leave(
    base: &Base,
    caller: &Caller,
    end: &ScopeEnd,
) -> i64 {
    carry_out(base, caller, end).await.unwrap_or_else(|error| {
        tracing::warn!(error = ?error, "an end by scope is not complete yet");
        end.grants
    })
}

/// Ends the next grants, and locks nothing but them.
async fn step(
    work: &mut Work<'_>,
    caller: &Caller,
    end: &ScopeEnd,
    after: GrantId,
) -> Result<Step, Error> {
    let next = end_some(work, caller, end, after).await?;
    scope_ends::count(&mut work.tx, end.pending.end_id, next.ended).await?;
    Ok(next)
}

/// Looks for what was issued meanwhile and is older than the end, by another clock or an earlier transaction, while nobody
/// decides on the scope. Says how many grants have the end, and whether that was all.
async fn look_once_more(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    end: &ScopeEnd,
) -> Result<(i64, bool), Error> {
    key_scopes::raise(&mut work.tx, end.organization_id, end.scope).await?;
    work.now = base.clock.now();
    let late = end_some(work, caller, end, GrantId::from_uuid(uuid::Uuid::nil())).await?;
    if late.found == BATCH {
        let grants = scope_ends::count(&mut work.tx, end.pending.end_id, late.ended).await?;
        return Ok((grants, false));
    }
    let mut end = end.clone();
    complete(work, caller, &mut end, late.ended).await?;
    Ok((end.grants, true))
}

/// Goes on with ends that nobody carries out any more: their process has ended, or lost its database. Returns how many
/// grants have them.
///
/// # Errors
/// [`Error::Storage`].
pub async fn go_on(base: &Base) -> Result<u64, Error> {
    let since = base.clock.now().minus(LEFT_AFTER);
    let left = scope_ends::open_since(&mut base.store.read().await?, since, LEFT_MAX).await?;
    let mut grants = 0;
    for end in left {
        let caller = Caller { actor: Actor::system(end.organization_id), request_id: None };
        grants += u64::try_from(carry_out(base, &caller, &end).await?).unwrap_or(0);
    }
    Ok(grants)
}

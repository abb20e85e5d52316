//! The line of an end by scope, in the transaction of whoever ends.

use std::time::Duration;

use super::carry_out::{complete, end_some, keep_open};
use crate::domain::access::Sought;
use crate::domain::event::{Event, Subjects};
use crate::domain::grant::EndReason;
use crate::domain::id::{GrantId, OrganizationId};
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::{PendingEnd, ScopeEnd, Selection};
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error, PersonalContext, Work};
use crate::storage::{key_scopes, scope_ends};

/// The shortest time that there is.
const MOMENT: Duration = Duration::from_micros(1);

/// What an end by scope is made from.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct NewEnd<'a> {
    /// What it is over.
    pub(in crate::service) scope: KeyScope,
    /// What the record says it is about.
    pub(in crate::service) about: Subjects,
    /// Only grants that were issued before this time; all that there are if not given.
    pub(in crate::service) issued_before: Option<Timestamp>,
    /// Only grants that carry this reference.
    pub(in crate::service) external_ref: Option<&'a str>,
    /// The kind of act.
    pub(in crate::service) end_reason: EndReason,
    /// Why, in the caller's words.
    pub(in crate::service) reason: Option<&'a str>,
}

/// Ends all grants of a scope in the caller's transaction. If the end is not complete then, it must be carried out
/// ([`super::carry_out`]) once the transaction is committed. `caller` is who the record names.
pub(in crate::service) async fn draw_line(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    new: NewEnd<'_>,
) -> Result<ScopeEnd, Error> {
    let organization_id = caller.actor.organization_id;
    if !key_scopes::lock(&mut work.tx, organization_id, new.scope).await? {
        return Err(Error::NotFound(Sought::the(new.scope.kind().as_str())));
    }
    // Once it is locked: the end is later than all that was decided on before it.
    work.now = base.clock.now();
    let selection = Selection {
        issued_before: match (new.issued_before, after_all(work, organization_id, new.scope).await?)
        {
            (Some(issued_before), after_all) => issued_before.min(after_all),
            (None, after_all) => after_all,
        },
        external_ref: new.external_ref.map(ToOwned::to_owned),
    };
    let (end_id, end_reason) = (base.entropy.id(work.now)?, new.end_reason);
    let pending = PendingEnd { end_id, selection, ended_at: work.now, end_reason };
    let mut end = ScopeEnd {
        pending,
        organization_id,
        scope: new.scope,
        reason: new.reason.map(ToOwned::to_owned),
        ended_by: caller.actor.principal_id(),
        grants: 0,
        completed_at: None,
    };
    let event =
        Event::EndBegun { end_id, scope: new.scope, about: new.about, end_reason: new.end_reason };
    let context = PersonalContext { note: new.reason, ..PersonalContext::default() };
    work.record_with(caller, event, context)?;
    scope_ends::insert(&mut work.tx, &end).await?;
    let nil = GrantId::from_uuid(uuid::Uuid::nil());
    let first = end_some(base, work, caller, &end, nil).await?;
    if first.is_more {
        end.grants = scope_ends::count(&mut work.tx, end_id, first.ended).await?;
        keep_open(work, &end).await?;
    } else {
        complete(work, caller, &mut end, first.ended).await?;
    }
    Ok(end)
}

/// A time before which every grant of the scope was issued that is there now, whichever clock it was issued by. Who issues one
/// later gives it this time or a later one.
async fn after_all(
    work: &mut Work<'_>,
    organization_id: OrganizationId,
    scope: KeyScope,
) -> Result<Timestamp, Error> {
    let newest = scope_ends::newest(&mut work.tx, organization_id, scope).await?;
    Ok(newest.map_or(work.now, |newest| newest.plus(MOMENT)))
}

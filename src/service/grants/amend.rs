//! Changing a grant. A narrowing is a line, as an end is (P2): after it commits, nothing is authorized by what the grant
//! allowed before. A widening is for the owner (P8).

use super::{calendar, find_permitted, lock_facts, lock_missing, missing_permissions};
use crate::domain::access::{ActingAs, Object, Operation, Sought};
use crate::domain::amendment::{Effect, Terms};
use crate::domain::entitlement::Entitlements;
use crate::domain::event::Event;
use crate::domain::grant::{Description, Grace, Grant, Validity};
use crate::domain::id::{CommandId, GrantId};
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::failpoint::{self, Failpoint};
use crate::service::grants::AnswerWhen;
use crate::service::transaction::Work;
use crate::service::{Base, Caller, Error, Expected, StateFault, Violation, commands, vehicles};
use crate::storage::{Priority, commands as stored_commands, grants};

/// What is to become of a grant; what is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What the grantee may do; not empty.
    pub entitlements: Option<Entitlements>,
    /// The first moment in which it can be used.
    pub not_before: Option<Timestamp>,
    /// The first moment in which it can no longer be used.
    pub not_after: Option<Timestamp>,
    /// How long the car can still be locked after it.
    pub grace: Option<Grace>,
    /// How many times it may open the car; the inner `None` is no limit.
    pub uses_max: Option<Option<i64>>,
    /// Whether it can be used only with a token that is bound to a device.
    pub require_device_key: Option<bool>,
    /// A short text of the issuer's; the inner `None` takes it away.
    pub label: Option<Option<String>>,
    /// The issuer's own data as JSON text; the inner `None` takes it away.
    pub metadata: Option<Option<String>>,
    /// The issuer's own name for what it belongs to; the inner `None` takes it away.
    pub external_ref: Option<Option<String>>,
    /// What the person at the car should know; the inner `None` takes it away.
    pub instructions: Option<Option<String>>,
    /// What they should do when it does not open; the inner `None` takes it away.
    pub fallback_text: Option<Option<String>>,
    /// How the car is to be given back, as JSON text; the inner `None` asks for nothing.
    pub return_terms: Option<Option<String>>,
    /// Whether the car is read at both ends.
    pub statement: Option<bool>,
}

/// A grant that was changed.
#[derive(Debug)]
pub struct AmendedGrant {
    /// The grant as it is now.
    pub grant: Grant,
    /// What the change did to what it allows.
    pub effect: Effect,
    /// Its commands that were authorized before the change and may still be on their way.
    pub in_flight: Vec<CommandId>,
}

impl Changes {
    /// Whether what only describes the grant is to change.
    const fn describe(&self) -> bool {
        self.label.is_some()
            || self.metadata.is_some()
            || self.external_ref.is_some()
            || self.instructions.is_some()
            || self.fallback_text.is_some()
            || self.return_terms.is_some()
            || self.statement.is_some()
    }

    /// The grant as it is to be.
    fn applied_to(&self, grant: &Grant) -> Result<Grant, Error> {
        let not_before = self.not_before.unwrap_or_else(|| grant.validity.not_before());
        let not_after = self.not_after.unwrap_or_else(|| grant.validity.not_after());
        let validity = Validity::new(not_before, not_after)
            .map_err(|why| Error::invalid("/not_after", "invalid_validity", why))?;
        let grace = self.grace.unwrap_or(grant.grace);
        let mut changed = Grant { validity, grace, ..grant.clone() };
        let asked = self.clone();
        changed.entitlements = asked.entitlements.unwrap_or(changed.entitlements);
        changed.uses_max = asked.uses_max.unwrap_or(changed.uses_max);
        changed.require_device_key = asked.require_device_key.unwrap_or(changed.require_device_key);
        let before = changed.description;
        changed.description = Description {
            label: asked.label.unwrap_or(before.label),
            metadata: asked.metadata.unwrap_or(before.metadata),
            external_ref: asked.external_ref.unwrap_or(before.external_ref),
            instructions: asked.instructions.unwrap_or(before.instructions),
            fallback_text: asked.fallback_text.unwrap_or(before.fallback_text),
            return_terms: asked.return_terms.unwrap_or(before.return_terms),
            statement: asked.statement.unwrap_or(before.statement),
        };
        Ok(changed)
    }
}

/// Changes a grant, if it is still the version that the caller knows.
///
/// # Errors
/// [`Error::NotFound`], a [`crate::service::Denial`], [`Error::VersionChanged`], [`Error::Invalid`],
/// [`StateFault::GrantEnded`], [`Error::WindowTaken`]; [`StateFault::AccountRecovered`] if it widens and the owner's own account waits.
pub async fn amend(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    expected: &Expected,
    changes: &Changes,
    wait: AnswerWhen,
) -> Result<AmendedGrant, Error> {
    let mut amended = base
        .transact(Operation::AmendGrant.as_str(), Priority::Urgent, |work| {
            Box::pin(amend_in(base, work, caller, grant_id, expected, changes))
        })
        .await?;
    failpoint::reached(Failpoint::GrantAmendCommitted);
    if wait == AnswerWhen::Drained && !amended.in_flight.is_empty() {
        amended.in_flight =
            commands::drain(base, KeyScope::Grant(grant_id), &amended.in_flight).await?;
    }
    Ok(amended)
}

/// The same in the caller's transaction.
pub(super) async fn amend_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    grant_id: GrantId,
    expected: &Expected,
    changes: &Changes,
) -> Result<AmendedGrant, Error> {
    let (found, vehicle, acting_as) =
        find_permitted(base, &mut work.tx, caller, Operation::NarrowGrant, grant_id).await?;
    let (mut claimed, car) = lock_facts(&mut work.tx, &found).await?;
    let before = claimed.with_ends_of_scopes(&car).into_owned();
    // Once it is locked: the change is later than all that was decided on before it.
    work.now = base.clock.now();
    expected.require(before.version)?;
    if !before.is_alive(work.now) {
        return Err(Error::State(StateFault::GrantEnded));
    }
    let mut after = changes.applied_to(&before)?;
    // What takes a reference that is being ended would end with the others, or not, as it happens.
    claimed.grant = after.clone();
    if claimed.with_ends_of_scopes(&car).end.is_some() {
        return Err(Error::State(StateFault::GrantEnded));
    }
    let (said, terms) = (Terms::of(&before), Terms::of(&after));
    // The past is not compared. While the clock is not trusted, nothing counts as past.
    let since = if base.require_trusted_clock().is_ok() { work.now } else { Timestamp::MIN };
    let effect = said.effect_of(&terms, before.uses, since);
    let acting_as = if effect.widens() || changes.describe() {
        owner_only(base, work, caller, &before, &vehicle).await?
    } else {
        base.pace.admit(&caller.acting_as(acting_as), Operation::NarrowGrant)?;
        acting_as
    };
    check(&before, &after, &vehicle, work.now)?;
    if effect.widens() {
        calendar::require_free(work, &after).await?;
    }
    after.revision += i64::from(said != terms);
    let amended = grants::amend(&mut work.tx, &after).await?;
    let grant = amended.ok_or(Error::State(StateFault::GrantEnded))?;
    let in_flight = if effect.narrows() {
        stored_commands::in_flight(&mut work.tx, KeyScope::Grant(grant_id)).await?
    } else {
        Vec::new()
    };
    let event = Event::GrantAmended {
        grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        grant_revision: grant.revision,
        effect,
        terms,
        in_flight: in_flight.len(),
    };
    work.record(&caller.acting_as(acting_as), event)?;
    failpoint::reached(Failpoint::GrantAmended);
    Ok(AmendedGrant { grant, effect, in_flight })
}

/// What only the owner may do, and only while their own account does not wait for others.
async fn owner_only(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    grant: &Grant,
    vehicle: &Vehicle,
) -> Result<ActingAs, Error> {
    let (object, sought) = (Object::grant(grant, vehicle), Sought::of(grant.grant_id));
    let acting_as = base.authorize(caller, Operation::AmendGrant, &object, sought)?;
    vehicles::require_unrecovered_owner(&mut work.tx, vehicle.vehicle_id).await?;
    Ok(acting_as)
}

fn check(before: &Grant, after: &Grant, vehicle: &Vehicle, now: Timestamp) -> Result<(), Error> {
    let mut violations = Vec::new();
    if after.validity.not_after() <= now {
        let detail = "must be later than now; to end the grant, revoke it";
        violations.push(Violation::of("/not_after", "in_the_past", detail));
    }
    if after.uses_max.is_some_and(|most| most < before.uses) {
        let detail = format!("must be at least {}: so often it was used", before.uses);
        violations.push(Violation::of("/max_uses", "below_uses", detail));
    }
    if after.entitlements.opens_without_closing() {
        violations.push(lock_missing());
    }
    let added = after.entitlements.iter().filter(|&it| !before.entitlements.contains(it));
    violations.extend(missing_permissions(&added.collect(), &vehicle.permissions));
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

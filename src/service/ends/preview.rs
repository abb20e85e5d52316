//! What an end by scope would end, without any effect.

use std::collections::HashMap;

use super::carry_out::over_by;
use super::{EndingOfScope, permit};
use crate::domain::grant::{Grant, GrantStatus};
use crate::domain::id::{CommandId, GrantId, UserId, VehicleId};
use crate::domain::scope_end::Selection;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error};
use crate::storage::{Executor, commands, decisions, scope_ends};

/// So many grants are looked at in one statement.
const PAGE: usize = 256;
/// So many grants that are in use are named.
const MID_TRIP_MAX: usize = 100;

/// A grant with which somebody has the car at present, as far as is known: its guest was the last who was authorized to
/// unlock it.
#[derive(Debug, Clone, Copy)]
pub struct MidTrip {
    /// The grant.
    pub grant_id: GrantId,
    /// The guest.
    pub grantee_id: UserId,
    /// The car.
    pub vehicle_id: VehicleId,
}

/// What would end.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// How many grants.
    pub grants: i64,
    /// Those that are in use, at most 100.
    pub mid_trip: Vec<MidTrip>,
    /// Commands within the scope that may be on their way.
    pub in_flight: Vec<CommandId>,
}

/// Says what ending all grants of a scope would end now.
///
/// # Errors
/// As [`super::end`].
pub async fn preview(
    base: &Base,
    caller: &Caller,
    ending: &EndingOfScope,
) -> Result<Preview, Error> {
    let mut reader = base.store.read().await?;
    permit(base, &mut reader, caller, ending.scope).await?;
    let (now, of) = (base.clock.now(), (caller.actor.organization_id, ending.scope));
    let selection = Selection {
        issued_before: ending.issued_before.unwrap_or(Timestamp::MAX),
        external_ref: ending.external_ref.clone(),
    };
    let mut preview = Preview {
        in_flight: commands::in_flight(&mut reader, ending.scope).await?,
        ..Preview::default()
    };
    let mut after = GrantId::from_uuid(uuid::Uuid::nil());
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    loop {
        let page = (after, limit);
        let some = scope_ends::selected(&mut reader, of, &selection, over_by(base), page).await?;
        preview.grants += i64::try_from(some.len()).unwrap_or(i64::MAX);
        let room = MID_TRIP_MAX.saturating_sub(preview.mid_trip.len());
        preview.mid_trip.extend(in_use(&mut reader, &some, now).await?.into_iter().take(room));
        match some.last() {
            Some(last) if some.len() == PAGE => after = *last,
            _ => return Ok(preview),
        }
    }
}

async fn in_use(
    on: &mut impl Executor,
    grant_ids: &[GrantId],
    now: Timestamp,
) -> Result<Vec<MidTrip>, Error> {
    let facts = decisions::grants(on, grant_ids).await?;
    let active = || {
        facts
            .iter()
            .map(|facts| &facts.grant)
            .filter(|grant| grant.status(now) == GrantStatus::Active)
    };
    let mut vehicle_ids: Vec<VehicleId> = active().map(|grant| grant.vehicle_id).collect();
    vehicle_ids.sort_unstable();
    vehicle_ids.dedup();
    let cars = decisions::vehicles(on, &vehicle_ids).await?.into_iter();
    let has_it: HashMap<VehicleId, Option<UserId>> =
        cars.map(|car| (car.facts.vehicle_id, car.facts.last_unlocked_by)).collect();
    let is_in_use = |grant: &&Grant| has_it.get(&grant.vehicle_id) == Some(&Some(grant.grantee_id));
    let in_use = active().filter(is_in_use).map(|grant| MidTrip {
        grant_id: grant.grant_id,
        grantee_id: grant.grantee_id,
        vehicle_id: grant.vehicle_id,
    });
    Ok(in_use.collect())
}

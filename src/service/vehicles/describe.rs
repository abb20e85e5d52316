//! What people call a car, how they find it in the street, and whether one person at a time may hold it. What a grant allows
//! does not rest on it.

use super::{find_for, shown_to};
use crate::domain::access::{Operation, Sought};
use crate::domain::calendar::{Buffer, Sharing};
use crate::domain::event::Event;
use crate::domain::id::VehicleId;
use crate::domain::vehicle::{IdentificationNumber, Vehicle};
use crate::service::{Base, Caller, Error, Expected, StateFault, Work, grants};
use crate::storage::decisions::{self, RowsToLock};
use crate::storage::{Priority, StorageError, vehicles};

/// What is to become of a car's description; what is not named stays, and the inner `None` takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VehicleChanges {
    /// What people call it.
    pub label: Option<Option<String>>,
    /// The text of its number plate.
    pub plate: Option<Option<String>>,
    /// Its colour.
    pub colour: Option<Option<String>>,
    /// Its identification number.
    pub vin: Option<Option<IdentificationNumber>>,
    /// Data of the owner's or the organization's as JSON text.
    pub metadata: Option<Option<String>>,
    /// The organization's own name for it.
    pub external_ref: Option<Option<String>>,
    /// Whether several people may hold it at the same time.
    pub sharing: Option<Sharing>,
    /// How much time must be between two holders.
    pub buffer: Option<Buffer>,
}

impl VehicleChanges {
    /// Whether something else than the organization's own name is to change.
    fn describe(&self) -> bool {
        *self != Self { external_ref: self.external_ref.clone(), ..Self::default() }
    }

    fn apply_to(&self, vehicle: &mut Vehicle) {
        let Self { label, plate, colour, vin, metadata, external_ref, sharing, buffer } =
            self.clone();
        replace(&mut vehicle.label, label);
        replace(&mut vehicle.plate, plate);
        replace(&mut vehicle.colour, colour);
        replace(&mut vehicle.vin, vin);
        replace(&mut vehicle.metadata, metadata);
        replace(&mut vehicle.external_ref, external_ref);
        replace(&mut vehicle.sharing, sharing);
        replace(&mut vehicle.buffer, buffer);
    }
}

fn replace<T>(what: &mut T, by: Option<T>) {
    if let Some(by) = by {
        *what = by;
    }
}

/// The names of what differs.
fn changed(before: &Vehicle, after: &Vehicle) -> Vec<&'static str> {
    let members = [
        ("label", before.label != after.label),
        ("plate", before.plate != after.plate),
        ("colour", before.colour != after.colour),
        ("vin", before.vin != after.vin),
        ("metadata", before.metadata != after.metadata),
        ("external_ref", before.external_ref != after.external_ref),
        ("sharing", before.sharing != after.sharing),
        ("buffer_minutes", before.buffer != after.buffer),
    ];
    members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Changes what describes a car, if it is still the version that the caller knows: for its owner and for the organization,
/// which alone gives it its own name. What is as it was already is no change.
///
/// # Errors
/// [`Error::NotFound`], a [`crate::service::Denial`], [`Error::VersionChanged`], [`StateFault::ExternalRefTaken`],
/// [`StateFault::GrantsOverlap`].
pub async fn describe(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    expected: &Expected,
    changes: &VehicleChanges,
) -> Result<Vehicle, Error> {
    let described =
        base.transact(Operation::DescribeVehicle.as_str(), Priority::Ordinary, |work| {
            Box::pin(describe_in(base, work, caller, vehicle_id, expected, changes))
        });
    described.await
}

async fn describe_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    vehicle_id: VehicleId,
    expected: &Expected,
    changes: &VehicleChanges,
) -> Result<Vehicle, Error> {
    let tx = &mut work.tx;
    let named = changes.external_ref.is_some();
    let needed = [
        (Operation::DescribeVehicle, !named || changes.describe()),
        (Operation::NameVehicle, named),
    ];
    let mut acting_as = None;
    for (operation, _) in needed.into_iter().filter(|(_, is_needed)| *is_needed) {
        acting_as = Some(find_for(base, tx, caller, operation, vehicle_id).await?.1);
    }
    let asked = RowsToLock { vehicle_ids: vec![vehicle_id], ..RowsToLock::default() };
    decisions::lock_rows(tx, asked).await?;
    let organization_id = caller.actor.organization_id;
    let found = vehicles::find(tx, organization_id, vehicle_id).await?;
    let (before, acting_as) =
        found.zip(acting_as).ok_or(Error::NotFound(Sought::of(vehicle_id)))?;
    expected.require(before.version)?;
    let mut after = before.clone();
    changes.apply_to(&mut after);
    let changed = changed(&before, &after);
    if changed.is_empty() {
        return Ok(shown_to(acting_as, before));
    }
    if before.sharing != after.sharing || before.buffer < after.buffer {
        grants::require_exclusive(base, tx, &after).await?;
    }
    let after = match vehicles::describe(tx, &after).await {
        Err(StorageError::Duplicate(_)) => return Err(Error::State(StateFault::ExternalRefTaken)),
        described => described?,
    };
    let user_id = after.owner_id;
    work.record(
        &caller.acting_as(acting_as),
        Event::VehicleDescribed { vehicle_id, user_id, changed },
    )?;
    Ok(shown_to(acting_as, after))
}

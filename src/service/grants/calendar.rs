//! One car, one holder: what is asked before a grant may open an exclusive car. Whoever asks has locked the car's row, and so
//! nobody else lends it before they are done.

use crate::domain::access::Sought;
use crate::domain::calendar::{Calendar, Sharing};
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::{Base, Error, StateFault, Work};
use crate::storage::{Tx, lent_windows, vehicles};

/// So many grants of one car are looked at; an exclusive car is not lent more often from some time on.
const LENT_MAX: usize = 4096;
/// So many free times are told.
const TOLD_MAX: usize = 5;

/// Refuses a grant that would open an exclusive car in a time in which another one does, and tells when the car is free.
///
/// # Errors
/// [`Error::WindowTaken`].
pub(super) async fn require_free(work: &mut Work<'_>, grant: &Grant) -> Result<(), Error> {
    if !grant.entitlements.contains(Entitlement::Unlock) {
        return Ok(());
    }
    // The row as it is since it was locked.
    let found = vehicles::find(&mut work.tx, grant.organization_id, grant.vehicle_id).await?;
    let vehicle = found.ok_or(Error::NotFound(Sought::of(grant.vehicle_id)))?;
    if vehicle.sharing == Sharing::Shared {
        return Ok(());
    }
    let (wanted, buffer) = (grant.validity, vehicle.buffer.duration());
    let near = (wanted.not_before().minus(buffer), wanted.not_after().plus(buffer));
    let others = Others { of: &vehicle, except: Some(grant.grant_id) };
    if others.calendar(&mut work.tx, near).await?.is_free(wanted) {
        return Ok(());
    }
    let since = wanted.not_before().max(work.now);
    let from_then = (since.minus(buffer), Timestamp::MAX);
    let calendar = others.calendar(&mut work.tx, from_then).await?;
    let takes = wanted.not_after().since(wanted.not_before());
    Err(Error::WindowTaken(calendar.free_windows(takes, since, TOLD_MAX)))
}

/// Refuses to let one person at a time hold a car that is lent to several, or with less between them.
///
/// # Errors
/// [`StateFault::GrantsOverlap`].
pub(in crate::service) async fn require_exclusive(
    base: &Base,
    tx: &mut Tx,
    vehicle: &Vehicle,
) -> Result<(), Error> {
    if vehicle.sharing == Sharing::Shared {
        return Ok(());
    }
    // While the clock is not trusted, nothing counts as past.
    let from = match base.require_trusted_clock() {
        Ok(()) => base.clock.now().minus(vehicle.buffer.duration()),
        Err(_) => Timestamp::MIN,
    };
    let others = Others { of: vehicle, except: None };
    if others.calendar(tx, (from, Timestamp::MAX)).await?.overlaps() {
        return Err(Error::State(StateFault::GrantsOverlap));
    }
    Ok(())
}

/// The grants that may open a car, but for one.
struct Others<'a> {
    of: &'a Vehicle,
    except: Option<GrantId>,
}

impl Others<'_> {
    /// When the car is lent by those that are over after the first time and begin before the second.
    async fn calendar(&self, tx: &mut Tx, span: (Timestamp, Timestamp)) -> Result<Calendar, Error> {
        let limit = i64::try_from(LENT_MAX).unwrap_or(i64::MAX);
        let lent = lent_windows::of_vehicle(tx, self.of.vehicle_id, span, limit).await?;
        // There may be more, and so it is not known that nothing overlaps.
        if lent.len() == LENT_MAX {
            return Err(Error::State(StateFault::GrantsOverlap));
        }
        let lent = lent.into_iter().filter(|lent| Some(lent.grant_id) != self.except);
        Ok(Calendar::new(self.of.buffer, lent.map(|lent| lent.validity).collect()))
    }
}

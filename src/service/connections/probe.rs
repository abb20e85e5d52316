//! Seeing whether a suspended car works again. Owners mend their account at the maker without
//! telling anybody, and clouds have been seen to complain about accounts that work.

use std::time::Duration;

use super::faults::{self, FIRST_PROBE};
use crate::domain::fault::Fault;
use crate::domain::reading::Observable;
use crate::service::budget::{Purpose, Spender};
use crate::service::{Error, Service};
use crate::storage::Priority;
use crate::storage::decisions::{self, VehicleRow};
use crate::storage::vehicle_connections::{self, ToProbe};

/// At most so many cars in one run.
const BATCH_MAX: i64 = 16;
/// Nobody else tries a taken car for so long.
const LEASE: Duration = Duration::from_secs(120);
/// The longest wait between two tries.
const WAIT_MAX: Duration = Duration::from_secs(6 * 60 * 60);
/// What is tried, the first that the owner permits. Where the car is, is nobody's business here.
const TRIED: &[Observable] = &[
    Observable::LockStatus,
    Observable::Odometer,
    Observable::Battery,
    Observable::Fuel,
    Observable::Attributes,
];

/// Tries suspended cars whose time has come; returns how many. Any instance may do it, also
/// several at once.
///
/// # Errors
/// [`Error::Storage`].
pub async fn probe(service: &Service) -> Result<usize, Error> {
    let taken = service.base.transact("connections.take_to_probe", Priority::Ordinary, |work| {
        Box::pin(async move {
            let until = work.now.plus(LEASE);
            Ok(vehicle_connections::take_to_probe(&mut work.tx, work.now, until, BATCH_MAX).await?)
        })
    });
    let taken = taken.await?;
    for to_probe in &taken {
        let mut reader = service.base.store.read().await?;
        let found = decisions::vehicles(&mut reader, &[to_probe.vehicle_id]).await?;
        drop(reader);
        if let Some(vehicle) = found.into_iter().next() {
            try_one(service, &vehicle, *to_probe).await?;
        }
    }
    Ok(taken.len())
}

async fn try_one(service: &Service, vehicle: &VehicleRow, to_probe: ToProbe) -> Result<(), Error> {
    let as_of = service.base.clock.now();
    if works(service, vehicle).await {
        return faults::resume(&service.base, vehicle, as_of).await;
    }
    let doublings = u32::try_from(to_probe.probes.clamp(0, 16)).unwrap_or(0);
    let wait = FIRST_PROBE.saturating_mul(1 << doublings).min(WAIT_MAX);
    let put_off = service.base.transact("connections.probe_again", Priority::Ordinary, |work| {
        Box::pin(async move {
            let at = work.now.plus(wait);
            Ok(vehicle_connections::probe_again(&mut work.tx, to_probe.vehicle_id, at).await?)
        })
    });
    put_off.await
}

/// Whether the maker answers for this car. An answer that says something else than that the
/// account is refused counts too: whatever is wrong then is not what it was suspended for.
async fn works(service: &Service, vehicle: &VehicleRow) -> bool {
    let permitted = |observable: &&Observable| {
        vehicle.facts.permissions.contains(observable.entitlement().permission())
    };
    let Some(&observable) = TRIED.iter().find(permitted) else { return false };
    let vehicle_id = vehicle.facts.vehicle_id;
    let now = service.base.clock.monotonic();
    if service.budget.take(vehicle_id, Spender::Service, 1, Purpose::Read, now).is_err() {
        return false;
    }
    let Ok(token) = service.access_tokens.get(service, vehicle.connection_id).await else {
        return false;
    };
    let id = &vehicle.provider_vehicle_id;
    match service.connector.read(&token.access, id, observable).await {
        Ok(_) => true,
        Err(error) => matches!(error.fault, Fault::VehicleState | Fault::NotCapable),
    }
}

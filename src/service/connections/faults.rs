//! What a failed call says about an owner's consent. A consent that is gone and an account that the
//! car's maker refuses suspend every grant that rests on them, within the one call that failed, and
//! the record says why. Nothing is taken from the cloud's word alone that a second question can
//! settle: a permission that is said to be missing is looked up first.

use std::sync::Arc;
use std::time::Duration;

use super::AccessToken;
use super::impairment::impaired_grants;
use crate::connector::ConnectorError;
use crate::domain::actor::Actor;
use crate::domain::connection::Permissions;
use crate::domain::event::Event;
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::time::Timestamp;
use crate::service::budget::Purpose;
use crate::service::{Caller, Error, Service};
use crate::storage::decisions::VehicleRow;
use crate::storage::{Priority, connections, vehicle_consents};

/// The first time to see whether a suspended car works again.
pub(super) const FIRST_PROBE: Duration = Duration::from_secs(5 * 60);

/// Codes of `CONNECTED_SERVICES_ACCOUNT` that are about one car, not about the whole account
/// (protocol page, section 3).
const OF_ONE_CAR: &[&str] = &["SUBSCRIPTION", "VEHICLE_MISSING", "VIRTUAL_KEY_REQUIRED"];

/// Takes note of a failed call about a car. Returns a token to repeat the call with, if only the
/// token was at fault.
pub(crate) async fn notice(
    service: &Service,
    vehicle: &VehicleRow,
    used: &AccessToken,
    error: &ConnectorError,
) -> Option<Arc<AccessToken>> {
    let settled = match error.fault {
        Fault::Authentication => {
            let tokens = &service.access_tokens;
            return tokens.notice(service, vehicle.connection_id, used, error).await;
        }
        Fault::Permission | Fault::ConsentLost => verify(service, vehicle).await,
        Fault::Account => {
            let code = error
                .provider_code
                .as_ref()
                .map_or("CONNECTED_SERVICES_ACCOUNT", ProviderCode::as_str);
            suspend(service, vehicle, code).await
        }
        Fault::Unavailable
        | Fault::TimedOut
        | Fault::Garbled
        | Fault::VehicleState
        | Fault::NotCapable
        | Fault::RateLimited
        | Fault::Upstream
        | Fault::Rejected
        | Fault::Billing => Ok(()),
    };
    if let Err(error) = settled {
        let vehicle_id = vehicle.facts.vehicle_id;
        tracing::error!(%vehicle_id, error = ?error, "what a car's cloud said was not noted");
    }
    None
}

/// Asks what the owner permits, and keeps it.
pub(crate) async fn verify(service: &Service, vehicle: &VehicleRow) -> Result<(), Error> {
    let vehicle_id = vehicle.facts.vehicle_id;
    service.budget.take(vehicle_id, 1, Purpose::Reconcile, service.clock.monotonic())?;
    let used = service.access_tokens.get(service, vehicle.connection_id).await?;
    let asked = service.connector.permissions(&used.access, &vehicle.provider_vehicle_id).await;
    match asked {
        Ok(permissions) => {
            let permissions: Permissions = permissions.into_iter().collect();
            change_permissions(service, vehicle, &permissions, "permission_withdrawn").await
        }
        Err(error) if matches!(error.fault, Fault::Permission | Fault::ConsentLost) => {
            change_permissions(service, vehicle, &Permissions::default(), "consent_withdrawn").await
        }
        Err(error) if error.fault == Fault::Authentication => {
            let tokens = &service.access_tokens;
            drop(tokens.notice(service, vehicle.connection_id, &used, &error).await);
            Ok(())
        }
        Err(error) => Err(Error::Connector(Box::new(error))),
    }
}

/// Replaces what the owner permits for a car. A consent that permits nothing for any car is lost.
async fn change_permissions(
    service: &Service,
    vehicle: &VehicleRow,
    permissions: &Permissions,
    reason: &str,
) -> Result<(), Error> {
    let caller = &system(vehicle);
    let (vehicle_id, user_id) = (vehicle.facts.vehicle_id, vehicle.facts.owner_id);
    let changed = service.transact("connections.note_permissions", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            connections::lock(tx, vehicle.connection_id).await?;
            if !vehicle_consents::set_permissions(tx, vehicle_id, permissions).await? {
                return Ok(());
            }
            let permissions = permissions.clone();
            let mut events =
                vec![Event::VehiclePermissionsChanged { vehicle_id, user_id, permissions }];
            let connection_id = vehicle.connection_id;
            let cars = vehicle_consents::of_connection(tx, connection_id).await?;
            let permits = |car: &VehicleRow| car.facts.permissions.iter().next().is_some();
            if !permits_any(&cars, permits) && connections::end(tx, connection_id, reason).await? {
                let reason = reason.to_owned();
                events.push(Event::ConnectionLost { connection_id, user_id, reason });
            }
            events.extend(impaired_grants(tx, vehicle_id, reason, now).await?);
            work.record_all(caller, events)
        })
    });
    changed.await
}

fn permits_any(cars: &[VehicleRow], permits: impl Fn(&VehicleRow) -> bool) -> bool {
    cars.iter().any(permits)
}

/// Suspends a car, or every car of the account, until somebody acts at the maker.
pub(crate) async fn suspend(
    service: &Service,
    vehicle: &VehicleRow,
    provider_code: &str,
) -> Result<(), Error> {
    let caller = &system(vehicle);
    let of_one_car = OF_ONE_CAR.iter().any(|code| provider_code.ends_with(code));
    let reason = &provider_code.to_ascii_lowercase();
    let suspended = service.transact("connections.suspend", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let mut cars = vec![vehicle.clone()];
            if !of_one_car {
                cars = vehicle_consents::of_connection(tx, vehicle.connection_id).await?;
            }
            let mut events = Vec::new();
            for car in &cars {
                let (vehicle_id, user_id) = (car.facts.vehicle_id, car.facts.owner_id);
                let probe_at = now.plus(FIRST_PROBE);
                if vehicle_consents::suspend(tx, vehicle_id, reason, now, probe_at).await? {
                    let suspended =
                        Event::VehicleSuspended { vehicle_id, user_id, reason: reason.clone() };
                    events.push(suspended);
                    events.extend(impaired_grants(tx, vehicle_id, reason, now).await?);
                }
            }
            work.record_all(caller, events)
        })
    });
    suspended.await
}

/// Ends the suspension of a car that began at `as_of` or earlier.
pub(crate) async fn resume(
    service: &Service,
    vehicle: &VehicleRow,
    as_of: Timestamp,
) -> Result<(), Error> {
    let caller = &system(vehicle);
    let (vehicle_id, user_id) = (vehicle.facts.vehicle_id, vehicle.facts.owner_id);
    let resumed = service.transact("connections.resume", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            if !vehicle_consents::resume(tx, vehicle_id, as_of).await? {
                return Ok(());
            }
            let mut events = vec![Event::VehicleResumed { vehicle_id, user_id }];
            for grant in vehicle_consents::live_grants(tx, vehicle_id, now).await? {
                let (grant_id, grantee_id) = (grant.grant_id, grant.grantee_id);
                events.push(Event::GrantVehicleRestored { grant_id, vehicle_id, grantee_id });
            }
            work.record_all(caller, events)
        })
    });
    resumed.await
}

fn system(vehicle: &VehicleRow) -> Caller {
    Caller { actor: Actor::system(vehicle.organization_id), request_id: None }
}

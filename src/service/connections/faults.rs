//! What a failed call says about an owner's consent. A consent that is gone and an account that the
//! car's maker refuses suspend every grant that rests on them, within the one call that failed, and
//! the record says why. Nothing is taken from the cloud's word alone that a second question can
//! answer: a permission that is said to be missing is looked up first.

use std::sync::Arc;
use std::time::Duration;

use super::CloudToken;
use super::impairment::impaired_grants;
use crate::connector::ConnectorError;
use crate::domain::actor::Actor;
use crate::domain::connection::Permissions;
use crate::domain::event::Event;
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::impairment::{ConnectionReason, Impairment, Suspension, Withdrawal};
use crate::domain::time::Timestamp;
use crate::service::budget::{Purpose, Spender};
use crate::service::{Base, Caller, Error, Service};
use crate::storage::decisions::VehicleRow;
use crate::storage::{Priority, connections, grants, vehicle_connections};

/// The first time to see whether a suspended car works again.
pub(super) const FIRST_PROBE: Duration = Duration::from_secs(5 * 60);

/// Does what a failed call about a car asks for: see above. Returns a token to repeat the call with, if only the
/// token was at fault.
pub(crate) async fn handle(
    service: &Service,
    vehicle: &VehicleRow,
    used: &CloudToken,
    error: &ConnectorError,
) -> Option<Arc<CloudToken>> {
    let handled = match error.fault {
        Fault::Authentication => {
            let tokens = &service.access_tokens;
            return tokens.renew_refused(service, vehicle.connection_id, used, error).await;
        }
        Fault::Permission | Fault::ConsentLost => verify(service, vehicle).await,
        Fault::Account => suspend(&service.base, vehicle, error.provider_code.as_ref()).await,
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
    if let Err(error) = handled {
        let vehicle_id = vehicle.facts.vehicle_id;
        tracing::error!(%vehicle_id, error = ?error, "what the cloud said of a car had no effect");
    }
    None
}

/// Asks what the owner permits, and keeps it.
pub(crate) async fn verify(service: &Service, vehicle: &VehicleRow) -> Result<(), Error> {
    let vehicle_id = vehicle.facts.vehicle_id;
    let now = service.base.clock.monotonic();
    service.budget.take(vehicle_id, Spender::Service, 1, Purpose::Check, now)?;
    let used = service.access_tokens.get(service, vehicle.connection_id).await?;
    let asked = service.connector.permissions(&used.access, &vehicle.provider_vehicle_id).await;
    match asked {
        Ok(permissions) => {
            let permissions: Permissions = permissions.into_iter().collect();
            change_permissions(&service.base, vehicle, &permissions, Withdrawal::Permission).await
        }
        Err(error) if matches!(error.fault, Fault::Permission | Fault::ConsentLost) => {
            change_permissions(&service.base, vehicle, &Permissions::default(), Withdrawal::Consent)
                .await
        }
        Err(error) if error.fault == Fault::Authentication => {
            let tokens = &service.access_tokens;
            drop(tokens.renew_refused(service, vehicle.connection_id, &used, &error).await);
            Ok(())
        }
        Err(error) => Err(Error::Connector(Box::new(error))),
    }
}

/// Replaces what the owner permits for a car. A connection that permits nothing for any car is lost.
async fn change_permissions(
    base: &Base,
    vehicle: &VehicleRow,
    permissions: &Permissions,
    withdrawn: Withdrawal,
) -> Result<(), Error> {
    let caller = &system(vehicle);
    let (vehicle_id, user_id) = (vehicle.facts.vehicle_id, vehicle.facts.owner_id);
    let changed = base.transact("connections.note_permissions", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            connections::lock(tx, vehicle.connection_id).await?;
            if !vehicle_connections::set_permissions(tx, vehicle_id, permissions).await? {
                return Ok(());
            }
            let permissions = permissions.clone();
            let mut events =
                vec![Event::VehiclePermissionsChanged { vehicle_id, user_id, permissions }];
            let connection_id = vehicle.connection_id;
            let cars = vehicle_connections::of_connection(tx, connection_id).await?;
            let permits = |car: &VehicleRow| car.facts.permissions.iter().next().is_some();
            let reason = ConnectionReason::Withdrawn(withdrawn);
            if !cars.iter().any(permits) && connections::end(tx, connection_id, &reason).await? {
                let reason = reason.clone();
                events.push(Event::ConnectionLost { connection_id, user_id, reason });
            }
            let impaired = Impairment::Connection(reason);
            events.extend(impaired_grants(tx, vehicle_id, &impaired, now).await?);
            work.record_all(caller, events)
        })
    });
    changed.await
}

/// Suspends a car, or every car of the account, until somebody acts at the maker; the cloud's code says
/// which.
pub(crate) async fn suspend(
    base: &Base,
    vehicle: &VehicleRow,
    provider_code: Option<&ProviderCode>,
) -> Result<(), Error> {
    let caller = &system(vehicle);
    let reason = &Suspension::of(provider_code);
    let impaired = &Impairment::Suspended(reason.clone());
    let suspended = base.transact("connections.suspend", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let mut cars = vec![vehicle.clone()];
            if !reason.is_of_one_car() {
                cars = vehicle_connections::of_connection(tx, vehicle.connection_id).await?;
            }
            let mut events = Vec::new();
            for car in &cars {
                let (vehicle_id, user_id) = (car.facts.vehicle_id, car.facts.owner_id);
                let probe_at = now.plus(FIRST_PROBE);
                if vehicle_connections::suspend(tx, vehicle_id, reason, now, probe_at).await? {
                    let suspended =
                        Event::VehicleSuspended { vehicle_id, user_id, reason: reason.clone() };
                    events.push(suspended);
                    events.extend(impaired_grants(tx, vehicle_id, impaired, now).await?);
                }
            }
            work.record_all(caller, events)
        })
    });
    suspended.await
}

/// Ends the suspension of a car that began at `as_of` or earlier.
pub(crate) async fn resume(
    base: &Base,
    vehicle: &VehicleRow,
    as_of: Timestamp,
) -> Result<(), Error> {
    let caller = &system(vehicle);
    let (vehicle_id, user_id) = (vehicle.facts.vehicle_id, vehicle.facts.owner_id);
    let resumed = base.transact("connections.resume", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            if !vehicle_connections::resume(tx, vehicle_id, as_of).await? {
                return Ok(());
            }
            let mut events = vec![Event::VehicleResumed { vehicle_id, user_id }];
            for grant in grants::alive_of_vehicle(tx, vehicle_id, now).await? {
                events.push(Event::GrantVehicleRestored {
                    grant_id: grant.grant_id,
                    vehicle_id,
                    grantee_id: grant.grantee_id,
                    grant_revision: grant.revision,
                });
            }
            work.record_all(caller, events)
        })
    });
    resumed.await
}

fn system(vehicle: &VehicleRow) -> Caller {
    Caller { actor: Actor::system(vehicle.organization_id), request_id: None }
}

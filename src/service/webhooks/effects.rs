//! What follows from an event: a command is settled, a car is suspended, or its suspension ends.
//! Every effect can be repeated without harm.

use crate::connector::webhook::{CarNews, Complaint, News};
use crate::domain::fault::Fault;
use crate::domain::time::Timestamp;
use crate::service::connections::faults;
use crate::service::{Error, Service, commands};
use crate::storage::decisions::VehicleRow;
use crate::storage::vehicle_connections;

/// Carries out what follows.
///
/// # Errors
/// [`Error::Storage`]: then the event should come again.
pub(super) async fn apply(service: &Service, news: News) -> Result<(), Error> {
    let as_of = news.delivered_at.unwrap_or_else(|| service.base.clock.now());
    for car in news.cars {
        let mut reader = service.base.store.read().await?;
        let known = vehicle_connections::by_provider(&mut reader, &car.provider_vehicle_id).await?;
        drop(reader);
        for vehicle in &known {
            apply_to(service, vehicle, &car, as_of).await?;
        }
    }
    Ok(())
}

async fn apply_to(
    service: &Service,
    vehicle: &VehicleRow,
    car: &CarNews,
    as_of: Timestamp,
) -> Result<(), Error> {
    if !car.readings.is_empty() {
        service.readings.forget(vehicle.facts.vehicle_id);
        commands::reconcile::settle_by_readings(service, vehicle, &car.readings).await?;
    }
    for complaint in &car.complaints {
        complain(service, vehicle, complaint, as_of).await?;
    }
    Ok(())
}

/// A complaint suspends within this one event. What the owner permits is asked for; a cloud that
/// cannot be asked now is asked by the next call that fails.
async fn complain(
    service: &Service,
    vehicle: &VehicleRow,
    complaint: &Complaint,
    as_of: Timestamp,
) -> Result<(), Error> {
    match (complaint.fault, complaint.resolved) {
        (Fault::Account, false) => {
            faults::suspend(&service.base, vehicle, Some(&complaint.provider_code)).await
        }
        (Fault::Account, true) => faults::resume(&service.base, vehicle, as_of).await,
        (_, _) => match faults::verify(service, vehicle).await {
            Err(Error::Connector(error)) => {
                tracing::warn!(%error, "what an owner permits could not be asked for");
                Ok(())
            }
            verified => verified,
        },
    }
}

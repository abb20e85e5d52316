//! Reading cars at both ends of a grant that asks for a statement.

use futures_util::future::join_all;

use crate::domain::actor::Actor;
use crate::domain::grant::Grant;
use crate::domain::statement::{READ_WITHIN, STATED, Side};
use crate::service::budget::Spender;
use crate::service::vehicles::read_for_owner;
use crate::service::{Caller, Error, Service};
use crate::storage::grant_readings::{self, GrantReading};
use crate::storage::{Priority, decisions};

/// So many grants are taken at a time, to have their cars read.
const TAKEN_MAX: i64 = 8;

/// Has the cars read of grants that were used for the first time or are over. Returns how many grants that were; none while the
/// clock is not trusted.
///
/// # Errors
/// [`Error::Storage`].
pub async fn read_for_statements(service: &Service) -> Result<u64, Error> {
    if service.base.require_trusted_clock().is_err() {
        return Ok(0);
    }
    let mut count = 0;
    for side in [Side::Start, Side::End] {
        let taken = service.base.transact("grants.take_to_read", Priority::Ordinary, |work| {
            Box::pin(async move {
                Ok(grant_readings::take(&mut work.tx, side, work.now, TAKEN_MAX).await?)
            })
        });
        let taken = taken.await?;
        count += taken.count;
        join_all(taken.readable.iter().map(|grant| read_or_give_back(service, grant, side))).await;
    }
    Ok(count)
}

/// One car that cannot be read keeps no other from being read.
async fn read_or_give_back(service: &Service, grant: &Grant, side: Side) {
    if let Err(error) = read(service, grant, side).await {
        tracing::warn!(error = ?error, "a car could not be read for a statement");
        let grant_id = grant.grant_id;
        let given_back =
            service.base.transact("grants.give_back_to_read", Priority::Ordinary, |work| {
                Box::pin(async move {
                    Ok(grant_readings::give_back(&mut work.tx, side, grant_id).await?)
                })
            });
        if let Err(error) = given_back.await {
            tracing::warn!(error = ?error, "a statement will lack readings");
        }
    }
}

async fn read(service: &Service, grant: &Grant, side: Side) -> Result<(), Error> {
    let mut reader = service.base.store.read().await?;
    let vehicle = decisions::vehicles(&mut reader, &[grant.vehicle_id]).await?.into_iter().next();
    drop(reader);
    let Some(vehicle) = vehicle.map(|row| row.facts) else { return Ok(()) };
    let now = service.base.clock.now();
    let is_late = grant.ended_by(now).is_some_and(|end| now > end.ended_at.plus(READ_WITHIN));
    // Somebody else has the car by now, or had the time to.
    if is_late || vehicle.last_unlocked_by != Some(grant.grantee_id) {
        return Ok(());
    }
    let caller = Caller { actor: Actor::system(grant.organization_id), request_id: None };
    let car = (grant.vehicle_id, vehicle.owner_id);
    let seen = read_for_owner(service, &caller, car, Spender::Service, &STATED).await?;
    let mut readings = Vec::with_capacity(seen.len());
    for reading in seen {
        let text = serde_json::json!(reading);
        let word = text.get("observable").and_then(serde_json::Value::as_str);
        let observable = word.unwrap_or_default().to_owned();
        let kept = GrantReading { side, observable, reading: text.to_string() };
        readings.push((kept, reading.fetched_at));
    }
    let (grant_id, readings) = (grant.grant_id, &readings);
    let kept = service.base.transact("grants.keep_readings", Priority::Ordinary, |work| {
        Box::pin(async move { Ok(grant_readings::insert(&mut work.tx, grant_id, readings).await?) })
    });
    kept.await
}

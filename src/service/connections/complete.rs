//! The owner shows that the browser that consented was theirs: only then do the cars exist for anybody. Whoever was
//! sent to the consent page by somebody else has the code, and the somebody has not.

use super::consent::KeptConsent;
use super::{cars, find_for};
use crate::domain::access::Operation;
use crate::domain::connection::{COMPLETION_TIME, Connection, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::{ConnectionId, GrantId};
use crate::domain::impairment::{ConnectionEnd, ConnectionReason};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::service::{Base, Caller, Error, Service, StateFault, Work, users};
use crate::signing::secret;
use crate::storage::{Executor, Priority, StorageError, connections, consents, grants};

/// A connection that is complete.
#[derive(Debug)]
pub struct Completed {
    /// The connection.
    pub connection: Connection,
    /// The owner's cars that came with it.
    pub vehicles: Vec<Vehicle>,
    /// Cars that came with it and stay with their owner here, who consents to them still.
    pub others: Vec<Vehicle>,
    /// What was lent of the owner's cars before their consent was lost, and waits for their word.
    pub waiting_grants: Vec<GrantId>,
}

/// What the owner says.
#[derive(Debug, Clone, Copy)]
pub struct Completion<'a> {
    /// The code that the consenting browser was given.
    pub code: &'a str,
    /// Whether they stand by what they lent before their consent was lost.
    pub keeps_grants: bool,
}

/// Completes a connection, for who started it or an API client for them. A car has one owner in an organization: if
/// another one's consent, asked now, is dead, the car moves and its grants end; if it is alive, the car stays. What the
/// owner lent of a car before their own consent to it was lost waits for their word, which they can give here.
///
/// # Errors
/// [`Error::NotFound`] for another's connection; [`crate::service::Denial::ScopeMissing`]; [`StateFault::ConsentNotPending`] if no consent waits or its five
/// minutes are over; [`StateFault::CompletionCodeWrong`].
pub async fn complete(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
    completion: Completion<'_>,
) -> Result<Completed, Error> {
    let base = &service.base;
    let connection = find_for(base, caller, Operation::CompleteConnection, connection_id).await?;
    let Completion { code, keeps_grants } = completion;
    if keeps_grants {
        find_for(base, caller, Operation::ConfirmGrant, connection_id).await?;
    }
    let consent = &try_code(base, caller, &connection, code).await?;
    cars::ask_others(service, &connection, consent).await?;
    let completed = base.transact("connections.complete", Priority::Ordinary, |work| {
        Box::pin(async { keep(base, work, caller, &connection, (consent, keeps_grants)).await })
    });
    completed.await
}

/// Compares the code; a try is spent before, and stays spent.
async fn try_code(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    code: &str,
) -> Result<KeptConsent, Error> {
    let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
    let presented = secret::hash_of_pair(&connection_id.to_string(), code);
    let sealed = base.transact("connections.try_code", Priority::Ordinary, |work| {
        Box::pin(async move {
            let consented_after = work.now.minus(COMPLETION_TIME);
            let tx = &mut work.tx;
            let spent = consents::spend_try(tx, connection_id, consented_after).await?;
            let spent = spent.ok_or(Error::State(StateFault::ConsentNotPending))?;
            if secret::hashes_equal(&presented, &spent.completion_hash) {
                return Ok(Some(spent.sealed_consent));
            }
            let mut events = vec![Event::ConnectionCodeRefused { connection_id, user_id }];
            if spent.tries_left == 0 {
                let reason = ConnectionReason::Ended(ConnectionEnd::NotCompleted);
                connections::fail(tx, connection_id, &reason).await?;
                events.push(Event::ConnectionFailed { connection_id, user_id, reason });
            }
            work.record_all(caller, events)?;
            Ok(None)
        })
    });
    let sealed = sealed.await?.ok_or(Error::State(StateFault::CompletionCodeWrong))?;
    KeptConsent::unseal(base, connection_id, &sealed)
}

async fn keep(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    connection: &Connection,
    (consent, keeps_grants): (&KeptConsent, bool),
) -> Result<Completed, Error> {
    let (connection_id, user_id, now) = (connection.connection_id, connection.owner_id, work.now);
    users::find_open(&mut work.tx, caller, user_id).await?;
    let activation = consent.activation(base, connection_id)?;
    match consents::activate(&mut work.tx, connection_id, activation).await {
        Err(StorageError::LostRace) => return Err(Error::State(StateFault::ConsentNotPending)),
        other => other?,
    }
    let taken = cars::take(base, &mut work.tx, connection, consent, now).await?;
    let mut events = taken.events;
    let waiting = waiting_grants(&mut work.tx, &taken.owned, now).await?;
    let mut waiting_grants: Vec<GrantId> = waiting.iter().map(|grant| grant.grant_id).collect();
    if keeps_grants {
        let kept = grants::keep_each(&mut work.tx, &waiting).await?;
        events.extend(kept.into_iter().map(|grant| {
            let (grant_id, vehicle_id, grantee_id) =
                (grant.grant_id, grant.vehicle_id, grant.grantee_id);
            Event::GrantConfirmed { grant_id, vehicle_id, grantee_id }
        }));
        waiting_grants.clear();
    }
    let vehicles = taken.owned.len();
    events.insert(0, Event::ConnectionCompleted { connection_id, user_id, vehicles });
    work.record_all(caller, events)?;
    let connection = Connection { status: ConnectionStatus::Active, ..connection.clone() };
    Ok(Completed { connection, vehicles: taken.owned, others: taken.staying, waiting_grants })
}

/// The grants of these cars that wait for the owner's word, because the consent to the car was lost and came back.
async fn waiting_grants(
    on: &mut impl Executor,
    vehicles: &[Vehicle],
    now: Timestamp,
) -> Result<Vec<Grant>, Error> {
    let mut waiting = Vec::new();
    for vehicle in vehicles {
        waiting.extend(grants::waiting_of_vehicle(on, vehicle.vehicle_id, now).await?);
    }
    Ok(waiting)
}

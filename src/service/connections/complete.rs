//! The owner shows that the browser that consented was theirs: only then do the cars exist for anybody. Whoever was
//! sent to the consent page by somebody else has the code, and the somebody has not.

use super::consent::{KeptCar, KeptConsent};
use super::{cars, find_for};
use crate::domain::access::Operation;
use crate::domain::connection::{COMPLETION_TIME, Connection, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::id::{ConnectionId, GrantId};
use crate::domain::impairment::{ConnectionEnd, ConnectionReason};
use crate::domain::vehicle::Vehicle;
use crate::service::grants::confirmed;
use crate::service::{Base, Caller, Error, Service, StateFault, Work, users};
use crate::signing::secret;
use crate::storage::consents::CodeTry;
use crate::storage::{Priority, StorageError, connections, consents, grants, vehicles};

/// A connection that is complete.
#[derive(Debug)]
pub struct Completed {
    /// The connection.
    pub connection: Connection,
    /// The owner's cars that came with it.
    pub vehicles: Vec<Vehicle>,
    /// Cars that came with it and stay with their owner here, who consents to them still.
    pub others: Vec<StayingCar>,
    /// What was lent of the owner's cars before their consent was lost, and waits for their word.
    pub waiting_grants: Vec<GrantId>,
}

/// A car of somebody else, by name.
#[derive(Debug)]
pub struct StayingCar {
    /// Its maker.
    pub make: String,
    /// Its model.
    pub model: String,
    /// Its model year.
    pub year: i64,
}

impl From<KeptCar> for StayingCar {
    fn from(car: KeptCar) -> Self {
        Self { make: car.make, model: car.model, year: car.year }
    }
}

/// What the owner says.
#[derive(Debug, Clone, Copy)]
pub struct Completion<'a> {
    /// The code that the consenting browser was given.
    pub code: &'a str,
    /// Whether they stand by what they lent before their consent was lost.
    pub keeps_grants: bool,
}

/// What the right code was shown for.
enum CodeShown {
    /// A consent that waits for it.
    Now(KeptConsent),
    /// A consent that was completed with it, and the cars that had come with it and stay with others.
    Before(Vec<KeptCar>),
}

/// Completes a connection, for who started it or an API client for them. A car has one owner in an organization: if
/// another one's consent, asked now, is dead, the car moves and its grants end; if it is alive, the car stays. What the
/// owner lent of a car before their own consent to it was lost waits for their word, which they can give here. The
/// same code is answered the same again while it lives: the first answer may not have arrived.
///
/// # Errors
/// [`Error::NotFound`] for another's connection; [`crate::service::Denial::ScopeMissing`];
/// [`StateFault::ConsentNotPending`] if no consent waits or its five minutes are over;
/// [`StateFault::CompletionCodeWrong`].
pub async fn complete(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
    completion: Completion<'_>,
) -> Result<Completed, Error> {
    let base = &service.base;
    let connection = &find_for(base, caller, Operation::CompleteConnection, connection_id).await?;
    let Completion { code, keeps_grants } = completion;
    if keeps_grants {
        find_for(base, caller, Operation::ConfirmGrant, connection_id).await?;
    }
    let shown = try_code(base, caller, connection, code).await?;
    if let CodeShown::Now(consent) = &shown {
        cars::ask_others(service, connection, consent).await?;
    }
    match finish(base, caller, connection, &shown, keeps_grants).await {
        // The same code was shown at the same time, and that was faster.
        Err(Error::State(StateFault::ConsentNotPending)) => {
            let shown = try_code(base, caller, connection, code).await?;
            finish(base, caller, connection, &shown, keeps_grants).await
        }
        finished => finished,
    }
}

/// Compares the code; a try is spent before, and stays spent.
async fn try_code(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    code: &str,
) -> Result<CodeShown, Error> {
    let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
    let presented = secret::hash_of_pair(&connection_id.to_string(), code);
    let shown = base.transact("connections.try_code", Priority::Ordinary, |work| {
        Box::pin(async move {
            let consented_after = work.now.minus(COMPLETION_TIME);
            let tx = &mut work.tx;
            let spent = consents::spend_try(tx, connection_id, consented_after).await?;
            let spent = spent.ok_or(Error::State(StateFault::ConsentNotPending))?;
            if secret::hashes_equal(&presented, &spent.completion_hash) {
                return Ok(Some(spent));
            }
            let mut events = vec![Event::ConnectionCodeRefused { connection_id, user_id }];
            let reason = ConnectionReason::Ended(ConnectionEnd::NotCompleted);
            if spent.tries_left == 0 && connections::fail(tx, connection_id, &reason).await? {
                events.push(Event::ConnectionFailed { connection_id, user_id, reason });
            }
            work.record_all(caller, events)?;
            Ok(None)
        })
    });
    let shown = shown.await?.ok_or(Error::State(StateFault::CompletionCodeWrong))?;
    open(base, connection_id, &shown)
}

fn open(base: &Base, connection_id: ConnectionId, shown: &CodeTry) -> Result<CodeShown, Error> {
    let kept = shown.sealed_consent.as_deref();
    let kept = kept.map(|sealed| KeptConsent::unseal(base, connection_id, sealed)).transpose()?;
    match (shown.status, kept) {
        (ConnectionStatus::Consented, Some(consent)) => Ok(CodeShown::Now(consent)),
        (ConnectionStatus::Active, kept) => {
            Ok(CodeShown::Before(kept.map(|kept| kept.cars).unwrap_or_default()))
        }
        (_, _) => Err(Error::Internal(format!("{connection_id} has a code and no consent"))),
    }
}

async fn finish(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    shown: &CodeShown,
    keeps_grants: bool,
) -> Result<Completed, Error> {
    let finished = base.transact("connections.complete", Priority::Ordinary, |work| {
        Box::pin(async move {
            users::find_open(&mut work.tx, caller, connection.owner_id).await?;
            let others = match shown {
                CodeShown::Now(consent) => keep(base, work, caller, connection, consent).await?,
                CodeShown::Before(others) => others.clone(),
            };
            let vehicles = vehicles::of_connection(&mut work.tx, connection.connection_id).await?;
            let waiting_grants = stand_by(work, caller, &vehicles, keeps_grants).await?;
            let connection = Connection { status: ConnectionStatus::Active, ..connection.clone() };
            let others = others.into_iter().map(StayingCar::from).collect();
            Ok(Completed { connection, vehicles, others, waiting_grants })
        })
    });
    finished.await
}

/// Gives the owner what the consent came to; returns the cars that stay with others.
async fn keep(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    connection: &Connection,
    consent: &KeptConsent,
) -> Result<Vec<KeptCar>, Error> {
    let (connection_id, user_id, now) = (connection.connection_id, connection.owner_id, work.now);
    let activation = consent.activation(base, connection_id)?;
    let api_version = activation.api_version;
    match consents::activate(&mut work.tx, connection_id, activation).await {
        Err(StorageError::LostRace) => return Err(Error::State(StateFault::ConsentNotPending)),
        other => other?,
    }
    let taken = cars::take(base, &mut work.tx, connection, consent, now).await?;
    if !taken.staying.is_empty() {
        let others = KeptConsent::of_others(api_version, taken.staying.clone());
        let sealed = others.seal(base, connection_id)?;
        consents::keep_answer(&mut work.tx, connection_id, sealed).await?;
    }
    let vehicles = taken.owned;
    work.record(caller, Event::ConnectionCompleted { connection_id, user_id, vehicles })?;
    work.record_all(caller, taken.events)?;
    Ok(taken.staying)
}

/// Notes that the owner stands by what they lent of these cars, if they say so; returns what waits for that otherwise.
async fn stand_by(
    work: &mut Work<'_>,
    caller: &Caller,
    vehicles: &[Vehicle],
    keeps_grants: bool,
) -> Result<Vec<GrantId>, Error> {
    let (tx, now) = (&mut work.tx, work.now);
    let mut waiting = Vec::new();
    for vehicle in vehicles {
        waiting.extend(grants::waiting_of_vehicle(tx, vehicle.vehicle_id, now).await?);
    }
    if !keeps_grants {
        return Ok(waiting.iter().map(|grant| grant.grant_id).collect());
    }
    let kept = grants::keep_each(tx, &waiting).await?;
    work.record_all(caller, kept.iter().map(confirmed))?;
    Ok(Vec::new())
}

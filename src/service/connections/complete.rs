//! The owner's browser comes back from the vehicle cloud: with a code, or with a reason why not.
//! The state it brings was given to one request, is used once and expires.

use super::seal;
use crate::connector::{ConnectorError, TokenPair};
use crate::domain::actor::{Actor, Principal};
use crate::domain::connection::{CONSENT_TIME, Connection};
use crate::domain::event::Event;
use crate::domain::id::ConnectionId;
use crate::domain::user::Role;
use crate::domain::vehicle::Vehicle;
use crate::service::{Caller, Error, Service, StateFault};
use crate::signing::secret;
use crate::storage::{connections, repeat, vehicles};

/// What the browser brought.
#[derive(Debug, Clone)]
pub struct Return {
    /// What was given out when the consent started.
    pub state: String,
    /// The code to exchange, or the cloud's word for why there is none.
    pub result: Result<String, String>,
    /// The HTTP request.
    pub request_id: Option<String>,
}

/// A consent that is complete.
#[derive(Debug)]
pub struct Completed {
    /// The consent.
    pub connection_id: ConnectionId,
    /// The owner's cars that came with it.
    pub vehicles: Vec<Vehicle>,
}

/// Completes a consent: exchanges the code, keeps the tokens sealed, and makes the cars the
/// owner's.
///
/// # Errors
/// [`StateFault::ConsentNotPending`] for a state that is foreign, used or too old;
/// [`StateFault::ConsentLost`] if the owner declined; [`Error::Connector`] if the cloud fails.
pub async fn complete(service: &Service, returned: Return) -> Result<Completed, Error> {
    let connection = take(service, &returned.state).await?;
    let principal = Principal::User { user_id: connection.owner_id, role: Role::Member };
    let actor = Actor { organization_id: connection.organization_id, principal };
    let caller = Caller { actor, request_id: returned.request_id };
    let code = match returned.result {
        Ok(code) => code,
        Err(word) => {
            fail(service, &caller, &connection, &word).await?;
            return Err(Error::State(StateFault::ConsentLost));
        }
    };
    match fetch(service, &code).await {
        Ok((pair, cars)) => keep(service, &caller, &connection, &pair, &cars).await,
        Err(error) => {
            fail(service, &caller, &connection, word(&error)).await?;
            Err(Error::Connector(Box::new(error)))
        }
    }
}

/// Uses the state up, so that of any number of browsers exactly one goes on.
async fn take(service: &Service, state: &str) -> Result<Connection, Error> {
    let hash = secret::hash_of(state);
    repeat(|| async {
        let created_after = service.clock.now().minus(CONSENT_TIME);
        let mut tx = service.store.begin().await?;
        let taken = connections::take_by_state(&mut tx, hash, created_after).await?;
        let connection = taken.ok_or(Error::State(StateFault::ConsentNotPending))?;
        tx.commit().await?;
        Ok(connection)
    })
    .await
}

/// A car as the vehicle cloud describes it.
struct Car {
    provider_vehicle_id: String,
    attributes: crate::connector::Attributes,
    permissions: Vec<String>,
}

async fn fetch(service: &Service, code: &str) -> Result<(TokenPair, Vec<Car>), ConnectorError> {
    let connector = &service.connector;
    let pair = connector.exchange_code(code, &service.settings.redirect_uri()).await?;
    let token = &pair.access_token;
    let mut cars = Vec::new();
    for provider_vehicle_id in connector.vehicles(token).await? {
        let attributes = connector.attributes(token, &provider_vehicle_id).await?;
        let permissions = connector.permissions(token, &provider_vehicle_id).await?;
        cars.push(Car { provider_vehicle_id, attributes, permissions });
    }
    Ok((pair, cars))
}

async fn keep(
    service: &Service,
    caller: &Caller,
    connection: &Connection,
    pair: &TokenPair,
    cars: &[Car],
) -> Result<Completed, Error> {
    let connection_id = connection.connection_id;
    let sealed = seal(service, connection_id, pair)?;
    repeat(|| async {
        let now = service.clock.now();
        let access_expires_at = now.plus(pair.expires_in);
        let mut tx = service.store.begin().await?;
        connections::activate(&mut tx, connection_id, sealed.clone(), access_expires_at).await?;
        let user_id = connection.owner_id;
        let completed = Event::ConnectionCompleted { connection_id, user_id, vehicles: cars.len() };
        let mut events = vec![completed];
        let mut owned = Vec::new();
        for car in cars {
            let mut vehicle = Vehicle {
                vehicle_id: service.entropy.id(now)?,
                organization_id: connection.organization_id,
                owner_id: connection.owner_id,
                connection_id,
                provider_vehicle_id: car.provider_vehicle_id.clone(),
                make: car.attributes.make.clone(),
                model: car.attributes.model.clone(),
                year: car.attributes.year.into(),
                permissions: car.permissions.iter().map(String::as_str).collect(),
                removed_at: None,
                connected_at: now,
            };
            vehicle.vehicle_id = vehicles::upsert(&mut tx, &vehicle).await?;
            let vehicle_id = vehicle.vehicle_id;
            events.push(Event::VehicleConnected { vehicle_id, user_id, connection_id });
            owned.push(vehicle);
        }
        service.record(&mut tx, caller, now, events).await?;
        tx.commit().await?;
        Ok(Completed { connection_id, vehicles: owned })
    })
    .await
}

async fn fail(
    service: &Service,
    caller: &Caller,
    connection: &Connection,
    word: &str,
) -> Result<(), Error> {
    repeat(|| async {
        let connection_id = connection.connection_id;
        let mut tx = service.store.begin().await?;
        connections::fail(&mut tx, connection_id, word).await?;
        let user_id = connection.owner_id;
        let failed = Event::ConnectionFailed { connection_id, user_id, reason: word.to_owned() };
        service.record(&mut tx, caller, service.clock.now(), [failed]).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// The record's word for a failed exchange.
fn word(error: &ConnectorError) -> &str {
    error.provider_code.as_deref().unwrap_or("connector_unavailable")
}

//! Sending an owner to mend the account with the car's maker, and receiving the browser that comes
//! back (protocol page, section 1.1).

use super::{connection_owner, faults};
use crate::connector::ReauthenticateRequest;
use crate::domain::access::Operation;
use crate::domain::connection::{CONSENT_TIME, Connection, ConnectionStatus};
use crate::domain::event::Event;
use crate::domain::id::ConnectionId;
use crate::service::{Base, Caller, Error, Service, StateFault};
use crate::signing::secret::{self, RandomSecret, SecretPrefix};
use crate::storage::decisions::VehicleRow;
use crate::storage::{Priority, connections, vehicle_connections};

/// Where the owner's browser is sent.
#[derive(Debug)]
pub struct Reauthentication {
    /// The connection.
    pub connection: Connection,
    /// The address.
    pub reauthenticate_url: String,
}

/// Starts mending the account behind a connection, for its owner or an API client for them.
///
/// # Errors
/// [`Error::NotFound`]; [`StateFault::ConsentLost`] if the connection itself is gone, and with it
/// what could be mended: then the car must be connected again.
pub async fn reauthenticate(
    service: &Service,
    caller: &Caller,
    connection_id: ConnectionId,
) -> Result<Reauthentication, Error> {
    let operation = Operation::Reauthenticate;
    let connection = &super::find_for(&service.base, caller, operation, connection_id).await?;
    if connection.status != ConnectionStatus::Active {
        return Err(Error::State(StateFault::ConsentLost));
    }
    let started = service.base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let tx = &mut work.tx;
            let cars = vehicle_connections::of_connection(tx, connection_id).await?;
            let suspended = cars.iter().find(|car| car.facts.suspended);
            let car = suspended.or(cars.first()).ok_or(Error::State(StateFault::ConsentLost))?;
            let state = RandomSecret::generate(SecretPrefix::State, &*service.base.entropy)?;
            if !connections::ask_back(tx, connection_id, state.hash(), work.now).await? {
                return Err(Error::State(StateFault::ConsentLost));
            }
            let user_id = connection.owner_id;
            work.record(
                caller,
                Event::ConnectionReauthenticationStarted { connection_id, user_id },
            )?;
            let reauthenticate_url = service.connector.reauthenticate_url(&ReauthenticateRequest {
                redirect_uri: service.base.settings.redirect_uri(),
                provider_vehicle_id: car.provider_vehicle_id.clone(),
                state: state.expose().to_owned(),
                user: user_id.to_string(),
            });
            Ok(Reauthentication { connection: connection.clone(), reauthenticate_url })
        })
    });
    started.await
}

/// The browser came back from mending an account: what was suspended works again, until the cloud
/// says otherwise.
///
/// # Errors
/// [`StateFault::ConsentNotPending`] for a state that is foreign, used or too old.
pub async fn reauthenticated(
    base: &Base,
    state: &str,
    request_id: Option<String>,
) -> Result<Connection, Error> {
    let hash = secret::hash_of(state);
    let request_id = &request_id;
    let taken = base.transact("connections.reauthenticated", Priority::Ordinary, |work| {
        Box::pin(async move {
            let asked_after = work.now.minus(CONSENT_TIME);
            let taken = connections::take_back(&mut work.tx, hash, asked_after).await?;
            let connection = taken.ok_or(Error::State(StateFault::ConsentNotPending))?;
            let caller = connection_owner(&connection, request_id.clone());
            let (connection_id, user_id) = (connection.connection_id, connection.owner_id);
            work.record(&caller, Event::ConnectionReauthenticated { connection_id, user_id })?;
            Ok(connection)
        })
    });
    let connection = taken.await?;
    let mut reader = base.store.read().await?;
    let cars = vehicle_connections::of_connection(&mut reader, connection.connection_id).await?;
    drop(reader);
    let now = base.clock.now();
    let suspended: Vec<VehicleRow> = cars.into_iter().filter(|car| car.facts.suspended).collect();
    for car in &suspended {
        faults::resume(base, car, now).await?;
    }
    Ok(connection)
}

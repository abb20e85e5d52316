//! The owner's browser comes back from the vehicle cloud: with a code or the owner's id, or with a
//! reason why not. The state it brings was given to one request, is used once and expires.

use super::{connection_owner, seal};
use crate::config::ApiVersions;
use crate::connector::{Access, ConnectorError, ConsentedVehicle, TokenPair};
use crate::domain::access::Sought;
use crate::domain::connection::{ApiVersion, CONSENT_TIME, Connection};
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::{ConnectionId, VehicleId};
use crate::domain::impairment::{ConnectionReason, NotGiven};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::domain::vehicle::Vehicle;
use crate::service::{Base, Caller, Error, Service, StateFault};
use crate::signing::secret;
use crate::storage::connections::Activation;
use crate::storage::{Priority, connections, users, vehicles};

/// What the browser brought.
#[derive(Debug, Clone)]
pub struct Return {
    /// What was given out when the connection started.
    pub state: String,
    /// What proves the consent, or why there is none.
    pub result: Result<Proof, NotGiven>,
    /// The HTTP request.
    pub request_id: Option<String>,
}

/// What a browser brings of an owner who consented (protocol page, section 1.2).
#[derive(Debug, Clone)]
pub struct Proof {
    /// API v2.0: to be exchanged for tokens.
    pub code: Option<String>,
    /// API v3: the cloud's id of the owner. By itself it proves nothing: anybody can write it
    /// into an address.
    pub user_id: Option<String>,
}

/// A connection that is complete.
#[derive(Debug)]
pub struct Completed {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Whose account the cars came to. The person at the browser may be somebody else, whom the
    /// owner of that account sent there.
    pub owner: User,
    /// The owner's cars that came with it.
    pub vehicles: Vec<Vehicle>,
}

/// Completes a connection: exchanges the code, keeps the tokens sealed, and makes the cars the
/// owner's.
///
/// # Errors
/// [`StateFault::ConsentNotPending`] for a state that is foreign, used or too old;
/// [`StateFault::ConsentLost`] if the owner declined; [`Error::Connector`] if the cloud fails.
pub async fn complete(service: &Service, returned: Return) -> Result<Completed, Error> {
    let connection = take(&service.base, &returned.state).await?;
    let caller = connection_owner(&connection, returned.request_id);
    let proof = match returned.result {
        Ok(proof) => proof,
        Err(why) => {
            fail(&service.base, &caller, &connection, ConnectionReason::NotGiven(why)).await?;
            return Err(Error::State(StateFault::ConsentLost));
        }
    };
    match fetch(service, &connection, proof).await {
        Ok(consented) => keep(&service.base, &caller, &connection, &consented).await,
        Err(error) => {
            fail(&service.base, &caller, &connection, error.connection_reason()).await?;
            Err(Error::Connector(Box::new(error)))
        }
    }
}

/// Uses the state up, so that of any number of browsers exactly one goes on.
async fn take(base: &Base, state: &str) -> Result<Connection, Error> {
    let hash = secret::hash_of(state);
    let taken = base.transact("connections.take_state", Priority::Ordinary, |work| {
        Box::pin(async move {
            let created_after = work.now.minus(CONSENT_TIME);
            let taken = connections::take_by_state(&mut work.tx, hash, created_after).await?;
            taken.ok_or(Error::State(StateFault::ConsentNotPending))
        })
    });
    taken.await
}

/// What a connection came to.
struct Consented {
    api_version: ApiVersion,
    provider_user_id: Option<String>,
    pair: Option<TokenPair>,
    cars: Vec<ConsentedVehicle>,
}

async fn fetch(
    service: &Service,
    connection: &Connection,
    proof: Proof,
) -> Result<Consented, ConnectorError> {
    match (service.base.settings.api_versions, proof) {
        (ApiVersions::V3First | ApiVersions::V3Only, Proof { user_id: Some(user_id), .. }) => {
            by_application(service, connection, user_id).await
        }
        (ApiVersions::V3First | ApiVersions::V2Only, Proof { code: Some(code), .. }) => {
            by_tokens(service, connection, &code).await
        }
        (_, _) => Err(nothing_to_use()),
    }
}

/// API v3: the cloud must list cars that were shared by this owner on a page that we sent this
/// owner to. Otherwise whoever knows the id of a stranger could take the stranger's cars.
async fn by_application(
    service: &Service,
    connection: &Connection,
    user_id: String,
) -> Result<Consented, ConnectorError> {
    let access = Access::Application { user_id: user_id.clone() };
    let user = connection.owner_id.to_string();
    let mode = connection.mode.as_str();
    let cars = service.connector.consented_vehicles(&access, &user, mode).await?;
    let (api_version, provider_user_id) = (ApiVersion::V3, Some(user_id));
    Ok(Consented { api_version, provider_user_id, pair: None, cars })
}

/// API v2.0: the code is the proof. The owner's id is kept, so that the connection can be used
/// through v3 once v2.0 is gone.
async fn by_tokens(
    service: &Service,
    connection: &Connection,
    code: &str,
) -> Result<Consented, ConnectorError> {
    let connector = &service.connector;
    let pair = connector.exchange_code(code, &service.base.settings.redirect_uri()).await?;
    let user_id = connector.user_id(&pair.access_token).await?;
    let access = Access::OwnerToken(pair.access_token.clone());
    let user = connection.owner_id.to_string();
    let cars = connector.consented_vehicles(&access, &user, connection.mode.as_str()).await?;
    let (api_version, provider_user_id) = (ApiVersion::V2, Some(user_id));
    Ok(Consented { api_version, provider_user_id, pair: Some(pair), cars })
}

fn nothing_to_use() -> ConnectorError {
    ConnectorError::local(
        Fault::Rejected,
        "the browser brought nothing that this version of the API can use",
    )
}

async fn keep(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    consented: &Consented,
) -> Result<Completed, Error> {
    let connection_id = connection.connection_id;
    let sealed = &match &consented.pair {
        Some(pair) => Some(seal(base, connection_id, pair)?),
        None => None,
    };
    let lifetime = consented.pair.as_ref().map(|pair| pair.expires_in);
    let completed = base.transact("connections.complete", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let activation = Activation {
                api_version: consented.api_version,
                provider_user_id: consented.provider_user_id.clone(),
                tokens: sealed.clone().zip(lifetime.map(|lifetime| now.plus(lifetime))),
            };
            connections::activate(tx, connection_id, activation).await?;
            let user_id = connection.owner_id;
            let owner = users::find(tx, connection.organization_id, user_id).await?;
            let owner = owner.ok_or(Error::NotFound(Sought::of(user_id)))?;
            let vehicles = consented.cars.len();
            let mut events = vec![Event::ConnectionCompleted { connection_id, user_id, vehicles }];
            let mut owned = Vec::new();
            for car in &consented.cars {
                let mut vehicle = vehicle(base.entropy.id(now)?, connection, car, now);
                vehicle.vehicle_id = vehicles::upsert(tx, &vehicle).await?;
                let vehicle_id = vehicle.vehicle_id;
                events.push(Event::VehicleConnected { vehicle_id, user_id, connection_id });
                owned.push(vehicle);
            }
            work.record_all(caller, events)?;
            Ok(Completed { connection_id, owner, vehicles: owned })
        })
    });
    completed.await
}

/// A car as it is kept.
fn vehicle(
    vehicle_id: VehicleId,
    connection: &Connection,
    car: &ConsentedVehicle,
    now: Timestamp,
) -> Vehicle {
    Vehicle {
        vehicle_id,
        organization_id: connection.organization_id,
        owner_id: connection.owner_id,
        connection_id: connection.connection_id,
        provider_vehicle_id: car.provider_vehicle_id.clone(),
        make: car.attributes.make.clone(),
        model: car.attributes.model.clone(),
        year: car.attributes.year.into(),
        permissions: car.permissions.iter().map(String::as_str).collect(),
        suspended_reason: None,
        removed_at: None,
        connected_at: now,
    }
}

async fn fail(
    base: &Base,
    caller: &Caller,
    connection: &Connection,
    reason: ConnectionReason,
) -> Result<(), Error> {
    let reason = &reason;
    let failed = base.transact("connections.fail", Priority::Ordinary, |work| {
        Box::pin(async move {
            let connection_id = connection.connection_id;
            connections::fail(&mut work.tx, connection_id, reason).await?;
            let (user_id, reason) = (connection.owner_id, reason.clone());
            work.record(caller, Event::ConnectionFailed { connection_id, user_id, reason })
        })
    });
    failed.await
}

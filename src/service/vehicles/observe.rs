//! Asking the vehicle cloud about a car. Equal questions that come together are asked once, and
//! an answer is given again for a short while; decisions never rest on it. A command to the car
//! makes everything that was known about it old.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::connector::ConnectorError;
use crate::domain::fault::Fault;
use crate::domain::id::VehicleId;
use crate::domain::reading::{Observable, Reading};
use crate::service::budget::{Purpose, Spender};
use crate::service::connections::{CloudToken, faults};
use crate::service::{Base, Error, Service};
use crate::storage::decisions::VehicleRow;

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(15);
/// How often somebody who waits for a reading has the cloud asked.
const TRIES: u32 = 3;
/// About how long to wait before asking again, times the number of the try.
const RETRY_WAIT: Duration = Duration::from_millis(100);
/// Cars remembered; beyond it all are forgotten.
const CARS_MAX: usize = 20_000;

/// What one car was seen as; who holds the lock asks the cloud.
type Seen = HashMap<Observable, (Duration, Reading)>;

/// What cars were seen as lately.
#[derive(Debug, Default)]
pub struct Readings {
    cars: Mutex<HashMap<VehicleId, Arc<tokio::sync::Mutex<Seen>>>>,
}

impl Readings {
    fn of(&self, vehicle_id: VehicleId) -> Arc<tokio::sync::Mutex<Seen>> {
        let mut cars = self.cars.lock().unwrap_or_else(PoisonError::into_inner);
        if cars.len() >= CARS_MAX {
            cars.clear();
        }
        Arc::clone(cars.entry(vehicle_id).or_default())
    }

    /// What was known about the car is old now.
    pub fn forget(&self, vehicle_id: VehicleId) {
        self.cars.lock().unwrap_or_else(PoisonError::into_inner).remove(&vehicle_id);
    }
}

/// Reads what was allowed to be read, an answer for each in the order of the request.
///
/// # Errors
/// What is neither the car's nor its cloud's nor the owner's, such as a database that is away.
pub(super) async fn read(
    service: &Service,
    vehicle: &VehicleRow,
    spender: Spender,
    observables: &[Observable],
) -> Result<Vec<Result<Reading, Error>>, Error> {
    if observables.is_empty() {
        return Ok(Vec::new());
    }
    let seen = service.readings.of(vehicle.facts.vehicle_id);
    let mut seen = seen.lock().await;
    let now = service.base.clock.monotonic();
    seen.retain(|_, (asked_at, _)| now.saturating_sub(*asked_at) < KEPT);
    let mut missing = Vec::new();
    for &observable in observables {
        if !seen.contains_key(&observable) && !missing.contains(&observable) {
            missing.push(observable);
        }
    }
    let asked_at = service.base.clock.monotonic();
    let mut failed: HashMap<Observable, ConnectorError> = HashMap::new();
    match ask(service, vehicle, &missing, (spender, Purpose::Read)).await {
        Ok(answers) => {
            for (observable, answer) in missing.into_iter().zip(answers) {
                match answer {
                    Ok(reading) => drop(seen.insert(observable, (asked_at, reading))),
                    Err(error) => drop(failed.insert(observable, error)),
                }
            }
        }
        Err(Error::Connector(error)) => {
            failed.extend(missing.into_iter().map(|observable| (observable, (*error).clone())));
        }
        Err(Error::State(fault)) => {
            return Ok(observables.iter().map(|_| Err(Error::State(fault))).collect());
        }
        Err(error) => return Err(error),
    }
    let answer = |observable: &Observable| match (seen.get(observable), failed.get(observable)) {
        (Some((_, reading)), _) => Ok(reading.clone()),
        (None, Some(error)) => Err(Error::Connector(Box::new(error.clone()))),
        (None, None) => Err(Error::Internal(format!("no answer about {observable}"))),
    };
    Ok(observables.iter().map(answer).collect())
}

/// Reads a car to settle what became of a command, at the expense of whose command it is. `None` if it could not be
/// seen.
pub(crate) async fn observe(
    service: &Service,
    vehicle: &VehicleRow,
    spender: Spender,
    observable: Observable,
) -> Option<Reading> {
    match ask(service, vehicle, &[observable], (spender, Purpose::Check)).await {
        Ok(answers) => match answers.into_iter().next()? {
            Ok(reading) => Some(reading),
            Err(error) => {
                tracing::warn!(%error, "cannot check a car");
                None
            }
        },
        Err(error) => {
            tracing::warn!(error = ?error, "cannot check a car");
            None
        }
    }
}

/// What came back: an answer for each question, or an error for all of them.
type Answers = Result<Vec<Result<Reading, ConnectorError>>, ConnectorError>;

/// Asks the vehicle cloud, within the budget of the car. What it says about the owner's consent
/// is taken note of. Somebody who waits for a reading gets a few tries, because asking changes
/// nothing.
async fn ask(
    service: &Service,
    vehicle: &VehicleRow,
    observables: &[Observable],
    (spender, purpose): (Spender, Purpose),
) -> Result<Vec<Result<Reading, ConnectorError>>, Error> {
    if observables.is_empty() {
        return Ok(Vec::new());
    }
    let tries = if purpose == Purpose::Read { TRIES } else { 1 };
    let mut answers = ask_once(service, vehicle, observables, (spender, purpose)).await?;
    for attempt in 1..tries {
        if !first_error(&answers).is_some_and(passes) {
            break;
        }
        tokio::time::sleep(jittered(&service.base, attempt)?).await;
        match ask_once(service, vehicle, observables, (spender, purpose)).await {
            Ok(again) => answers = again,
            // There is nothing left of the budget for another try.
            Err(_) => break,
        }
    }
    answers.map_err(|error| Error::Connector(Box::new(error)))
}

/// Whether trying again in a moment may help. A car that was asked too often is left alone.
fn passes(error: &ConnectorError) -> bool {
    matches!(error.fault, Fault::Unavailable | Fault::Upstream)
}

/// A wait of about [`RETRY_WAIT`] for each try, so that those who failed together do not come back
/// together.
fn jittered(base: &Base, attempt: u32) -> Result<Duration, Error> {
    let [byte] = base.entropy.bytes::<1>()?;
    Ok(RETRY_WAIT.saturating_mul(attempt).mul_f64(0.5 + f64::from(byte) / 256.0))
}

fn first_error(answers: &Answers) -> Option<&ConnectorError> {
    match answers {
        Ok(answers) => answers.iter().find_map(|answer| answer.as_ref().err()),
        Err(error) => Some(error),
    }
}

/// One question; two if the token is not accepted and another can be had.
async fn ask_once(
    service: &Service,
    vehicle: &VehicleRow,
    observables: &[Observable],
    (spender, purpose): (Spender, Purpose),
) -> Result<Answers, Error> {
    let vehicle_id = vehicle.facts.vehicle_id;
    let now = service.base.clock.monotonic();
    service.budget.take(vehicle_id, spender, observables.len(), purpose, now)?;
    let token = service.access_tokens.get(service, vehicle.connection_id).await?;
    let answers = call(service, vehicle, &token, observables).await;
    let Some(error) = first_error(&answers) else { return Ok(answers) };
    match faults::handle(service, vehicle, &token, error).await {
        Some(fresh) => Ok(call(service, vehicle, &fresh, observables).await),
        None => Ok(answers),
    }
}

async fn call(
    service: &Service,
    vehicle: &VehicleRow,
    token: &CloudToken,
    observables: &[Observable],
) -> Answers {
    let (connector, id) = (&service.connector, &vehicle.provider_vehicle_id);
    match observables {
        [one] => Ok(vec![connector.read(&token.access, id, *one).await]),
        several => connector.read_batch(&token.access, id, several).await,
    }
}

//! What requests to the test controls have in common: a JSON body, and a car that is named by its id.

use serde::de::DeserializeOwned;

use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::Failure;
use crate::smartcar::ErrorKind;

/// Reads a JSON body.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))
}

/// The request is not valid, and why.
pub(super) fn wrong(why: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::ValidationParameter).describing(why)
}

/// Nothing has the id that the request names.
pub(super) fn unknown() -> Failure {
    Failure::new(ErrorKind::ResourceNotFoundPath)
}

/// The place in the fleet of the car with this id.
pub(super) fn place(cloud: &Cloud, id: &str) -> Result<usize, Failure> {
    cloud.car(id).map(|(place, _)| place).ok_or_else(unknown)
}

/// The car with this id.
pub(super) fn car<'a>(cloud: &'a Cloud, id: &str) -> Result<&'a Car, Failure> {
    cloud.car(id).map(|(_, car)| car.as_ref()).ok_or_else(unknown)
}

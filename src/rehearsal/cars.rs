//! A cloud of cars that is acted out: it does what it is told or not, answers in time, late or not
//! at all, and tells the truth about what it did not do. What a car does, it does whether or not
//! the process that asked still lives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::surroundings::{CONNECTOR_TIMEOUT, Process};
use super::trace::{Happening, Send};
use super::world::{Pace, Planted, World};
use crate::connector::{
    Access, Acknowledgement, AuthorizeRequest, ConnectorError, ConsentedVehicle, Happened,
    ReauthenticateRequest, TokenPair, VehicleConnector,
};
use crate::domain::fault::Fault;
use crate::domain::id::{CommandId, VehicleId};
use crate::domain::instruction::Instruction;
use crate::domain::reading::{
    Charge, ChargeState, LockStatus, Observable, Observation, ObservedLimit, Reading,
};
use crate::domain::time::Timestamp;
use crate::storage::db::rehearsal::Surroundings;

/// How one car is.
#[derive(Debug, Clone, Copy)]
struct Car {
    is_locked: bool,
    is_charging: bool,
    limit: f64,
    changed_at: Timestamp,
}

/// All cars, and how often anything was sent to them.
#[derive(Default)]
pub(super) struct Cars {
    state: Mutex<(BTreeMap<String, Car>, Send)>,
}

impl Cars {
    fn next_send(&self) -> Send {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        state.1
    }

    fn with<T>(&self, car: &str, now: Timestamp, use_it: impl FnOnce(&mut Car) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Car { is_locked: true, is_charging: false, limit: 0.5, changed_at: now };
        use_it(state.0.entry(car.to_owned()).or_insert(new))
    }

    /// What a car sends of its own accord.
    pub(super) fn news(&self, car: VehicleId, now: Timestamp) -> Reading {
        let state = self.with(&format!("car-{}", car.as_uuid().as_u128()), now, |car| *car);
        let status = LockStatus { is_locked: state.is_locked, ..LockStatus::default() };
        let observation = Observation::LockStatus(status);
        Reading { observation, reported_at: Some(state.changed_at), fetched_at: now }
    }

    fn obey(&self, car: &str, instruction: &Instruction, now: Timestamp) {
        self.with(car, now, |car| {
            car.changed_at = now;
            match instruction {
                Instruction::Lock => car.is_locked = true,
                Instruction::Unlock => car.is_locked = false,
                Instruction::StartCharge => car.is_charging = true,
                Instruction::StopCharge => car.is_charging = false,
                Instruction::SetChargeLimit(limit) => car.limit = limit.fraction(),
                Instruction::SetDestination(_) => {}
            }
        });
    }
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    DoneUnheard,
    DoneGarbled,
    NothingUnheard,
    NothingGarbled,
    Refused,
    TokenRefused,
    NotReached,
}

/// The cloud, as one process reaches it.
pub(super) struct Cloud {
    process: Arc<Process>,
    cars: Arc<Cars>,
}

impl Cloud {
    pub(super) fn new(process: Arc<Process>, cars: Arc<Cars>) -> Self {
        Self { process, cars }
    }

    fn world(&self) -> &Arc<World> {
        &self.process.world
    }

    fn fate(&self) -> Fate {
        let world = self.world();
        if !world.fails(300) {
            return Fate::Done;
        }
        world.one_of(&[
            Fate::DoneUnheard,
            Fate::DoneGarbled,
            Fate::NothingUnheard,
            Fate::NothingGarbled,
            Fate::Refused,
            Fate::TokenRefused,
            Fate::NotReached,
        ])
    }

    /// The car does it after a while; the process is not needed for that.
    #[expect(clippy::disallowed_methods, reason = "a car does not end with the process")]
    fn do_after(&self, time: Duration, send: Send, car: &str, instruction: Instruction) {
        let (world, cars, car) = (Arc::clone(self.world()), Arc::clone(&self.cars), car.to_owned());
        drop(tokio::spawn(async move {
            tokio::time::sleep(time).await;
            cars.obey(&car, &instruction, world.now());
            world.note(Happening::Done { send });
        }));
    }

    /// The name of a car without the mark of a transaction, and the transaction.
    fn unmarked(vehicle: &str) -> (&str, u64) {
        let (car, transaction) = vehicle.split_once('@').unwrap_or((vehicle, "0"));
        (car, transaction.parse().unwrap())
    }

    /// Lets one request go.
    async fn leave(
        &self,
        vehicle: &str,
        instruction: &Instruction,
    ) -> Result<Acknowledgement, ConnectorError> {
        let (world, (car, transaction)) = (self.world(), Self::unmarked(vehicle));
        let fate = self.fate();
        if fate == Fate::NotReached {
            self.process.pass().await;
            return Err(error(Happened::NotSent, Fault::Unavailable));
        }
        let send = self.cars.next_send();
        let (process, instruction) = (self.process.number, *instruction);
        let car = car.to_owned();
        world.note(Happening::Left { send, process, transaction, car: car.clone(), instruction });
        let takes = world.up_to(if world.settles() { 10 } else { 8000 }).min(CONNECTOR_TIMEOUT);
        if matches!(fate, Fate::Done | Fate::DoneUnheard | Fate::DoneGarbled) {
            self.do_after(takes, send, &car, instruction);
        }
        if fate == Fate::TokenRefused {
            world.note(Happening::TokenRefused { send });
        }
        let unheard = matches!(fate, Fate::DoneUnheard | Fate::NothingUnheard);
        tokio::time::sleep(if unheard { CONNECTOR_TIMEOUT } else { takes }).await;
        // In the same millisecond the car is first.
        tokio::task::yield_now().await;
        self.process.pass().await;
        let lies = world.planted == Some(Planted::FalseRefusal) && world.happens(100);
        match fate {
            Fate::Done if lies => Err(error(Happened::Refused, Fault::VehicleState)),
            Fate::Done => {
                // In a ragged world it may come when the command was given up.
                if world.pace != Pace::Ragged {
                    world.note(Happening::Acknowledged { send, process });
                }
                Ok(Acknowledgement { provider_request_id: None })
            }
            Fate::DoneUnheard | Fate::NothingUnheard => {
                Err(error(Happened::Maybe, Fault::TimedOut))
            }
            Fate::DoneGarbled | Fate::NothingGarbled => Err(error(Happened::Maybe, Fault::Garbled)),
            Fate::Refused => Err(error(Happened::Refused, Fault::VehicleState)),
            Fate::TokenRefused => Err(error(Happened::Refused, Fault::Authentication)),
            Fate::NotReached => Err(error(Happened::NotSent, Fault::Unavailable)),
        }
    }
}

fn error(happened: Happened, fault: Fault) -> ConnectorError {
    ConnectorError { happened, ..ConnectorError::local(fault, "acted out") }
}

#[async_trait]
impl VehicleConnector for Cloud {
    async fn send(
        &self,
        _: &Access,
        vehicle: &str,
        instruction: &Instruction,
        _: CommandId,
        _: Duration,
    ) -> Result<Acknowledgement, ConnectorError> {
        let answer = self.leave(vehicle, instruction).await;
        let unheard = answer.as_ref().is_err_and(|error| error.happened == Happened::Maybe);
        if unheard && self.world().planted == Some(Planted::SentTwice) {
            return self.leave(vehicle, instruction).await;
        }
        answer
    }

    async fn read(
        &self,
        _: &Access,
        vehicle: &str,
        observable: Observable,
    ) -> Result<Reading, ConnectorError> {
        self.process.pass().await;
        let world = self.world();
        if world.fails(300) {
            let fault = world.one_of(&[Fault::Unavailable, Fault::VehicleState]);
            return Err(error(Happened::Refused, fault));
        }
        let now = world.now();
        let (car, _) = Self::unmarked(vehicle);
        let seen = self.cars.with(car, now, |car| *car);
        let observation = match observable {
            Observable::Charge => Observation::Charge(Charge {
                is_plugged_in: Some(true),
                state: if seen.is_charging {
                    ChargeState::Charging
                } else {
                    ChargeState::NotCharging
                },
            }),
            Observable::ChargeLimit => {
                Observation::ChargeLimit(ObservedLimit { limit: seen.limit })
            }
            _ => Observation::LockStatus(LockStatus {
                is_locked: seen.is_locked,
                ..LockStatus::default()
            }),
        };
        // The car told it when it last changed, just now, or nobody knows when.
        let reported_at = world.one_of(&[Some(seen.changed_at), Some(now), None]);
        self.process.pass().await;
        Ok(Reading { observation, reported_at, fetched_at: now })
    }

    fn authorize_url(&self, _: &AuthorizeRequest) -> String {
        unreachable!("nobody connects a car in a rehearsal")
    }

    fn reauthenticate_url(&self, _: &ReauthenticateRequest) -> String {
        unreachable!("nobody mends an account in a rehearsal")
    }

    async fn exchange_code(&self, _: &str, _: &str) -> Result<TokenPair, ConnectorError> {
        unreachable!("nobody connects a car in a rehearsal")
    }

    async fn refresh(&self, _: &SecretString) -> Result<TokenPair, ConnectorError> {
        unreachable!("a rehearsal speaks API v3, which has no refresh tokens")
    }

    async fn user_id(&self, _: &SecretString) -> Result<String, ConnectorError> {
        unreachable!("nobody connects a car in a rehearsal")
    }

    async fn consented_vehicles(
        &self,
        _: &Access,
        _: &str,
        _: &'static str,
    ) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
        unreachable!("nobody connects a car in a rehearsal")
    }

    async fn permissions(&self, _: &Access, _: &str) -> Result<Vec<String>, ConnectorError> {
        unreachable!("this cloud never says that a permission is missing")
    }

    async fn read_batch(
        &self,
        _: &Access,
        _: &str,
        _: &[Observable],
    ) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
        unreachable!("nobody reads several things in a rehearsal")
    }

    async fn disconnect(&self, _: &Access, _: &str) -> Result<(), ConnectorError> {
        unreachable!("nobody disconnects a car in a rehearsal")
    }
}

//! What people do in a run: they ask, ask again where they were told nothing, end grants and close
//! accounts; and what befalls the processes meanwhile.

use std::time::Duration;

use super::process::Instance;
use super::run::Stage;
use super::story::{Act, NOTE, Scene};
use super::trace::{Ended, Happening, Told};
use crate::domain::command::Command;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::service::commands::reconcile::settle_by_readings;
use crate::service::commands::{CommandRequest, Dispatched, dispatch};
use crate::service::grants::{AmendedGrant, AnswerWhen, Changes, EndedGrant, Ending, amend, end};
use crate::service::users::disable;
use crate::service::{Caller, Error, Expected, StateFault};
use crate::storage::decisions;

/// How many times a client sends a request until it gets an answer.
const ASKS_MAX: usize = 4;

impl Stage {
    /// Plays one scene.
    pub(super) async fn scene(&self, Scene { at, place, act }: Scene) {
        tokio::time::sleep(at).await;
        match act {
            Act::Command { request, wait, patience } => {
                self.command(place, request, wait, patience).await;
            }
            Act::End { grant_id, caller, how, waits } => {
                self.end(place, grant_id, &caller, how, waits).await;
            }
            Act::Amend { grant_id, caller, changes } => {
                self.amend(place, grant_id, &caller, &changes).await;
            }
            Act::Switch { grant_id, vehicle_id, caller, then } => {
                self.switch(place, &caller, (grant_id, vehicle_id), then).await;
            }
            Act::EndAll { caller, ending } => self.end_all(place, &caller, &ending).await,
            Act::Hold { caller, new, lifted_after } => {
                self.hold(place, &caller, &new, lifted_after).await;
            }
            Act::News { vehicle_id } => self.news(place, vehicle_id).await,
            Act::Close { user_id, caller } => self.close(place, user_id, &caller).await,
            Act::Death { after } => {
                let victim = Self::lock(&self.places[place]).take();
                let Some(victim) = victim else { return };
                victim.die();
                tokio::time::sleep(after).await;
                self.start(place);
            }
            Act::Stall { time } => {
                if let Some(instance) = self.at(place) {
                    instance.process.stand_still(time);
                }
            }
            Act::Outage { time } => self.world.plan_outage(time),
            Act::Restart => {
                let old = Self::lock(&self.places[place]).take();
                let Some(old) = old else { return };
                old.stop();
                self.start(place);
            }
        }
    }

    async fn command(
        &self,
        mut place: usize,
        request: CommandRequest,
        wait: Duration,
        patience: Option<Duration>,
    ) {
        for _ in 0..ASKS_MAX {
            if self.ask(place, &request, wait, patience).await {
                return;
            }
            if self.world.below(3) == 0 {
                return;
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    /// One try; returns whether it was answered.
    pub(super) async fn ask(
        &self,
        place: usize,
        request: &CommandRequest,
        wait: Duration,
        patience: Option<Duration>,
    ) -> bool {
        let (key, asked_for) = (request.idempotency_key.clone(), request.instruction);
        let Some(instance) = self.at(place) else {
            self.world.note(Happening::NotTold { key, why: "nobody is there" });
            return false;
        };
        let began = self.world.elapsed();
        // A process that stops turns people away.
        let is_calm = || self.world.calm && !instance.process.stop.is_cancelled();
        let happening = match self.answer(&instance, request, wait, patience).await {
            Ok(Ok(Dispatched { command: Command { command_id, status, .. }, replayed })) => {
                let (after, calm) = (self.world.elapsed() - began, is_calm());
                let settled = self.world.settles();
                let told = Told {
                    key,
                    asked_for,
                    command_id,
                    status,
                    replayed,
                    after,
                    wait,
                    calm,
                    settled,
                };
                Happening::Told(told)
            }
            Ok(Err(Error::KeyReused)) => Happening::KeyReused { key, asked_for },
            Ok(Err(Error::Refused(_))) => {
                Happening::RefusedAgain { key, asked_for, asked_at: began }
            }
            Ok(Err(error)) => {
                Happening::Failed { key, error: format!("{error:?}"), calm: is_calm() }
            }
            Err(why) => Happening::NotTold { key, why },
        };
        let is_answered =
            !matches!(happening, Happening::NotTold { .. } | Happening::Failed { .. });
        self.world.note(happening);
        is_answered
    }

    /// The answer to one try; why there was none, if the process dies or the client hangs up.
    async fn answer(
        &self,
        instance: &Instance,
        request: &CommandRequest,
        wait: Duration,
        patience: Option<Duration>,
    ) -> Result<Result<Dispatched, Error>, &'static str> {
        let (key, process) = (request.idempotency_key.clone(), instance.process.number);
        self.world.note(Happening::Asked { key, process });
        self.world.pass().await;
        let patience = patience.unwrap_or(Duration::from_secs(60));
        tokio::select! {
            biased;
            () = instance.process.dead.cancelled() => Err("the process died"),
            answer = dispatch(&instance.service, request.clone(), wait) => Ok(answer),
            () = tokio::time::sleep(patience) => Err("the client hung up"),
        }
    }

    /// Hands a process what a car sends of its own accord. It is sent once.
    async fn news(&self, place: usize, vehicle_id: VehicleId) {
        let Some(instance) = self.at(place) else { return };
        let reading = self.cars.news(vehicle_id, self.world.now());
        let settle = async {
            let mut reader = instance.service.base.store.read().await?;
            let cars = decisions::vehicles(&mut reader, &[vehicle_id]).await?;
            drop(reader);
            for car in cars {
                settle_by_readings(&instance.service, &car, std::slice::from_ref(&reading)).await?;
            }
            Ok::<(), Error>(())
        };
        let taken = tokio::select! {
            biased;
            () = instance.process.dead.cancelled() => false,
            settled = settle => settled.is_ok(),
        };
        self.world.note(Happening::News { vehicle_id, taken });
    }

    async fn end(
        &self,
        mut place: usize,
        grant_id: GrantId,
        caller: &Caller,
        how: Ended,
        waits: bool,
    ) {
        for _ in 0..ASKS_MAX {
            match self.try_to_end(place, grant_id, caller, how, waits).await {
                Ok(EndedGrant { in_flight, .. }) => {
                    let in_flight = in_flight.len();
                    return self.world.note(Happening::Ended { grant_id, waits, in_flight });
                }
                Err(why) => self.world.note(Happening::NotEnded { grant_id, why }),
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    async fn amend(&self, mut place: usize, grant_id: GrantId, caller: &Caller, changes: &Changes) {
        for _ in 0..ASKS_MAX {
            let Some(instance) = self.at(place) else { return };
            let (base, wait) = (&instance.service.base, AnswerWhen::Ended);
            let happening = tokio::select! {
                biased;
                () = instance.process.dead.cancelled() => None,
                amended = amend(base, caller, grant_id, &Expected::Any, changes, wait) => match amended {
                    Ok(AmendedGrant { grant, effect, .. }) => {
                        Some(Happening::Amended { grant_id, effect, version: grant.version })
                    }
                    Err(Error::State(StateFault::GrantEnded)) => {
                        Some(Happening::NotAmended { grant_id })
                    }
                    // The request does not fit the grant, or it is asked again.
                    Err(Error::Invalid(_)) => return,
                    Err(_) => None,
                },
            };
            if let Some(happening) = happening {
                return self.world.note(happening);
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    async fn close(&self, mut place: usize, user_id: UserId, caller: &Caller) {
        for _ in 0..ASKS_MAX {
            if let Some(instance) = self.at(place) {
                let closed = tokio::select! {
                    biased;
                    () = instance.process.dead.cancelled() => false,
                    closed = disable(&instance.service.base, caller, user_id) => closed.is_ok(),
                };
                if closed {
                    return;
                }
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            place = self.world.below(self.places.len());
        }
    }

    async fn try_to_end(
        &self,
        place: usize,
        grant_id: GrantId,
        caller: &Caller,
        how: Ended,
        waits: bool,
    ) -> Result<EndedGrant, String> {
        let instance = self.at(place).ok_or("nobody is there")?;
        let process = instance.process.number;
        self.world.note(Happening::EndAsked { grant_id, process, waits, how });
        let wait = if waits { AnswerWhen::Drained } else { AnswerWhen::Ended };
        let service = &instance.service;
        let ending = match how {
            Ended::GivenBack => Ending::Relinquish { judged: &[] },
            Ended::Revoked | Ended::LockLeft => {
                Ending::Revoke { note: Some(NOTE), leave_lock: how == Ended::LockLeft }
            }
        };
        tokio::select! {
            biased;
            () = instance.process.dead.cancelled() => Err("the process died".to_owned()),
            ended = end(&service.base, caller, grant_id, ending, wait) => ended.map_err(|error: Error| format!("{error:?}")),
        }
    }
}

//! People who pause what grants allow and take that back after a while, and who end all grants of a scope.

use std::time::Duration;

use super::process::Instance;
use super::run::Stage;
use super::trace::Happening;
use crate::domain::id::HoldId;
use crate::service::Caller;
use crate::service::ends::{self, EndingOfScope};
use crate::service::grants::AnswerWhen;
use crate::service::holds::{NewHold, lift, place};
use crate::service::idempotency::Idempotency;

/// How many times somebody tries until they get an answer.
const TRIES_MAX: usize = 4;

impl Stage {
    /// Places a hold, and lifts it after this time, if one is said.
    pub(super) async fn hold(
        &self,
        mut at: usize,
        caller: &Caller,
        new: &NewHold,
        lifted_after: Option<Duration>,
    ) {
        let mut placed = None;
        for _ in 0..TRIES_MAX {
            if let Some(instance) = self.at(at) {
                placed = try_to_place(&instance, caller, new).await;
            }
            if placed.is_some() {
                break;
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            at = self.world.below(self.places.len());
        }
        let Some(hold_id) = placed else { return };
        self.world.note(Happening::Held { hold_id });
        let Some(after) = lifted_after else { return };
        tokio::time::sleep(after).await;
        if let Some(instance) = self.at(self.world.below(self.places.len())) {
            self.world.note(Happening::LiftAsked { hold_id });
            tokio::select! {
                biased;
                () = instance.process.dead.cancelled() => {}
                // One that was not lifted stands.
                lifted = lift(&instance.service.base, caller, hold_id) => {
                    self.world.note(Happening::Lifted { hold_id, done: lifted.is_ok() });
                }
            }
        }
    }
}

impl Stage {
    /// Ends all grants of a scope.
    pub(super) async fn end_all(&self, mut at: usize, caller: &Caller, ending: &EndingOfScope) {
        let once = Idempotency { key: None, request_hash: [0; 32] };
        for _ in 0..TRIES_MAX {
            if let Some(instance) = self.at(at) {
                let base = &instance.service.base;
                let ended = tokio::select! {
                    biased;
                    () = instance.process.dead.cancelled() => false,
                    ended = ends::end(base, caller, &once, ending, AnswerWhen::Ended) => ended.is_ok(),
                };
                if ended {
                    let scope = ending.scope.as_uuid();
                    return self.world.note(Happening::EndedAll { scope });
                }
            }
            tokio::time::sleep(self.world.up_to(1000)).await;
            at = self.world.below(self.places.len());
        }
    }
}

/// The hold, if it is known to be placed.
async fn try_to_place(instance: &Instance, caller: &Caller, new: &NewHold) -> Option<HoldId> {
    let once = Idempotency { key: None, request_hash: [0; 32] };
    let base = &instance.service.base;
    tokio::select! {
        biased;
        () = instance.process.dead.cancelled() => None,
        placed = place(base, caller, &once, new, AnswerWhen::Ended) => match placed {
            Ok(placed) => Some(placed.value.hold.standing.hold_id),
            Err(_) => None,
        },
    }
}

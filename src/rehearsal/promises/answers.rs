//! What clients were told: that it was durable, about their own request, and in time.

use std::time::Duration;

use uuid::Uuid;

use super::{Known, Reader, words};
use crate::domain::command::CommandStatus;
use crate::domain::instruction::Instruction;
use crate::rehearsal::surroundings::CONNECTOR_TIMEOUT;
use crate::rehearsal::trace::Told;
use crate::service::refusals::SINGLY_MAX;

impl Reader {
    pub(super) fn told(&mut self, told: &Told) {
        let Told { key, asked_for, command_id, status, replayed, after, wait, calm, settled } =
            told;
        let known = self.commands.get(&command_id.as_uuid());
        let is_durable =
            known.is_some_and(|known| known.key == *key && known.history.contains(status));
        let is_another = known.is_some_and(|known| known.sent_as.2 != words(asked_for));
        let is_outdated = known.is_some_and(|known| known.history.last() != Some(status));
        if !is_durable {
            self.breaks("P6", format!("{key} got the answer {status}, which was not durable"));
        } else if *settled && is_outdated {
            self.breaks("P6", format!("{key} got the old status {status} at the end of the run"));
        } else if is_another {
            self.breaks(
                "P6",
                format!("{key} asked for {asked_for} and got the answer to another request"),
            );
        }
        if *status == CommandStatus::Sending {
            if !self.ragged && is_outdated && *after + Duration::from_secs(1) < *wait {
                let what = format!("{key} got the old status {status} before its wait was over");
                self.outdated.push(what);
            }
            if *replayed && after < wait {
                self.breaks(
                    "none",
                    format!("{key} was answered `sending` before its wait was over"),
                );
            } else if *calm && *wait > CONNECTOR_TIMEOUT {
                self.breaks(
                    "none",
                    format!("{key} was still `sending` after {after:?} in a calm world"),
                );
            }
        }
    }

    pub(super) fn told_of_reuse(&mut self, key: &str, asked_for: &Instruction) {
        let is_reused = |known: &Known| known.key == key && known.sent_as.2 != words(asked_for);
        if !self.commands.values().any(is_reused) {
            self.breaks(
                "P6",
                format!("{key} was refused as reused, and no other request had used it"),
            );
        }
    }

    /// Nothing is kept of this refusal, so that an allowed command of this key would be one that was allowed before: for the same
    /// request, or for another one that was decided on before this one was asked for.
    pub(super) fn told_of_refusal(
        &mut self,
        key: &str,
        asked_for: &Instruction,
        asked_at: Duration,
    ) {
        let is_allowed = |known: &Known| {
            known.key == key
                && known.history.first() != Some(&CommandStatus::Refused)
                && (known.sent_as.2 == words(asked_for) || known.begun_at < asked_at)
        };
        if self.commands.values().any(is_allowed) {
            self.breaks("P5", format!("{key} was refused, and had been allowed before"));
        }
        let refused = |known: &&Known| known.history.first() == Some(&CommandStatus::Refused);
        if self.commands.values().filter(refused).count() < SINGLY_MAX as usize {
            self.breaks("none", format!("nothing was kept of {key}, and few were refused before"));
        }
    }

    pub(super) fn told_of_end(&mut self, grant_id: Uuid) {
        self.must_have_ended(grant_id);
        self.told_ended.insert(grant_id);
    }

    /// Somebody was told that a grant has ended, by an act or by their instance's clock.
    pub(super) fn must_have_ended(&mut self, grant_id: Uuid) {
        const CLOCKS_APART_MICROS: i64 = 2_000_000;
        let now = crate::rehearsal::world::beginning().plus(self.now).as_unix_micros();
        let is_over = self
            .terms
            .get(&grant_id)
            .is_some_and(|terms| terms.not_after <= now + CLOCKS_APART_MICROS);
        let has_ended = self.ended.contains(&grant_id) || self.ended_by_scope.contains(&grant_id);
        if !has_ended && !is_over {
            self.breaks(
                "P6",
                format!("{grant_id} was said to have ended, and nothing was durable"),
            );
        }
    }
}

//! What left for the cars and what they did: at most what was authorized, and what is said of it. And
//! what holds of every command at the end.

use std::collections::BTreeMap;

use super::{Known, Reader, SentAs};
use crate::domain::command::CommandStatus;
use crate::rehearsal::trace::Send;

impl Reader {
    /// The commands that a call to the cloud may be, and those of them that may still go.
    pub(super) fn candidates<'r>(&'r self, sent_as: &'r SentAs) -> impl Iterator<Item = &'r Known> {
        self.commands.values().filter(move |known| {
            known.sent_as == *sent_as && known.history.first() == Some(&CommandStatus::Sending)
        })
    }

    pub(super) fn is_drained(&self, known: &Known) -> bool {
        known.grant_id.is_some_and(|grant_id| self.drained.contains(&grant_id))
            && !self.is_lock_left(known)
    }

    /// Whether the end of its grant has left it: then it may be authorized, and leave, afterwards.
    fn is_lock_left(&self, known: &Known) -> bool {
        known.locks && known.grant_id.is_some_and(|id| self.locks_left.contains_key(&id))
    }

    pub(super) fn is_late(&self, known: &Known) -> bool {
        let ended_before = self.asked.get(&known.key);
        !self.is_lock_left(known)
            && known.grant_id.zip(ended_before).is_some_and(|(id, ended)| ended.contains(&id))
    }

    pub(super) fn let_go(&mut self, send: Send, sent_as: SentAs) {
        let left = *self.left.entry(sent_as.clone()).and_modify(|left| *left += 1).or_insert(1);
        let count = |allowed: &dyn Fn(&Known) -> bool| {
            self.candidates(&sent_as).filter(|known| allowed(known)).count() as i64
        };
        let (all, on_time, open) = (count(&|_| true), count(&|known| !self.is_late(known)), {
            count(&|known| !self.is_drained(known))
        });
        let about = format!("send {send} of {sent_as:?}");
        if all == 0 {
            self.breaks("P1", format!("{about} left before it was authorized"));
        } else if left > all {
            self.breaks("P4", format!("{about} left a second time"));
        } else if left > on_time {
            self.breaks("P2", format!("{about} was asked for after the end of its grant was told"));
        } else if open == 0 {
            self.breaks("P3", format!("{about} left after its grant was drained"));
        }
        self.sends.insert(send, sent_as);
    }

    pub(super) fn did(&mut self, send: Send) {
        let Some(sent_as) = self.sends.get(&send).cloned() else {
            return self.breaks("P1", format!("the car did {send}, which never left"));
        };
        let all_drained = self.candidates(&sent_as).all(|known| self.is_drained(known));
        if all_drained && self.candidates(&sent_as).next().is_some() {
            self.breaks("P3", format!("the car did {send} after its grant was drained"));
        }
        *self.done.entry(sent_as).or_insert(0) += 1;
    }

    /// Acknowledgements that no command shows, although the process that heard them could write them.
    pub(super) fn lost_acknowledgements(&self) -> impl Iterator<Item = String> {
        let mut heard: BTreeMap<&SentAs, usize> = BTreeMap::new();
        let alive = self.acknowledged.iter().filter(|(process, _)| !self.died.contains(process));
        for (_, send) in alive.filter(|_| !self.was_hindered) {
            *heard.entry(&self.sends[send]).or_default() += 1;
        }
        heard.into_iter().filter_map(|(sent_as, heard)| {
            let was = |known: &&Known| known.history.contains(&CommandStatus::Acknowledged);
            let written = self.candidates(sent_as).filter(was).count();
            (written < heard).then(|| format!("an acknowledgement of {sent_as:?} was lost"))
        })
    }

    pub(super) fn end(&mut self) {
        let mut broken = Vec::new();
        for (sent_as, done) in &self.done {
            // The state of a car contradicts only if nothing else was sent to it.
            let is_alone = self.sends.values().filter(|other| other.1 == sent_as.1).count() == 1;
            let never = |known: &&Known| {
                use CommandStatus::{Cancelled, Contradicted, Expired, Failed, Refused};
                match known.history.last() {
                    Some(Cancelled | Expired | Failed | Refused) => true,
                    Some(Contradicted) => is_alone,
                    _ => false,
                }
            };
            let may_be = self.candidates(sent_as).filter(|known| !never(known)).count() as i64;
            let all = self.candidates(sent_as).count() as i64;
            if *done > all {
                broken.push(("P4", format!("{sent_as:?} was done {done} times")));
            } else if *done > may_be {
                broken.push(("P5", format!("{sent_as:?} was done, and is said not to have been")));
            }
        }
        if !self.was_hindered {
            broken.extend(self.outdated.drain(..).map(|what| ("none", what)));
        }
        broken.extend(self.lost_acknowledgements().map(|what| ("P6", what)));
        for (command_id, known) in &self.commands {
            if known.history.last().is_none_or(|last| !last.is_terminal()) {
                broken.push(("P6", format!("{command_id} stays {:?}", known.history.last())));
            }
        }
        for (grant_id, uses) in &self.uses {
            let spent = self.commands.values().filter(|known| {
                known.grant_id == Some(*grant_id)
                    && known.spends_use
                    && known.history.first() == Some(&CommandStatus::Sending)
            });
            let spent = spent.count() as i64;
            if spent != *uses {
                broken
                    .push(("P2", format!("grant {grant_id} has {uses} uses and {spent} unlocks")));
            }
        }
        for (promise, what) in broken {
            self.breaks(promise, what);
        }
    }
}

//! What was promised, read off a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::story::OWNER;
use super::trace::{Happening, Moment, Send};
use crate::domain::command::CommandStatus;
use crate::domain::grant::EndReason;
use crate::domain::instruction::Instruction;
use crate::storage::db::rehearsal::{RehearsalRow, Table, Written};
use crate::storage::record_queue::meaning::entry_ids;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) promise: &'static str,
    pub(super) what: String,
}

/// What a grant allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    grant_id: Uuid,
    uses_max: Option<i64>,
    /// Microseconds since 1970.
    not_after: i64,
}

impl Terms {
    pub(super) fn of(row: &RehearsalRow) -> Self {
        Self {
            grant_id: row.id("grant_id").unwrap(),
            uses_max: row.integer("uses_max"),
            not_after: row.integer("not_after").unwrap(),
        }
    }
}

/// What is known of a command.
#[derive(Debug)]
struct Known {
    key: String,
    grant_id: Option<Uuid>,
    /// Where the car is, and what it was to do, as the cloud is told.
    sent_as: SentAs,
    spends_use: bool,
    /// Every status that was committed, the newest last.
    history: Vec<CommandStatus>,
}

/// What a call to the cloud shows of the commands it may be: their transaction, the car, and what
/// it is to do. Mostly there is one.
type SentAs = (u64, String, String);

/// The state of the world at a moment of the trace.
#[derive(Debug, Default)]
struct Reader {
    broken: Vec<Broken>,
    commands: BTreeMap<Uuid, Known>,
    ended: BTreeSet<Uuid>,
    /// As what somebody asked for the end of a grant.
    asked_ends: BTreeSet<(Uuid, EndReason)>,
    /// People whose accounts are closed.
    closed: BTreeSet<Uuid>,
    /// Grants of which somebody was told that they have ended.
    told_ended: BTreeSet<Uuid>,
    /// Grants of which somebody was told that nothing is in flight any more.
    drained: BTreeSet<Uuid>,
    uses: BTreeMap<Uuid, i64>,
    /// Keys under which requests began before that was told, by grant.
    asked: BTreeMap<String, BTreeSet<Uuid>>,
    sends: BTreeMap<Send, SentAs>,
    left: BTreeMap<SentAs, i64>,
    done: BTreeMap<SentAs, i64>,
    /// What the cloud acknowledged in a calm world, where no such answer is lost.
    acknowledged: BTreeMap<SentAs, usize>,
}

/// Every promise that the trace breaks.
pub(super) fn broken(trace: &[Moment], terms: &[Terms]) -> Vec<Broken> {
    let mut reader = Reader::default();
    for moment in trace {
        reader.read(moment, terms);
    }
    reader.end();
    reader.broken
}

impl Reader {
    fn breaks(&mut self, promise: &'static str, what: impl Into<String>) {
        self.broken.push(Broken { promise, what: what.into() });
    }

    fn read(&mut self, moment: &Moment, terms: &[Terms]) {
        match &moment.happening {
            Happening::Asked { key, .. } => {
                // Only what was told before counts.
                self.asked.entry(key.clone()).or_insert_with(|| self.told_ended.clone());
            }
            Happening::Committed { transaction, rows, .. } => {
                self.committed(*transaction, rows, terms);
            }
            Happening::Told { key, asked_for, command_id, status } => {
                self.told(key, asked_for, command_id.as_uuid(), *status);
            }
            Happening::ToldAgain { key, status, after, wait } => {
                if *status == CommandStatus::Sending && after < wait {
                    self.breaks("none", format!("{key} was not waited for"));
                }
            }
            Happening::Failed { key, error, calm: true } => {
                self.breaks("none", format!("nothing was wrong, and {key} was told {error}"));
            }
            Happening::KeyReused { key, asked_for } => self.told_of_reuse(key, asked_for),
            Happening::Ended { grant_id, waits, in_flight } => {
                self.told_of_end(grant_id.as_uuid(), moment.at, terms);
                if *waits && *in_flight == 0 {
                    self.drained.insert(grant_id.as_uuid());
                }
            }
            Happening::Left { send, transaction, car, instruction, .. } => {
                self.let_go(*send, (*transaction, car.clone(), words(instruction)));
            }
            Happening::TokenRefused { send } => {
                if let Some(left) = self.sends.get(send).and_then(|as_| self.left.get_mut(as_)) {
                    *left -= 1;
                }
            }
            Happening::Acknowledged { send, calm: true } => {
                let sent_as = self.sends.get(send).cloned();
                *self.acknowledged.entry(sent_as.unwrap_or_default()).or_insert(0) += 1;
            }
            Happening::Done { send } => self.did(*send),
            Happening::EndAsked { grant_id, gives_back, .. } => {
                let end = if *gives_back { EndReason::Relinquished } else { EndReason::Revoked };
                self.asked_ends.insert((grant_id.as_uuid(), end));
            }
            Happening::Failed { .. }
            | Happening::Acknowledged { .. }
            | Happening::NotTold { .. }
            | Happening::NotEnded { .. }
            | Happening::Began { .. }
            | Happening::Died { .. }
            | Happening::StoodStill { .. }
            | Happening::WentAway { .. }
            | Happening::AnswerLost { .. }
            | Happening::Stopped { .. } => {}
        }
    }

    fn committed(&mut self, transaction: u64, rows: &[Written], terms: &[Terms]) {
        let of = |table| rows.iter().filter(move |(of, _)| *of == table).map(|(_, row)| row);
        let entries: BTreeSet<(Option<Uuid>, &str)> = of(Table::AuditEntries)
            .map(|row| (row.id("command_id"), row.text("event").unwrap()))
            .collect();
        let queued: BTreeSet<Uuid> = of(Table::RecordQueue)
            .flat_map(|row| entry_ids(row.bytes("entries").unwrap()))
            .collect();
        if of(Table::AuditEntries).any(|row| !queued.contains(&row.id("entry_id").unwrap())) {
            self.breaks("P1", format!("transaction {transaction} has an entry that is not queued"));
        }
        for row in of(Table::Commands) {
            self.command(transaction, row, &entries);
        }
        for row in of(Table::Grants) {
            let grant_id = row.id("grant_id").unwrap();
            let uses = row.integer("uses").unwrap();
            let terms = terms.iter().find(|terms| terms.grant_id == grant_id);
            if terms.and_then(|terms| terms.uses_max).is_some_and(|uses_max| uses > uses_max) {
                self.breaks("P2", format!("grant {grant_id} was used {uses} times"));
            }
            self.uses.insert(grant_id, uses);
            if row.integer("ended_at").is_some() && self.ended.insert(grant_id) {
                let end: EndReason = row.text("end_reason").unwrap().parse().unwrap();
                let event = format!("grant.{end}");
                let is_recorded = of(Table::AuditEntries).any(|entry| {
                    entry.id("grant_id") == Some(grant_id)
                        && entry.text("event") == Some(event.as_str())
                });
                if !is_recorded || !self.asked_ends.contains(&(grant_id, end)) {
                    self.breaks(
                        "P1",
                        format!("{grant_id} was {end}, which nobody asked or recorded"),
                    );
                }
            }
        }
        let is_closed = |row: &&Arc<RehearsalRow>| row.integer("disabled_at").is_some();
        self.closed.extend(of(Table::Users).filter(is_closed).filter_map(|row| row.id("user_id")));
    }

    fn command(
        &mut self,
        transaction: u64,
        row: &RehearsalRow,
        entries: &BTreeSet<(Option<Uuid>, &str)>,
    ) {
        let command_id = row.id("command_id").unwrap();
        let status: CommandStatus = row.text("status").unwrap().parse().unwrap();
        let before = self.commands.get(&command_id).and_then(|known| known.history.last().copied());
        if before == Some(status) {
            // Only a look at the car was planned.
            return;
        }
        let event = match status {
            CommandStatus::Sending => "command.authorized".to_owned(),
            other => format!("command.{other}"),
        };
        if !entries.contains(&(Some(command_id), event.as_str())) {
            self.breaks("P1", format!("{command_id} became {status} without an entry"));
        }
        match before {
            Some(before) => {
                if !before.may_become(status) {
                    self.breaks("P5", format!("{command_id} went from {before} to {status}"));
                }
                if let Some(known) = self.commands.get_mut(&command_id) {
                    known.history.push(status);
                }
            }
            None => self.begun(transaction, command_id, status, row),
        }
    }

    fn begun(
        &mut self,
        transaction: u64,
        command_id: Uuid,
        status: CommandStatus,
        row: &RehearsalRow,
    ) {
        let key = row.text("idempotency_key").unwrap().to_owned();
        if self.commands.values().any(|known| known.key == key) {
            self.breaks("P4", format!("{key} became a second command, {command_id}"));
        }
        let grant_id = row.id("grant_id");
        if status == CommandStatus::Sending && grant_id.is_some_and(|id| self.ended.contains(&id)) {
            self.breaks("P2", format!("{command_id} was authorized after its grant had ended"));
        }
        let people = [row.id("user_id").unwrap(), Uuid::from_u128(OWNER)];
        if status == CommandStatus::Sending && people.iter().any(|id| self.closed.contains(id)) {
            self.breaks("P2", format!("{command_id} was authorized for a closed account"));
        }
        let action = row.text("action").unwrap().parse().unwrap();
        let instruction = Instruction::restore(action, row.text("parameters")).unwrap();
        let car = format!("car-{}", row.id("vehicle_id").unwrap().as_u128());
        let sent_as = (transaction, car, words(&instruction));
        let spends_use = instruction.action().spends_use();
        let history = vec![status];
        self.commands.insert(command_id, Known { key, grant_id, sent_as, spends_use, history });
    }

    fn told(
        &mut self,
        key: &str,
        asked_for: &Instruction,
        command_id: Uuid,
        status: CommandStatus,
    ) {
        let known = self.commands.get(&command_id);
        let is_durable =
            known.is_some_and(|known| known.key == key && known.history.contains(&status));
        if !is_durable {
            self.breaks("P6", format!("{key} was told {status} and nothing of it was durable"));
        } else if known.is_some_and(|known| known.sent_as.2 != words(asked_for)) {
            self.breaks(
                "P6",
                format!("{key} asked for {asked_for} and was told of another request"),
            );
        }
    }

    fn told_of_reuse(&mut self, key: &str, asked_for: &Instruction) {
        let is_reused = |known: &Known| known.key == key && known.sent_as.2 != words(asked_for);
        if !self.commands.values().any(is_reused) {
            self.breaks("P6", format!("{key} was refused for a reuse that there was not"));
        }
    }

    fn told_of_end(&mut self, grant_id: Uuid, at: Duration, terms: &[Terms]) {
        const CLOCKS_APART_MICROS: i64 = 2_000_000;
        let now = super::world::beginning().plus(at).as_unix_micros();
        let terms = terms.iter().find(|terms| terms.grant_id == grant_id);
        let is_over = terms.is_some_and(|terms| terms.not_after <= now + CLOCKS_APART_MICROS);
        if !self.ended.contains(&grant_id) && !is_over {
            self.breaks(
                "P6",
                format!("{grant_id} was said to have ended, and nothing was durable"),
            );
        }
        self.told_ended.insert(grant_id);
    }

    /// The commands that a call to the cloud may be, and those of them that may still go.
    fn candidates<'r>(&'r self, sent_as: &'r SentAs) -> impl Iterator<Item = &'r Known> {
        self.commands.values().filter(move |known| {
            known.sent_as == *sent_as && known.history.first() == Some(&CommandStatus::Sending)
        })
    }

    fn is_drained(&self, known: &Known) -> bool {
        known.grant_id.is_some_and(|grant_id| self.drained.contains(&grant_id))
    }

    fn is_late(&self, known: &Known) -> bool {
        let ended_before = self.asked.get(&known.key);
        known.grant_id.zip(ended_before).is_some_and(|(grant_id, ended)| ended.contains(&grant_id))
    }

    fn let_go(&mut self, send: Send, sent_as: SentAs) {
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

    fn did(&mut self, send: Send) {
        let Some(sent_as) = self.sends.get(&send).cloned() else {
            return self.breaks("P1", format!("the car did {send}, which never left"));
        };
        let all_drained = self.candidates(&sent_as).all(|known| self.is_drained(known));
        if all_drained && self.candidates(&sent_as).next().is_some() {
            self.breaks("P3", format!("the car did {send} after its grant was drained"));
        }
        *self.done.entry(sent_as).or_insert(0) += 1;
    }

    fn end(&mut self) {
        let mut broken = Vec::new();
        for (sent_as, done) in &self.done {
            let never = |known: &&Known| {
                use CommandStatus::{Cancelled, Expired, Failed, Refused};
                let last = known.history.last();
                matches!(last, Some(Cancelled | Expired | Failed | Refused))
            };
            let may_be = self.candidates(sent_as).filter(|known| !never(known)).count() as i64;
            let all = self.candidates(sent_as).count() as i64;
            if *done > all {
                broken.push(("P4", format!("{sent_as:?} was done {done} times")));
            } else if *done > may_be {
                broken.push(("P5", format!("{sent_as:?} was done, and is said not to have been")));
            }
        }
        for (sent_as, count) in &self.acknowledged {
            let was = |known: &&Known| known.history.contains(&CommandStatus::Acknowledged);
            if self.candidates(sent_as).filter(was).count() < *count {
                broken.push(("P6", format!("an acknowledgement of {sent_as:?} was lost")));
            }
        }
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

fn words(instruction: &Instruction) -> String {
    format!("{instruction} {}", instruction.parameters().unwrap_or_default())
}

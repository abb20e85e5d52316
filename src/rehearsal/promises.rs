//! What was promised, read off a trace.

mod amendments;
mod answers;
mod replay;
mod scopes;
mod sends;
mod switches;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::story::{NOTE, OWNER};
pub(super) use amendments::Terms;
pub(super) use replay::decided_otherwise;

use super::trace::{Ended, Happening, Moment, Send};
use super::world::{Pace, World};
use crate::domain::command::CommandStatus;
use crate::domain::grant::EndReason;
use crate::domain::instruction::Instruction;
use crate::storage::db::rehearsal::{RehearsalRow, Table, Written};
use crate::storage::record_queue::meaning::entry_ids;

/// In a calm world every command reaches its last status within this time after its decision.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) promise: &'static str,
    pub(super) what: String,
}

/// What is known of a command.
#[derive(Debug)]
struct Known {
    key: String,
    begun_at: Duration,
    /// The process that decided on it, and when by its clock.
    decided: (u64, i64),
    grant_id: Option<Uuid>,
    /// Where the car is, and what it was to do, as the cloud is told.
    sent_as: SentAs,
    spends_use: bool,
    locks: bool,
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
    calm: bool,
    ragged: bool,
    /// Since the beginning.
    now: Duration,
    /// The process that committed last.
    committer: u64,
    commands: BTreeMap<Uuid, Known>,
    ended: BTreeSet<Uuid>,
    /// As what somebody asked for the end of a grant.
    asked_ends: BTreeSet<(Uuid, Ended)>,
    /// Grants that somebody asked to be switched to another car.
    asked_switches: BTreeSet<Uuid>,
    /// People whose accounts are closed.
    closed: BTreeSet<Uuid>,
    /// Grants of which somebody was told that they have ended.
    told_ended: BTreeSet<Uuid>,
    /// Grants of which somebody was told that nothing is in flight any more.
    drained: BTreeSet<Uuid>,
    uses: BTreeMap<Uuid, i64>,
    /// Until when cars may be locked with grants that were revoked so, in microseconds since 1970.
    locks_left: BTreeMap<Uuid, i64>,
    /// Who was authorized last to unlock each car.
    unlocked_by: BTreeMap<Uuid, Uuid>,
    /// The ends by scope, what they were over, and the grants that they ended.
    ended_scopes: BTreeSet<Uuid>,
    told_scopes: BTreeSet<Uuid>,
    ended_by_scope: BTreeSet<Uuid>,
    /// What each grant allows, as it was committed last.
    terms: BTreeMap<Uuid, Terms>,
    /// Every hold.
    holds: BTreeMap<Uuid, scopes::Known>,
    /// Those that somebody asked to be lifted.
    asked_lifts: BTreeSet<Uuid>,
    /// Keys under which requests began before that was told, by grant.
    asked: BTreeMap<String, BTreeSet<Uuid>>,
    sends: BTreeMap<Send, SentAs>,
    left: BTreeMap<SentAs, i64>,
    done: BTreeMap<SentAs, i64>,
    /// What the cloud acknowledged, and to which process.
    acknowledged: Vec<(u64, Send)>,
    died: BTreeSet<u64>,
    /// Answers with an old status that came before the client's wait was over.
    outdated: Vec<String>,
    /// A process stood still or the database was away, so that a process may have given up what took long.
    was_hindered: bool,
}

/// Every promise that the trace breaks.
pub(super) fn broken(trace: &[Moment], terms: Vec<Terms>, world: &World) -> Vec<Broken> {
    let terms = terms.into_iter().map(|terms| (terms.grant_id, terms)).collect();
    let (calm, ragged) = (world.calm, world.pace == Pace::Ragged);
    let mut reader = Reader { calm, ragged, terms, ..Reader::default() };
    for moment in trace {
        reader.now = moment.at;
        reader.read(moment);
    }
    reader.end();
    reader.broken
}

impl Reader {
    fn breaks(&mut self, promise: &'static str, what: impl Into<String>) {
        self.broken.push(Broken { promise, what: what.into() });
    }

    fn read(&mut self, moment: &Moment) {
        match &moment.happening {
            Happening::Asked { key, .. } => {
                // Only what was told before counts.
                self.asked.entry(key.clone()).or_insert_with(|| self.told_ended.clone());
            }
            Happening::Committed { process, transaction, rows } => {
                self.committer = *process;
                self.committed(*transaction, rows);
            }
            Happening::Told(told) => self.told(told),
            Happening::Failed { key, error, calm: true } => {
                self.breaks("none", format!("{key} got the error {error} in a calm world"));
            }
            Happening::KeyReused { key, asked_for } => self.told_of_reuse(key, asked_for),
            Happening::RefusedAgain { key, asked_for, asked_at } => {
                self.told_of_refusal(key, asked_for, *asked_at);
            }
            Happening::Ended { grant_id, waits, in_flight } => {
                self.told_of_end(grant_id.as_uuid());
                if *waits && *in_flight == 0 {
                    self.drained.insert(grant_id.as_uuid());
                } else if *waits && self.calm {
                    self.breaks("P3", format!("{grant_id} was not drained"));
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
            Happening::Acknowledged { send, process } => {
                self.acknowledged.push((*process, *send));
            }
            Happening::Done { send } => self.did(*send),
            Happening::EndAsked { grant_id, how, .. } => {
                self.asked_ends.insert((grant_id.as_uuid(), *how));
            }
            Happening::SwitchAsked { grant_id } => {
                self.asked_switches.insert(grant_id.as_uuid());
            }
            Happening::Switched { grant_id, new_id } => {
                self.told_of_switch(grant_id.as_uuid(), new_id.as_uuid());
            }
            Happening::Amended { grant_id, version, .. } => {
                self.told_of_amendment(grant_id.as_uuid(), *version);
            }
            Happening::Held { hold_id } => self.told_of_hold(hold_id.as_uuid()),
            Happening::LiftAsked { hold_id } => drop(self.asked_lifts.insert(hold_id.as_uuid())),
            Happening::Lifted { hold_id, done: true } => self.told_of_lift(hold_id.as_uuid()),
            Happening::EndedAll { scope } => self.told_of_end_of_all(*scope),
            Happening::NotAmended { grant_id } => self.must_have_ended(grant_id.as_uuid()),
            Happening::Died { process } => drop(self.died.insert(*process)),
            Happening::WentAway { .. } | Happening::StoodStill { .. } => self.was_hindered = true,
            Happening::Failed { .. }
            | Happening::Reconciled { .. }
            | Happening::News { .. }
            | Happening::Lifted { .. }
            | Happening::NotTold { .. }
            | Happening::NotEnded { .. }
            | Happening::Began { .. }
            | Happening::AnswerLost { .. }
            | Happening::Stopped { .. } => {}
        }
    }

    fn committed(&mut self, transaction: u64, rows: &[Written]) {
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
        for row in of(Table::ScopeEnds) {
            self.scope_ended(row);
        }
        for row in of(Table::Holds) {
            self.hold_changed(row, rows);
        }
        for row in of(Table::Commands) {
            self.command(transaction, row, &entries);
        }
        for row in of(Table::Grants) {
            let grant_id = row.id("grant_id").unwrap();
            let uses = row.integer("uses").unwrap();
            self.grant_changed(row, rows);
            if row.integer("uses_max").is_some_and(|uses_max| uses > uses_max) {
                self.breaks("P2", format!("grant {grant_id} was used {uses} times"));
            }
            self.uses.insert(grant_id, uses);
            if row.integer("ended_at").is_some() && self.ended.insert(grant_id) {
                self.grant_ended(grant_id, row, rows);
            }
        }
        let is_closed = |row: &&Arc<RehearsalRow>| row.integer("disabled_at").is_some();
        self.closed.extend(of(Table::Users).filter(is_closed).filter_map(|row| row.id("user_id")));
    }

    /// A grant ended in a transaction that wrote these rows, its own among them.
    fn grant_ended(&mut self, grant_id: Uuid, grant: &RehearsalRow, rows: &[Written]) {
        let of = |table| rows.iter().filter(move |(of, _)| *of == table).map(|(_, row)| row);
        let end: EndReason = grant.text("end_reason").unwrap().parse().unwrap();
        let event = format!("grant.{end}");
        let ended = (self.committer, grant.integer("ended_at").unwrap());
        let is_later = |known: &Known| {
            known.grant_id == Some(grant_id)
                && known.history.first() == Some(&CommandStatus::Sending)
                && known.decided.0 == ended.0
                && known.decided.1 > ended.1
        };
        if self.commands.values().any(is_later) {
            self.breaks("P2", format!("{grant_id} ended before what was decided on it"));
        }
        let entry = of(Table::AuditEntries).find(|entry| {
            entry.id("grant_id") == Some(grant_id) && entry.text("event") == Some(event.as_str())
        });
        let how = match (end, grant.is("leave_lock")) {
            (EndReason::Relinquished, _) => Ended::GivenBack,
            (_, true) => Ended::LockLeft,
            (_, false) => Ended::Revoked,
        };
        if how == Ended::LockLeft {
            self.lock_left(grant_id, ended.1);
        }
        let with_others = of(Table::AuditEntries).find(|entry| {
            entry.id("grant_id") == Some(grant_id) && entry.text("event") == Some("grant.ended")
        });
        if with_others.is_some() {
            return self.ended_with_others(grant_id);
        }
        let is_switched = how == Ended::LockLeft && of(Table::Grants).count() > 1;
        if is_switched && self.asked_switches.contains(&grant_id) {
            return self.switched(grant, rows);
        }
        if entry.is_none() || !self.asked_ends.contains(&(grant_id, how)) {
            self.breaks("P1", format!("{grant_id} was {end}, which nobody asked or recorded"));
        }
        let entry_id = entry.and_then(|entry| entry.id("entry_id"));
        let beside = of(Table::PersonalData).find(|kept| kept.id("entry_id") == entry_id);
        let kept = beside.and_then(|kept| kept.text("personal"));
        let written = (end == EndReason::Revoked).then(|| format!(r#"{{"note":"{NOTE}"}}"#));
        if kept != written.as_deref() {
            self.breaks("P1", format!("{grant_id} was {end} with {kept:?} beside the record"));
        }
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
            // Only a check of the car was planned.
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
                    let took = self.now - known.begun_at;
                    if self.calm && status.is_terminal() && took > SETTLED_WITHIN {
                        self.breaks("P6", format!("{command_id} was open for {took:?}"));
                    }
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
        if status == CommandStatus::Sending {
            self.must_be_allowed(command_id, row);
            self.must_not_be_held(command_id, row);
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
        let locks = instruction == Instruction::Lock;
        let (begun_at, history) = (self.now, vec![status]);
        let decided = (self.committer, row.integer("created_at").unwrap());
        self.commands.insert(
            command_id,
            Known { key, begun_at, decided, grant_id, sent_as, spends_use, locks, history },
        );
    }
}

fn words(instruction: &Instruction) -> String {
    format!("{instruction} {}", instruction.parameters().unwrap_or_default())
}

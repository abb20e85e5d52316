//! What happened in a run, in one order for everybody: what clients asked and were told, what
//! became durable, what left for a car and what the car did.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::amendment::Effect;
use crate::domain::command::CommandStatus;
use crate::domain::id::{CommandId, GrantId, HoldId, VehicleId};
use crate::domain::instruction::Instruction;
use crate::storage::db::rehearsal::{RehearsalRow, Table, Written};

/// Which call to the cloud.
pub(super) type Send = usize;

/// What a client was told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) key: String,
    pub(super) asked_for: Instruction,
    pub(super) command_id: CommandId,
    pub(super) status: CommandStatus,
    /// The request had been decided on before.
    pub(super) replayed: bool,
    /// How long the answer took.
    pub(super) after: Duration,
    /// How long the client was ready to wait.
    pub(super) wait: Duration,
    /// Nothing kept it from being answered.
    pub(super) calm: bool,
    /// The run was over, and the client asked once more.
    pub(super) settled: bool,
}

/// How somebody ends a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ended {
    Revoked,
    /// The car can still be locked.
    LockLeft,
    GivenBack,
}

/// One thing that happened.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "some of it only tells the story of a seed")]
pub(super) enum Happening {
    /// A client sent a request for a command, for the first time or again.
    Asked { key: String, process: u64 },
    /// It was told what became of it.
    Told(Told),
    /// It was told that its key belongs to another request.
    KeyReused { key: String, asked_for: Instruction },
    /// It was refused, as others were shortly before, and nothing was kept of it.
    RefusedAgain { key: String, asked_for: Instruction, asked_at: Duration },
    /// It got an error; `calm` says whether the world was calm.
    Failed { key: String, error: String, calm: bool },
    /// It was told nothing.
    NotTold { key: String, why: &'static str },
    /// Somebody asked for the end of a grant.
    EndAsked { grant_id: GrantId, process: u64, waits: bool, how: Ended },
    /// And was told that it has ended, and what is still in flight.
    Ended { grant_id: GrantId, waits: bool, in_flight: usize },
    /// Or that it did not work, or nothing.
    NotEnded { grant_id: GrantId, why: String },
    /// Somebody was told that a grant was changed, and what that did.
    Amended { grant_id: GrantId, effect: Effect, version: i64 },
    /// Or that it has ended.
    NotAmended { grant_id: GrantId },
    /// Somebody asked to move a booking to another car.
    SwitchAsked { grant_id: GrantId },
    /// And was told the grant that took the place of the other one.
    Switched { grant_id: GrantId, new_id: GrantId },
    /// Somebody was told that a hold stands.
    Held { hold_id: HoldId },
    /// They asked that it be lifted.
    LiftAsked { hold_id: HoldId },
    /// And were told that it is, or nothing that is known.
    Lifted { hold_id: HoldId, done: bool },
    /// Somebody was told that all that was lent to a person, of a car or in the organization has ended.
    EndedAll { scope: uuid::Uuid },
    /// A car sent news, and a process took them.
    News { vehicle_id: VehicleId, taken: bool },
    /// A transaction became durable.
    Committed { process: u64, transaction: u64, rows: Vec<Written> },
    /// A process let a command go, decided on in this transaction.
    Left { send: Send, process: u64, transaction: u64, car: String, instruction: Instruction },
    /// The cloud did not accept the token: it did nothing, and may be asked again.
    TokenRefused { send: Send },
    /// The process was told in good time that the car will do it.
    Acknowledged { send: Send, process: u64 },
    /// The car did it.
    Done { send: Send },
    /// A process began.
    Began { process: u64 },
    /// A process died.
    Died { process: u64 },
    /// A process was not let run for so long.
    StoodStill { process: u64, time: Duration },
    /// The process that committed it did not hear so.
    AnswerLost { transaction: u64 },
    /// The database went away for so long.
    WentAway { time: Duration },
    /// So many commands were due to be checked.
    Reconciled { count: usize },
    /// A process was told to stop.
    Stopped { process: u64 },
}

/// What happened, and how long after the beginning.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) at: Duration,
    pub(super) happening: Happening,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3} ", self.at.as_secs_f64())?;
        match &self.happening {
            Happening::Committed { process, transaction, rows } => {
                write!(f, "process {process} committed {transaction}:")?;
                rows.iter().try_for_each(|(table, row)| write!(f, " {}", brief(*table, row)))
            }
            other => write!(f, "{other:?}"),
        }
    }
}

/// The columns of a row that tell the story.
fn brief(table: Table, row: &Arc<RehearsalRow>) -> String {
    let columns: &[&'static str] = match table {
        Table::Commands => &["command_id", "idempotency_key", "grant_id", "action", "status"],
        Table::Grants => &[
            "grant_id",
            "revision",
            "version",
            "uses",
            "uses_max",
            "entitlements",
            "not_before",
            "not_after",
            "ended_at",
        ],
        Table::Vehicles => &["vehicle_id", "revision", "holds", "ends"],
        Table::Users => &["user_id", "revision", "disabled_at", "holds"],
        Table::Holds => &["hold_id", "scope_id", "rank", "held_until", "allow_lock", "lifted_at"],
        Table::AuditEntries => &["event"],
        _ => return String::new(),
    };
    format!("{:?}", row.only(columns))
}

/// A number that is the same for the same happenings in the same order.
pub(super) fn fingerprint(trace: &[Moment]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    format!("{trace:?}").hash(&mut hasher);
    hasher.finish()
}

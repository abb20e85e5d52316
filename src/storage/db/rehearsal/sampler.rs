//! Random rows and parameters that the schema accepts, made so that they often meet.

use uuid::Uuid;

use super::Value;
use super::meaning::Bound;
use super::row::{RehearsalRow, Table};
use crate::domain::command::{CommandStatus, Evidence};

/// The one organization of what is sampled, and one whose rows are not there.
const ORGANIZATIONS: [u128; 2] = [100, 101];

/// Where random rows and parameters come from.
pub struct Sampler {
    random: fastrand::Rng,
}

/// Makes random parameters for one statement.
pub type Sample = fn(&mut Sampler) -> Bound;

fn number(id: u128) -> Value {
    Value::from(Some(Uuid::from_u128(id)))
}

/// How many of the eight ids of a table have a row.
pub(super) const ROWS: u128 = 6;

impl RehearsalRow {
    /// Has the row refer to nothing that is not there.
    pub(super) fn refer_to_what_is_there(&mut self) {
        for (column, other) in self.columns().to_vec().into_iter().skip(1) {
            if let Value::Uuid(Some(other)) = other
                && other.as_u128() % 100 >= ROWS
            {
                self.set(column, Uuid::from_u128(other.as_u128() - 2));
            }
        }
    }
}

impl Sampler {
    pub(super) fn of_seed(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed) }
    }

    /// A number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.random.usize(..count)
    }

    /// The id of a row of this table, which is there more often than not.
    pub fn id(&mut self, table: Table) -> Value {
        let place = self.random.u128(0..8);
        number((table as u128 + 1) * 100 + place)
    }

    /// Different ids of this table.
    pub fn ids(&mut self, table: Table) -> Vec<Value> {
        let mut places: Vec<u128> = (0..8).collect();
        self.random.shuffle(&mut places);
        places.truncate(1 + self.below(4));
        places.iter().map(|place| number((table as u128 + 1) * 100 + place)).collect()
    }

    /// The organization, or sometimes another.
    pub fn organization(&mut self) -> Value {
        number(ORGANIZATIONS[usize::from(self.random.u8(..8) == 0)])
    }

    /// A time or another number of which there are few.
    pub fn few(&mut self) -> Value {
        Value::from(self.random.i64(1..6))
    }

    /// A number that may be NULL.
    pub fn few_or_none(&mut self) -> Value {
        if self.random.bool() { self.few() } else { Value::Integer(None) }
    }

    /// Whether something is so.
    pub fn whether(&mut self) -> Value {
        Value::from(self.random.bool())
    }

    /// One of these words.
    pub fn word(&mut self, words: &[&str]) -> Value {
        Value::from(words[self.below(words.len())])
    }

    /// A word that may be NULL.
    pub fn word_or_none(&mut self, words: &[&str]) -> Value {
        if self.random.bool() { self.word(words) } else { Value::Text(None) }
    }

    /// A status of a command.
    pub fn status(&mut self) -> Value {
        let words: Vec<&str> = CommandStatus::ALL.iter().map(|status| status.as_str()).collect();
        // Most commands should be where something happens to them.
        let live = ["sending", "unknown", "acknowledged"];
        if self.random.bool() { self.word(&live) } else { self.word(&words) }
    }

    /// What a status rests on.
    pub fn evidence(&mut self) -> Value {
        let words: Vec<&str> = Evidence::ALL.iter().map(|evidence| evidence.as_str()).collect();
        self.word(&words)
    }

    /// Parameters without a set of rows.
    pub fn values(&mut self, values: Vec<Value>) -> Bound {
        Bound { values, rows: Vec::new() }
    }

    /// One row for each of the ids, of which it holds what comes after the id.
    pub fn rows_of(&mut self, table: Table, rest: impl Fn(&mut Self) -> Vec<Value>) -> Bound {
        let rows = self.ids(table).into_iter().map(|id| [vec![id], rest(self)].concat()).collect();
        Bound { values: Vec::new(), rows }
    }

    /// Some rows.
    pub fn rows(&mut self, row: impl Fn(&mut Self) -> Vec<Value>) -> Bound {
        let rows = (0..1 + self.below(4)).map(|_| row(self)).collect();
        Bound { values: Vec::new(), rows }
    }

    /// Rows for an INSERT of these columns.
    pub fn inserted(&mut self, table: Table, columns: &[&'static str]) -> Bound {
        self.rows(|sampler| {
            let id = sampler.id(table);
            let row = sampler.row(table, id);
            columns.iter().map(|column| row.value(column).clone()).collect()
        })
    }

    /// The same for an INSERT of one row, whose values are bound one by one.
    pub fn inserted_alone(&mut self, table: Table, columns: &[&'static str]) -> Bound {
        let id = self.id(table);
        let mut row = self.row(table, id);
        row.refer_to_what_is_there();
        self.values(columns.iter().map(|column| row.value(column).clone()).collect())
    }

    /// A random row of this name, as the schema wants it.
    pub(super) fn row(&mut self, table: Table, id: Value) -> RehearsalRow {
        let mut row = RehearsalRow::insert::<&str>(table, &[], &[]);
        row.set(table.columns()[0].0, id);
        if table.columns().iter().skip(1).any(|(name, _)| *name == "organization_id") {
            row.set("organization_id", number(ORGANIZATIONS[0]));
        }
        match table {
            Table::Organizations => {
                row.set("name", "One");
                row.set("revision", self.few());
                row.set("created_at", 1);
            }
            Table::Users => self.user(&mut row),
            Table::Sessions => {
                row.set("user_id", self.id(Table::Users));
                row.set("created_at", 1);
                row.set("refreshed_at", 1);
                row.set("expires_at", self.few());
            }
            Table::Connections => self.connection(&mut row),
            Table::Vehicles => self.vehicle(&mut row),
            Table::Grants => self.grant(&mut row),
            Table::Holds => self.hold(&mut row),
            Table::ScopeEnds => self.scope_end(&mut row),
            Table::Commands => self.command(&mut row),
            Table::AuditEntries => self.audit_entry(&mut row),
            Table::RecordQueue => {
                // An entry has one time, so its id alone names its place in the queue.
                row.set("first_at", i64::try_from(row.key().as_u128()).unwrap());
                row.set("entries", vec![self.random.u8(..)]);
                row.set("lowest", self.id(Table::AuditEntries));
                row.set("subjects", vec![self.random.u8(..)]);
            }
            Table::PersonalData => {
                row.set("salt", vec![self.random.u8(..)]);
                row.set("personal", "{}");
            }
        }
        row
    }

    fn user(&mut self, row: &mut RehearsalRow) {
        row.set("email", format!("{}@example.org", row.key()));
        row.set("display_name", "A Person");
        row.set("role", self.word(&["admin", "member"]));
        row.set("disabled_at", self.few_or_none());
        row.set("created_by_kind", "system");
        row.set("recoveries", self.few());
        row.set("revision", self.few());
        row.set("created_at", 1);
    }

    fn connection(&mut self, row: &mut RehearsalRow) {
        row.set("owner_id", self.id(Table::Users));
        row.set("status", self.word(&["pending", "active", "failed", "lost"]));
        row.set("mode", "live");
        row.set("api_version", self.word(&["v2.0", "v3"]));
        row.set("provider_user_id", self.word_or_none(&["owner"]));
        row.set("sealed_tokens", vec![self.random.u8(..)]);
        row.set("access_expires_at", self.few_or_none());
        row.set("token_revision", self.few());
        row.set("revision", self.few());
        row.set("created_at", 1);
    }

    fn vehicle(&mut self, row: &mut RehearsalRow) {
        row.set("owner_id", self.id(Table::Users));
        row.set("connection_id", self.id(Table::Connections));
        row.set("provider_vehicle_id", row.key().to_string());
        row.set("make", "TESLA");
        row.set("model", "Model 3");
        row.set("year", 2026);
        row.set("permissions", "control_security");
        row.set("removed_at", self.few_or_none());
        row.set("connected_at", 1);
        row.set("owner_recoveries", self.few());
        row.set("consents", self.few());
        row.set("last_unlocked_by", self.id(Table::Users));
        row.set("revision", self.few());
        row.set("suspended_reason", self.word_or_none(&["account"]));
        row.set("probes", 0);
        row.set("sharing", "shared");
        row.set("buffer_minutes", 0);
        row.set("version", 1);
    }

    fn grant(&mut self, row: &mut RehearsalRow) {
        for (column, table) in [
            ("vehicle_id", Table::Vehicles),
            ("issuer_id", Table::Users),
            ("grantee_id", Table::Users),
        ] {
            row.set(column, self.id(table));
        }
        row.set("entitlements", "unlock lock");
        row.set("not_before", 0);
        row.set("not_after", self.few());
        row.set("uses_max", self.few_or_none());
        row.set("uses", self.random.i64(0..2));
        row.set("grace_minutes", self.few());
        row.set("leave_lock", self.random.bool());
        row.set("statement", self.random.bool());
        row.set("require_device_key", self.random.bool());
        if self.random.u8(..3) == 0 {
            row.set("ended_at", self.few());
            row.set("end_reason", self.word(&["revoked", "relinquished"]));
        }
        row.set("revision", self.random.i64(1..3));
        row.set("version", 1);
        row.set("issued_at", 1);
        row.set("grantee_recoveries", self.few());
        row.set("vehicle_consents", self.few());
    }

    fn hold(&mut self, row: &mut RehearsalRow) {
        row.set("scope_kind", "grant");
        row.set("scope_id", self.id(Table::Grants));
        row.set("rank", self.word(&["guest", "admin"]));
        row.set("reason", self.word_or_none(&["a reason"]));
        row.set("held_until", self.few_or_none());
        row.set("allow_lock", self.random.bool());
        row.set("placed_by_kind", "system");
        row.set("placed_at", self.few());
        row.set("lifted_at", self.few_or_none());
    }

    fn scope_end(&mut self, row: &mut RehearsalRow) {
        row.set("scope_kind", "user");
        row.set("scope_id", self.id(Table::Users));
        row.set("issued_before", self.few());
        row.set("external_ref", self.word_or_none(&["booking 17"]));
        row.set("end_reason", "revoked");
        row.set("ended_by_kind", "system");
        row.set("ended_at", self.few());
        row.set("grants", self.few());
        row.set("completed_at", self.few_or_none());
    }

    fn command(&mut self, row: &mut RehearsalRow) {
        for (column, table) in [
            ("vehicle_id", Table::Vehicles),
            ("grant_id", Table::Grants),
            ("user_id", Table::Users),
            ("principal_id", Table::Users),
            ("instance_id", Table::Users),
        ] {
            row.set(column, self.id(table));
        }
        row.set("idempotency_key", self.word(&["a", "b", "c"]));
        row.set("request_hash", vec![self.random.u8(..); 32]);
        row.set("action", self.word(&["lock", "unlock"]));
        row.set("status", self.status());
        row.set("evidence", self.evidence());
        row.set("causes", self.word(&["", "connector:connector_timed_out"]));
        for column in ["created_at", "send_by", "abandon_at", "changed_at"] {
            row.set(column, self.few());
        }
        row.set("check_at", self.few_or_none());
        row.set("checks", self.few());
    }

    fn audit_entry(&mut self, row: &mut RehearsalRow) {
        row.set("occurred_at", self.few());
        row.set("event", self.word(&["command.authorized", "command.changed"]));
        row.set("actor_kind", self.word(&["user", "system"]));
        row.set("command_id", self.id(Table::Commands));
        row.set("details", "{}");
    }
}

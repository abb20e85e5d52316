//! Rows of a rehearsed database: values with the names of their columns, in the table's order.

use uuid::Uuid;

use super::{Row, Value};

/// The tables that statements around a command touch.
#[expect(missing_docs, reason = "the variants are the tables")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Organizations,
    Users,
    Sessions,
    Connections,
    Vehicles,
    Grants,
    Holds,
    ScopeEnds,
    Commands,
    AuditEntries,
    RecordQueue,
    PersonalData,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uuid,
    Text,
    Integer,
    Bytes,
    Boolean,
}

use Kind::{Boolean, Bytes, Integer, Text};

const ID: Kind = Kind::Uuid;

impl Table {
    pub(super) const ALL: [Self; 12] = [
        Self::Organizations,
        Self::Users,
        Self::Sessions,
        Self::Connections,
        Self::Vehicles,
        Self::Grants,
        Self::Holds,
        Self::ScopeEnds,
        Self::Commands,
        Self::AuditEntries,
        Self::RecordQueue,
        Self::PersonalData,
    ];

    /// Its name in statements.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Users => "users",
            Self::Sessions => "sessions",
            Self::Connections => "connections",
            Self::Vehicles => "vehicles",
            Self::Grants => "grants",
            Self::Holds => "holds",
            Self::ScopeEnds => "scope_ends",
            Self::Commands => "commands",
            Self::AuditEntries => "audit_entries",
            Self::RecordQueue => "record_queue",
            Self::PersonalData => "personal_data",
        }
    }

    /// Its columns; the first names the row.
    #[rustfmt::skip]
    pub(super) const fn columns(self) -> &'static [(&'static str, Kind)] {
        match self {
            Self::Organizations => &[
                ("organization_id", ID), ("name", Text), ("holds", Text), ("ends", Text), ("revision", Integer), ("created_at", Integer),
            ],
            Self::Users => &[
                ("user_id", ID), ("organization_id", ID), ("email", Text), ("display_name", Text),
                ("role", Text), ("password_hash", Text), ("disabled_at", Integer), ("erased_at", Integer), ("revision", Integer), ("created_at", Integer),
                ("created_by_kind", Text), ("created_by", ID), ("claimed_at", Integer), ("recoveries", Integer),
                ("recovered_at", Integer), ("recovered_by_kind", Text), ("recovered_by", ID), ("external_ref", Text), ("holds", Text),
                ("ends", Text),
            ],
            Self::Sessions => &[
                ("session_id", ID), ("organization_id", ID), ("user_id", ID), ("created_at", Integer),
                ("refreshed_at", Integer), ("expires_at", Integer), ("ended_at", Integer), ("end_reason", Text),
            ],
            Self::Connections => &[
                ("connection_id", ID), ("organization_id", ID), ("owner_id", ID), ("status", Text),
                ("status_reason", Text), ("mode", Text), ("state_hash", Bytes), ("sealed_tokens", Bytes),
                ("access_expires_at", Integer), ("token_revision", Integer), ("refresh_lease_until", Integer),
                ("created_at", Integer), ("api_version", Text), ("provider_user_id", Text), ("asked_back_at", Integer),
                ("revision", Integer),
            ],
            Self::Vehicles => &[
                ("vehicle_id", ID), ("organization_id", ID), ("owner_id", ID), ("connection_id", ID),
                ("provider_vehicle_id", Text), ("make", Text), ("model", Text), ("year", Integer),
                ("permissions", Text), ("removed_at", Integer), ("connected_at", Integer), ("revision", Integer),
                ("suspended_reason", Text), ("suspended_at", Integer), ("probe_at", Integer), ("probes", Integer),
                ("owner_recoveries", Integer), ("consents", Integer), ("transfer_to", ID),
                ("transfer_until", Integer), ("last_unlocked_by", ID), ("holds", Text), ("ends", Text),
                ("label", Text), ("plate", Text), ("colour", Text), ("vin", Text), ("metadata", Text), ("external_ref", Text),
                ("sharing", Text), ("buffer_minutes", Integer), ("version", Integer),
            ],
            Self::Grants => &[
                ("grant_id", ID), ("organization_id", ID), ("vehicle_id", ID), ("issuer_id", ID), ("grantee_id", ID),
                ("entitlements", Text), ("not_before", Integer), ("not_after", Integer), ("uses_max", Integer),
                ("grace_minutes", Integer), ("uses", Integer), ("ended_at", Integer), ("end_reason", Text), ("end_note", Text),
                ("leave_lock", Boolean),
                ("revision", Integer), ("version", Integer), ("label", Text), ("metadata", Text), ("external_ref", Text),
                ("instructions", Text), ("fallback_text", Text), ("return_terms", Text), ("statement", Boolean),
                ("require_device_key", Boolean), ("issued_at", Integer),
                ("grantee_recoveries", Integer), ("vehicle_consents", Integer), ("holds", Text),
                ("ending_told_for", Integer), ("over_told_at", Integer), ("start_read_at", Integer), ("end_read_at", Integer),
            ],
            Self::Holds => &[
                ("hold_id", ID), ("organization_id", ID), ("scope_kind", Text), ("scope_id", ID), ("rank", Text), ("reason", Text),
                ("held_until", Integer), ("allow_lock", Boolean), ("placed_by_kind", Text), ("placed_by", ID),
                ("placed_at", Integer), ("lifted_at", Integer), ("over_told_at", Integer),
            ],
            Self::ScopeEnds => &[
                ("end_id", ID), ("organization_id", ID), ("scope_kind", Text), ("scope_id", ID), ("issued_before", Integer),
                ("external_ref", Text), ("end_reason", Text), ("reason", Text), ("ended_by_kind", Text), ("ended_by", ID),
                ("ended_at", Integer), ("grants", Integer), ("completed_at", Integer),
            ],
            Self::Commands => &[
                ("command_id", ID), ("organization_id", ID), ("vehicle_id", ID), ("grant_id", ID), ("user_id", ID),
                ("principal_id", ID), ("idempotency_key", Text), ("request_hash", Bytes), ("action", Text),
                ("parameters", Text), ("status", Text), ("evidence", Text), ("observed_at", Integer), ("causes", Text),
                ("user_message", Text), ("retry_after_ms", Integer), ("created_at", Integer), ("send_by", Integer),
                ("abandon_at", Integer), ("instance_id", ID), ("changed_at", Integer), ("check_at", Integer), ("checks", Integer),
            ],
            Self::AuditEntries => &[
                ("entry_id", ID), ("organization_id", ID), ("occurred_at", Integer), ("event", Text), ("actor_kind", Text),
                ("actor_id", ID), ("acting_for", ID), ("grant_id", ID), ("vehicle_id", ID), ("user_id", ID),
                ("command_id", ID), ("request_id", Text), ("details", Text), ("personal_commitment", Bytes),
            ],
            Self::RecordQueue => &[
                ("first_id", ID), ("first_at", Integer), ("entries", Bytes), ("subjects", Bytes), ("lowest", ID),
            ],
            Self::PersonalData => &[("entry_id", ID), ("salt", Bytes), ("personal", Text)],
        }
    }
}

const fn null(kind: Kind) -> Value {
    match kind {
        Kind::Uuid => Value::Uuid(None),
        Kind::Text => Value::Text(None),
        Kind::Integer => Value::Integer(None),
        Kind::Bytes => Value::Bytes(None),
        Kind::Boolean => Value::Boolean(None),
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalRow(Vec<(&'static str, Value)>);

impl From<RehearsalRow> for Row {
    fn from(row: RehearsalRow) -> Self {
        let (names, values): (Vec<&str>, Vec<Value>) = row.0.into_iter().unzip();
        Self::new(names.into_iter().map(Into::into).collect(), values)
    }
}

impl RehearsalRow {
    /// A row of the table with these values; the other columns are NULL.
    pub fn insert<N: AsRef<str>>(table: Table, names: &[N], values: &[Value]) -> Self {
        assert_eq!(names.len(), values.len(), "{table:?}: as many columns as values");
        let empty = table.columns().iter().map(|&(name, kind)| (name, null(kind)));
        let mut row = Self(empty.collect());
        for (name, value) in names.iter().zip(values) {
            row.set(name.as_ref(), value.clone());
        }
        row
    }

    /// The name of the row.
    pub fn key(&self) -> Uuid {
        match self.0.first() {
            Some((_, Value::Uuid(Some(key)))) => *key,
            first => panic!("no row begins with {first:?}"),
        }
    }

    /// Whether there is such a column.
    pub fn has(&self, column: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == column)
    }

    /// The value of a column.
    pub fn value(&self, column: &str) -> &Value {
        let found = self.0.iter().find(|(name, _)| *name == column);
        &found.unwrap_or_else(|| panic!("no column {column} in {self:?}")).1
    }

    /// An id; `None` if it is NULL.
    pub fn id(&self, column: &str) -> Option<Uuid> {
        if let Value::Uuid(id) = self.value(column) { *id } else { panic!("{column} is no id") }
    }

    /// A text; `None` if it is NULL.
    pub fn text(&self, column: &str) -> Option<&str> {
        if let Value::Text(text) = self.value(column) {
            text.as_deref()
        } else {
            panic!("{column} is no text")
        }
    }

    /// Bytes; `None` if they are NULL.
    pub fn bytes(&self, column: &str) -> Option<&[u8]> {
        if let Value::Bytes(bytes) = self.value(column) {
            bytes.as_deref()
        } else {
            panic!("{column} holds no bytes")
        }
    }

    /// A number; `None` if it is NULL.
    pub fn integer(&self, column: &str) -> Option<i64> {
        if let Value::Integer(number) = self.value(column) {
            *number
        } else {
            panic!("{column} is no number")
        }
    }

    /// Whether it is so; not NULL.
    pub fn is(&self, column: &str) -> bool {
        if let Value::Boolean(Some(is_so)) = self.value(column) {
            *is_so
        } else {
            panic!("{column} does not say whether")
        }
    }

    /// Replaces a value.
    pub fn set(&mut self, column: &str, value: impl Into<Value>) {
        let value = value.into();
        let found = self.0.iter_mut().find(|(name, _)| *name == column);
        let Some((_, place)) = found else { panic!("no column {column}") };
        assert_eq!(
            std::mem::discriminant(place),
            std::mem::discriminant(&value),
            "{column} does not hold {value:?}"
        );
        *place = value;
    }

    /// The row with one more column, as a join gives it.
    pub fn with(mut self, column: &'static str, value: Value) -> Self {
        self.0.push((column, value));
        self
    }

    /// What a statement returns of it: everything, one column, or nothing.
    pub(super) fn returning(&self, column: Option<&'static str>) -> Option<Self> {
        match column {
            None => None,
            Some("*") => Some(self.clone()),
            Some(column) => Some(self.only(&[column])),
        }
    }

    /// Only these columns.
    pub fn only(&self, columns: &[&'static str]) -> Self {
        Self(columns.iter().map(|&column| (column, self.value(column).clone())).collect())
    }

    pub(super) fn columns(&self) -> &[(&'static str, Value)] {
        &self.0
    }
}

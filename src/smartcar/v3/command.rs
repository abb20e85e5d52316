//! Commands of API v3 and what became of them (protocol page, section 5.3). The body of the answer
//! decides, not its status: a 202 may carry a failure, and a success says so in words.

use serde::{Deserialize, Serialize};

/// What a car can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the commands in words")]
pub enum CommandKind {
    Lock,
    Unlock,
    StartCharge,
    StopCharge,
    SetChargeLimit,
    SetDestination,
}

impl CommandKind {
    /// Every command.
    pub const ALL: &'static [Self] = &[
        Self::Lock,
        Self::Unlock,
        Self::StartCharge,
        Self::StopCharge,
        Self::SetChargeLimit,
        Self::SetDestination,
    ];

    /// The path below the car.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Lock => "/commands/security/lock",
            Self::Unlock => "/commands/security/unlock",
            Self::StartCharge => "/commands/charge/start",
            Self::StopCharge => "/commands/charge/stop",
            Self::SetChargeLimit => "/commands/charge/set-limit",
            Self::SetDestination => "/commands/navigation/set-destination",
        }
    }

    /// The word in the answer.
    #[must_use]
    pub const fn command_type(self) -> &'static str {
        match self {
            Self::Lock => "security-lock",
            Self::Unlock => "security-unlock",
            Self::StartCharge => "charge-start",
            Self::StopCharge => "charge-stop",
            Self::SetChargeLimit => "charge-set-limit",
            Self::SetDestination => "navigation-set-destination",
        }
    }
}

/// The body of a command that has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandBody<A> {
    /// The document.
    pub data: CommandData<A>,
}

/// The data of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandData<A> {
    /// What is asked.
    pub attributes: A,
}

impl<A> CommandBody<A> {
    /// The documented body around these attributes.
    #[must_use]
    pub const fn of(attributes: A) -> Self {
        Self { data: CommandData { attributes } }
    }
}

/// The attributes of [`CommandKind::SetChargeLimit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitAttributes {
    /// A whole number from 50 to 100.
    pub percent: u8,
}

/// The attributes of [`CommandKind::SetDestination`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DestinationAttributes {
    /// Degrees, from -90 to 90.
    pub latitude: f64,
    /// Degrees, from -180 to 180.
    pub longitude: f64,
}

/// Answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// What was executed.
    pub data: ExecutionData,
}

/// What was executed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionData {
    /// Begins with `exec_`.
    pub id: String,
    /// Always `command-execution`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What became of it.
    pub attributes: ExecutionAttributes,
    /// When.
    #[serde(default)]
    pub meta: ExecutionMeta,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionAttributes {
    /// Which command, such as `security-unlock`.
    pub command_type: String,
    /// Its end.
    pub status: ExecutionStatus,
    /// `sync` or `async`.
    #[serde(default)]
    pub execution_mode: Option<String>,
}

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionStatus {
    /// [`ExecutionStatus::SUCCESS`]; others that were seen are `FAILURE` and `PENDING`.
    pub value: String,
    /// Why it failed, where the cloud says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<serde_json::Value>,
}

impl ExecutionStatus {
    /// The car's cloud took it.
    pub const SUCCESS: &'static str = "SUCCESS";
}

/// When a command was executed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionMeta {
    /// When it began, ISO 8601.
    #[serde(default)]
    pub executed_at: Option<String>,
    /// When it ended, ISO 8601.
    #[serde(default)]
    pub completed_at: Option<String>,
    /// How long it took.
    #[serde(default)]
    pub duration_in_seconds: Option<f64>,
}

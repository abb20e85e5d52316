//! Commands: requests to cars, and what became of them.

pub(in crate::http) mod create;
pub(in crate::http) mod get;
pub(in crate::http) mod list;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::cause::Cause;
use crate::domain::command::{Command, CommandStatus, Evidence};
use crate::domain::fault::Resolution;
use crate::domain::id::{CommandId, GrantId, UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::time::Timestamp;

/// A command.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(in crate::http) struct CommandBody {
    /// Identifies the command.
    #[schema(example = "cmd_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    command_id: CommandId,
    /// The car.
    vehicle_id: VehicleId,
    /// The grant it rests on; `null` for the owner's own.
    grant_id: Option<GrantId>,
    /// The person whose right it was.
    user_id: UserId,
    /// What was asked.
    action: Action,
    /// Where it stands.
    status: CommandStatus,
    /// What the status rests on.
    evidence: Evidence,
    /// The time at which the car reported its state.
    observed_at: Option<Timestamp>,
    /// Why it was refused or did not succeed, most important first.
    reasons: Vec<String>,
    /// Who must act so that it can be done, where something went wrong at the vehicle cloud.
    resolution: Option<Resolution>,
    /// A sentence for the person at the car, where there is one.
    user_message: Option<String>,
    /// How long to wait before asking again, in milliseconds, where the vehicle cloud said so.
    retry_after_ms: Option<i64>,
    /// The time of the decision.
    created_at: Timestamp,
    /// The time at which it reached its status.
    changed_at: Timestamp,
}

impl From<Command> for CommandBody {
    fn from(command: Command) -> Self {
        let reasons = command.causes_now().iter().flat_map(Cause::words);
        let reasons = reasons.map(str::to_owned).collect();
        let (resolution, retry_after_ms) = (command.resolution(), command.retry_after_now_ms());
        Self {
            command_id: command.command_id,
            vehicle_id: command.vehicle_id,
            grant_id: command.grant_id,
            user_id: command.user_id,
            action: command.action(),
            status: command.status,
            evidence: command.evidence,
            observed_at: command.observed_at,
            resolution,
            reasons,
            user_message: command.sentence().map(str::to_owned),
            retry_after_ms,
            created_at: command.created_at,
            changed_at: command.changed_at,
        }
    }
}

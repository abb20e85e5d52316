//! Commands of API v3: their bodies, and what an answer to one proves. The body decides, not the
//! status: a cloud that has waited long for the car sends the head of a 202 first, and in its body
//! what became of the command (protocol page, section 5.3).

use http::StatusCode;
use serde::Serialize;

use super::super::{classify, decode};
use crate::connector::transport::Answer;
use crate::connector::{Acknowledgement, ConnectorError, Happened};
use crate::domain::fault::Fault;
use crate::domain::instruction::Instruction;
use crate::smartcar::v3::command::{
    CommandBody, CommandKind, DestinationAttributes, Execution, ExecutionStatus, LimitAttributes,
};

/// The word of an execution that has ended without success.
const FAILURE: &str = "FAILURE";

/// Which command it is, and its body if it has one.
pub(super) fn request(
    instruction: &Instruction,
) -> Result<(CommandKind, Option<Vec<u8>>), ConnectorError> {
    Ok(match instruction {
        Instruction::Lock => (CommandKind::Lock, None),
        Instruction::Unlock => (CommandKind::Unlock, None),
        Instruction::StartCharge => (CommandKind::StartCharge, None),
        Instruction::StopCharge => (CommandKind::StopCharge, None),
        Instruction::SetChargeLimit(limit) => {
            let body = body(LimitAttributes { percent: limit.percent() })?;
            (CommandKind::SetChargeLimit, Some(body))
        }
        Instruction::SetDestination(place) => {
            let (latitude, longitude) = (place.latitude(), place.longitude());
            let body = body(DestinationAttributes { latitude, longitude })?;
            (CommandKind::SetDestination, Some(body))
        }
    })
}

fn body(attributes: impl Serialize) -> Result<Vec<u8>, ConnectorError> {
    serde_json::to_vec(&CommandBody::of(attributes)).map_err(|error| {
        ConnectorError::bare(Happened::NotSent, Fault::Rejected, error.to_string())
    })
}

/// Acknowledged only if the body is an execution of this very command that names its success.
pub(super) fn acknowledgement(
    answer: &Answer,
    kind: CommandKind,
) -> Result<Acknowledgement, ConnectorError> {
    if !matches!(answer.status, StatusCode::OK | StatusCode::ACCEPTED) {
        return Err(classify::api_error(answer));
    }
    if let Some(error) = classify::error_inside(answer) {
        return Err(error);
    }
    let execution: Execution = decode(answer)?;
    let attributes = execution.data.attributes;
    if attributes.command_type != kind.command_type() {
        return Err(classify::garbled(answer, "the outcome of another command"));
    }
    if attributes.status.value == ExecutionStatus::SUCCESS {
        return Ok(Acknowledgement { provider_request_id: classify::request_id(&answer.headers) });
    }
    let mut error = classify::failed_execution(answer, attributes.status.error.as_ref());
    if attributes.status.value != FAILURE {
        // It has not ended as far as is known, whatever it complains of.
        error.happened = Happened::Maybe;
    }
    Err(error)
}

//! What can be made to go wrong with a car, and the queue that says when. Each command or read
//! takes the first entry that is meant for it. Whether a fault strikes before or after the car
//! moved is the point of each kind; [`crate::simulator::doors::fault_injection`] carries them out.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::smartcar::ErrorKind;

/// More entries than any test needs.
pub(super) const FAULTS_MAX: usize = 1_000;
/// The longest wait that can be asked for.
pub(super) const WAIT_MS_MAX: u64 = 600_000;

const fn longest_wait_ms() -> u64 {
    WAIT_MS_MAX
}

/// What a fault waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Telling a car to do something.
    #[default]
    Command,
    /// Any `GET` below the car.
    Read,
    /// Whatever comes first.
    Any,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Waits, then goes on as always; a command is executed even if the client has gone.
    Delay {
        /// How long, in milliseconds.
        delay_ms: u64,
    },
    /// Answers 503 and executes nothing.
    Refuse,
    /// Executes, then closes the connection without an answer.
    ExecutedThenNoAnswer,
    /// Executes, then answers `SERVER/INTERNAL`, 500.
    #[serde(rename = "executed_then_500")]
    ExecutedThen500,
    /// Executes, then lets the client wait for the answer.
    Hold {
        /// How long, in milliseconds; as long as can be unless it is said.
        #[serde(default = "longest_wait_ms")]
        hold_ms: u64,
    },
    /// Executes, then answers 200 with a body that is not JSON.
    Garbage,
    /// Answers success and executes nothing.
    AcknowledgedNotExecuted,
    /// Answers `VEHICLE_STATE` with this code, 409, and executes nothing.
    VehicleState {
        /// A documented code, such as `ASLEEP`.
        code: String,
    },
    /// Answers `RATE_LIMIT/VEHICLE`, 429, and executes nothing.
    RateLimited {
        /// The `Retry-After` of the answer, in seconds.
        retry_after_s: u64,
    },
    /// Answers `AUTHENTICATION`, 401, and executes nothing.
    Unauthorized,
    /// Answers any documented error and executes nothing.
    Error {
        /// The family, such as `UPSTREAM`.
        #[serde(rename = "type")]
        error_type: String,
        /// The member, such as `NO_RESPONSE`.
        #[serde(default)]
        code: Option<String>,
    },
    /// Executes, then closes the connection in the middle of the answer.
    Truncated,
    /// Executes, then answers with a mebibyte of JSON.
    Oversized,
    /// Executes, then answers 200 with a page for people.
    Html,
    /// Answers 307 with the address of a path that does not exist, and executes nothing.
    Redirect,
    /// Executes, then answers 204 without a body.
    NoContent,
    /// Executes, then answers with a number where a text should tell what happened.
    WrongType,
    /// Executes, then leaves out of the answer what happened.
    MissingField,
    /// Executes, then answers with two contradicting members of one name.
    DuplicateKeys,
    /// Executes what it is told; reads of this car answer for another one.
    WrongVehicle,
    /// Answers an error that is not documented and executes nothing.
    UnknownError {
        /// The family.
        #[serde(rename = "type")]
        error_type: String,
        /// The member.
        #[serde(default)]
        code: Option<String>,
        /// The HTTP status, from 200 to 599.
        status: u16,
    },
    /// Answers literally this and executes nothing.
    Status {
        /// The HTTP status, from 200 to 599.
        code: u16,
        /// JSON, or a text that is sent as it is.
        #[serde(default)]
        body: Option<Value>,
    },
    /// Executes, then answers literally this.
    ExecutedThenStatus {
        /// The HTTP status, from 200 to 599.
        code: u16,
        /// JSON, or a text that is sent as it is.
        #[serde(default)]
        body: Option<Value>,
    },
    /// A command of API v3 is answered 202 at once; the body follows later and tells what became
    /// of it. It is executed then, but only if the outcome is a success. Elsewhere it is nothing.
    AcceptedLate {
        /// How long the body takes, in milliseconds.
        after_ms: u64,
        /// What the body tells.
        outcome: LateOutcome,
    },
}

/// How a command ends that was answered 202.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LateOutcome {
    /// `success` or `failure`: an execution with this status.
    Word(LateWord),
    /// A documented error in place of an execution.
    Error {
        /// The family, such as `VEHICLE_STATE`.
        #[serde(rename = "type")]
        error_type: String,
        /// The member, such as `ASLEEP`.
        #[serde(default)]
        code: Option<String>,
    },
}

/// The status of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LateWord {
    /// It was executed.
    Success,
    /// It was not.
    Failure,
}

impl LateOutcome {
    /// The documented error that it is, if it is one.
    pub(crate) fn documented(&self) -> Option<ErrorKind> {
        match self {
            Self::Word(_) => None,
            Self::Error { error_type, code } => ErrorKind::find(error_type, code.as_deref()),
        }
    }
}

impl FaultKind {
    /// The documented error that this kind answers with; `None` for the kinds that have none.
    pub(crate) fn documented(&self) -> Option<ErrorKind> {
        match self {
            Self::ExecutedThen500 => Some(ErrorKind::ServerInternal),
            Self::VehicleState { code } => ErrorKind::find("VEHICLE_STATE", Some(code)),
            Self::RateLimited { .. } => Some(ErrorKind::RateLimitVehicle),
            Self::Unauthorized => Some(ErrorKind::Authentication),
            Self::Error { error_type, code } => ErrorKind::find(error_type, code.as_deref()),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let undocumented = "this type and code are not documented";
        match self {
            Self::Delay { delay_ms: wait }
            | Self::Hold { hold_ms: wait }
            | Self::AcceptedLate { after_ms: wait, .. }
                if *wait > WAIT_MS_MAX =>
            {
                Err("a wait is at most 600000 milliseconds")
            }
            Self::VehicleState { .. } | Self::Error { .. } if self.documented().is_none() => {
                Err(undocumented)
            }
            Self::AcceptedLate { outcome: outcome @ LateOutcome::Error { .. }, .. }
                if outcome.documented().is_none() =>
            {
                Err(undocumented)
            }
            Self::UnknownError { status, .. }
            | Self::Status { code: status, .. }
            | Self::ExecutedThenStatus { code: status, .. }
                if !(200..=599).contains(status) =>
            {
                Err("a status is between 200 and 599")
            }
            _ => Ok(()),
        }
    }
}

/// One entry of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// What it waits for.
    #[serde(default)]
    pub on: Occasion,
}

/// The queue of a car: body of `PUT /_sim/vehicles/{id}/faults`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultScript {
    /// The first entry strikes first.
    pub faults: VecDeque<Fault>,
    /// Whether an entry that struck goes to the end of the queue again.
    #[serde(default)]
    pub repeat: bool,
}

impl FaultScript {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.faults.len() > FAULTS_MAX {
            return Err("a queue has at most 1000 entries");
        }
        self.faults.iter().try_for_each(|fault| fault.kind.check())
    }

    /// Takes the first entry that is meant for this occasion.
    pub(crate) fn take(&mut self, occasion: Occasion) -> Option<FaultKind> {
        let meant = |fault: &Fault| fault.on == Occasion::Any || fault.on == occasion;
        let position = self.faults.iter().position(meant)?;
        let fault = self.faults.remove(position)?;
        if self.repeat {
            self.faults.push_back(fault.clone());
        }
        Some(fault.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_wait_for_their_occasion_and_repeat_goes_round() {
        let mut script: FaultScript = serde_json::from_str(
            r#"{"faults":[{"kind":"delay","delay_ms":5,"on":"read"},{"kind":"refuse"},
                {"kind":"executed_then_500","on":"any"}],"repeat":true}"#,
        )
        .unwrap();
        assert_eq!(script.check(), Ok(()));
        assert_eq!(script.take(Occasion::Command), Some(FaultKind::Refuse));
        assert_eq!(script.take(Occasion::Command), Some(FaultKind::ExecutedThen500));
        assert_eq!(script.take(Occasion::Command), Some(FaultKind::Refuse));
        assert_eq!(script.take(Occasion::Read), Some(FaultKind::Delay { delay_ms: 5 }));
        assert_eq!(FaultScript::default().take(Occasion::Read), None);
    }

    #[test]
    fn undocumented_codes_and_long_waits_are_refused() {
        for fault in [
            r#"{"kind":"vehicle_state","code":"FLYING"}"#,
            r#"{"kind":"error","type":"UPSTREAM","code":"ASLEEP"}"#,
            r#"{"kind":"hold","hold_ms":600001}"#,
            r#"{"kind":"status","code":100}"#,
            r#"{"kind":"accepted_late","after_ms":1,"outcome":{"type":"UPSTREAM","code":"A"}}"#,
        ] {
            let fault: Fault = serde_json::from_str(fault).unwrap();
            assert!(fault.kind.check().is_err(), "{fault:?}");
        }
    }
}

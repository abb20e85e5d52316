//! What can be made to go wrong with a car, and the queue that says when. Each command or read
//! takes the first entry that is meant for it. Whether a fault strikes before or after the car
//! moved is the point of each kind; [`super::vehicles`] carries them out.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::smartcar::ErrorKind;

/// More entries than any test needs.
const FAULTS_MAX: usize = 1_000;
/// The longest wait that can be asked for.
const WAIT_MS_MAX: u64 = 600_000;

const fn longest_wait_ms() -> u64 {
    WAIT_MS_MAX
}

/// What a fault waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Locking or unlocking.
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
}

impl FaultKind {
    /// The documented error that this kind answers with; `None` for the kinds that have none.
    pub(super) fn documented(&self) -> Option<ErrorKind> {
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
        match self {
            Self::Delay { delay_ms: wait } | Self::Hold { hold_ms: wait }
                if *wait > WAIT_MS_MAX =>
            {
                Err("a wait is at most 600000 milliseconds")
            }
            Self::VehicleState { .. } | Self::Error { .. } if self.documented().is_none() => {
                Err("this type and code are not documented")
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
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.faults.len() > FAULTS_MAX {
            return Err("a queue has at most 1000 entries");
        }
        self.faults.iter().try_for_each(|fault| fault.kind.check())
    }

    /// Takes the first entry that is meant for this occasion.
    pub(super) fn take(&mut self, occasion: Occasion) -> Option<FaultKind> {
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
        ] {
            let fault: Fault = serde_json::from_str(fault).unwrap();
            assert!(fault.kind.check().is_err(), "{fault:?}");
        }
    }
}

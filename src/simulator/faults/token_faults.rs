//! What can be made to go wrong with the token endpoints, and the queue that says when. It knows
//! neither tokens nor requests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::car_faults::{FAULTS_MAX, WAIT_MS_MAX};

/// What a fault of the token endpoint waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOccasion {
    /// Whatever comes first.
    #[default]
    Any,
    /// A code is redeemed.
    Exchange,
    /// A refresh token is used.
    Refresh,
    /// An application asks for a token of its own.
    ClientCredentials,
}

/// What goes wrong at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenFaultKind {
    /// Waits, then goes on as always.
    Delay {
        /// How long, in milliseconds.
        delay_ms: u64,
    },
    /// Answers 503; nothing is used up.
    Refuse,
    /// Carries the request out, so that a code or refresh token is used up, then closes the
    /// connection: the new tokens are never sent.
    Lost,
    /// Answers 200 with a page for people; nothing is used up.
    Html,
    /// Answers `invalid_grant`, 400; nothing is used up.
    InvalidGrant,
    /// Answers 500; nothing is used up.
    #[serde(rename = "500", alias = "server_error")]
    ServerError,
}

/// One entry of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: TokenFaultKind,
    /// What it waits for.
    #[serde(default)]
    pub on: TokenOccasion,
}

/// The queue of the token endpoints: body of `PUT /_sim/token-faults`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFaultScript {
    /// The first entry strikes first.
    pub faults: VecDeque<TokenFault>,
    /// Whether an entry that struck goes to the end of the queue again.
    #[serde(default)]
    pub repeat: bool,
}

impl TokenFaultScript {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.faults.len() > FAULTS_MAX {
            return Err("a queue has at most 1000 entries");
        }
        let too_long = |fault: &TokenFault| matches!(fault.kind, TokenFaultKind::Delay { delay_ms } if delay_ms > WAIT_MS_MAX);
        match self.faults.iter().any(too_long) {
            true => Err("a wait is at most 600000 milliseconds"),
            false => Ok(()),
        }
    }

    pub(crate) fn take(&mut self, occasion: TokenOccasion) -> Option<TokenFaultKind> {
        let meant = |fault: &TokenFault| fault.on == TokenOccasion::Any || fault.on == occasion;
        let position = self.faults.iter().position(meant)?;
        let fault = self.faults.remove(position)?;
        if self.repeat {
            self.faults.push_back(fault.clone());
        }
        Some(fault.kind)
    }
}

/// The queue of a running cloud.
#[derive(Debug, Default)]
pub(crate) struct TokenFaults(Mutex<TokenFaultScript>);

impl TokenFaults {
    /// The queue, to read or to change.
    pub(crate) fn queue(&self) -> MutexGuard<'_, TokenFaultScript> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

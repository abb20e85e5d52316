//! What the requests of a batch are decided on: the facts as the transaction holds them, what the
//! requests before have changed about them, and what was decided before under the same keys.

use std::collections::HashMap;

use super::request::{DispatchCommand, Pending};
use crate::domain::command::Command;
use crate::service::Error;
use crate::service::facts::{DecisionFacts, Named};
use crate::storage::Tx;
use crate::storage::decisions::{self, KeyedCommand};

/// Who sent a request, and under which key.
type Key = (uuid::Uuid, String);

/// What a batch is decided on.
pub(super) struct BatchState {
    pub(super) facts: DecisionFacts,
    replays: HashMap<Key, ([u8; 32], Command)>,
}

impl BatchState {
    /// Reads what these requests are about.
    pub(super) async fn read(tx: &mut Tx, batch: &[Pending]) -> Result<Self, Error> {
        let requests = || batch.iter().map(|pending| &pending.request);
        let keys: Vec<(uuid::Uuid, &str)> = requests()
            .map(|request| (request.caller.principal_id(), request.idempotency_key.as_str()))
            .collect();
        let replays = decisions::replays(tx, &keys).await?;
        let named: Vec<Named> = requests().map(DispatchCommand::named).collect();
        let facts = DecisionFacts::hold(tx, &named).await?;
        let replayed = |keyed: KeyedCommand| {
            let key = (keyed.principal_id, keyed.idempotency_key);
            (key, (keyed.request_hash, keyed.command))
        };
        Ok(Self { facts, replays: replays.into_iter().map(replayed).collect() })
    }

    /// The command that was decided on before under this key, and the hash of its request.
    pub(super) fn replay(&self, key: &Key) -> Option<&([u8; 32], Command)> {
        self.replays.get(key)
    }

    /// Remembers what was decided under a key, for the same request in the rest of the batch.
    pub(super) fn note_decided(&mut self, key: Key, request_hash: [u8; 32], command: Command) {
        self.replays.insert(key, (request_hash, command));
    }
}

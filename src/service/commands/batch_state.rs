//! What the requests of a batch are decided on: the facts from rows that are locked, what the
//! requests before have changed about them, and what was decided before under the same keys.

use std::collections::HashMap;

use super::request::{Batch, CommandRequest};
use crate::domain::command::Command;
use crate::domain::id::CommandId;
use crate::service::Error;
use crate::service::facts::{self, DecisionFacts, Named};
use crate::service::shown_token::{self, CountingTokens};
use crate::storage::Tx;
use crate::storage::commands::KeyedCommand;
use crate::storage::decisions::{self, RowsToLock};

/// Who sent a request, and under which key.
type Key = (uuid::Uuid, String);

/// What a batch is decided on.
pub(super) struct BatchState {
    pub(super) facts: DecisionFacts,
    /// The grant tokens that requests show.
    pub(super) tokens: CountingTokens,
    replays: HashMap<Key, ([u8; 32], Command)>,
    /// How many commands to a car the batch has allowed, by the right on which they rest.
    allowed: HashMap<Named, usize>,
}

impl BatchState {
    /// Locks and reads the rows that these requests rest on, and writes the outcomes; returns the commands
    /// whose outcome was written here.
    pub(super) async fn lock(tx: &mut Tx, batch: &Batch) -> Result<(Self, Vec<CommandId>), Error> {
        let requests = || batch.requests.iter().map(|pending| &pending.request);
        let named: Vec<Named> = requests().map(CommandRequest::named).collect();
        let keys = requests()
            .map(|request| (request.caller.principal_id(), request.idempotency_key.as_str()))
            .collect();
        let shown = requests().filter_map(|request| request.token.as_ref());
        let (token_ids, proofs) = shown_token::parts(shown);
        let rows = facts::rows_to_lock(&named);
        let asked = RowsToLock { token_ids, proofs, keys, outcomes: &batch.outcomes, ..rows };
        let locked = decisions::lock_rows(tx, asked).await?;
        let replayed = |keyed: KeyedCommand| {
            let key = (keyed.principal_id, keyed.idempotency_key);
            (key, (keyed.request_hash, keyed.command))
        };
        let facts = DecisionFacts::of_rows(locked.vehicles, locked.grants);
        let tokens = CountingTokens::found(locked.living_tokens, locked.spenders);
        let replays = locked.replays.into_iter().map(replayed).collect();
        Ok((Self { facts, tokens, replays, allowed: HashMap::new() }, locked.written))
    }

    /// The command that was decided on before under this key, and the hash of its request.
    pub(super) fn replay(&self, key: &Key) -> Option<&([u8; 32], Command)> {
        self.replays.get(key)
    }

    /// How many commands of this right the batch comes to if it allows one more.
    pub(super) fn count_with_next(&self, named: Named) -> usize {
        self.allowed.get(&named).copied().unwrap_or(0) + 1
    }

    /// Notes one more.
    pub(super) fn note_allowed(&mut self, named: Named) {
        *self.allowed.entry(named).or_default() += 1;
    }

    /// Remembers what was decided under a key, for the same request in the rest of the batch.
    pub(super) fn remember(&mut self, key: Key, request_hash: [u8; 32], command: Command) {
        self.replays.insert(key, (request_hash, command));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Id;

    #[test]
    fn the_next_command_counts_after_those_of_its_right_that_the_batch_has_allowed() {
        let id = |number| uuid::Uuid::from_u128(number);
        let owner = (Id::from_uuid(id(1)), None);
        let guest = (Id::from_uuid(id(1)), Some(Id::from_uuid(id(2))));
        let other_car = (Id::from_uuid(id(3)), None);
        let facts = DecisionFacts::of_rows(Vec::new(), Vec::new());
        let (replays, allowed) = (HashMap::new(), HashMap::new());
        let tokens = CountingTokens::default();
        let mut state = BatchState { facts, tokens, replays, allowed };
        assert_eq!(state.count_with_next(owner), 1);
        state.note_allowed(owner);
        state.note_allowed(owner);
        state.note_allowed(guest);
        assert_eq!([owner, guest, other_car].map(|right| state.count_with_next(right)), [3, 2, 1]);
    }
}

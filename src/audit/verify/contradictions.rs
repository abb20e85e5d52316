//! What entries say about commands and grants, and whether it can be true: nothing is sent without
//! an authorization before it, a command has one end, a refusal is final, and nobody is authorized
//! by a grant that had ended, but to lock the car if its end left that (P1, P2, P4, P11).

use std::collections::HashMap;
use std::str::FromStr;

use serde::Deserialize;

use crate::domain::command::CommandStatus;
use crate::domain::id::{CommandId, GrantId};
use crate::domain::instruction::Action;

/// How an entry contradicts the entries before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The leaf cannot be read as an entry.
    #[error("this is not an entry: {0}")]
    Malformed(String),
    /// A command was decided on a second time.
    #[error("{0} was decided on before")]
    DecidedTwice(CommandId),
    /// A command that nobody authorized has an outcome.
    #[error("{0} has an outcome and was never authorized")]
    NeverAuthorized(CommandId),
    /// A command went on from where it could not.
    #[error("{command_id} was {} and cannot become {}", .from.as_str(), .to.as_str())]
    ImpossibleTransition {
        /// The command that the entry is about.
        command_id: CommandId,
        /// Its status before.
        from: CommandStatus,
        /// Its status after.
        to: CommandStatus,
    },
    /// A command was authorized by a grant of which there is no entry.
    #[error("a command was authorized by {0}, which was never issued")]
    NeverIssued(GrantId),
    /// A command was authorized by a grant after its end.
    #[error("a command was authorized by {0}, which had ended")]
    AuthorizedAfterEnd(GrantId),
    /// A grant was issued or ended a second time.
    #[error("{0} was issued or ended before")]
    GrantTwice(GrantId),
}

/// What is read of an entry.
#[derive(Deserialize)]
struct Entry<'e> {
    event: &'e str,
    command_id: Option<&'e str>,
    grant_id: Option<&'e str>,
    #[serde(borrow)]
    details: Details<'e>,
}

#[derive(Deserialize)]
struct Details<'e> {
    grant_revision: Option<i64>,
    rests_on: Option<DecidedOn>,
    action: Option<&'e str>,
    leave_lock: Option<bool>,
}

#[derive(Deserialize)]
struct DecidedOn {
    grant: Option<i64>,
}

/// The end of a grant.
#[derive(Debug, Clone, Copy)]
struct End {
    /// The revision that it made.
    revision: i64,
    leave_lock: bool,
}

/// What is known of a grant, wherever its entries stand: those of different instances may be
/// placed in another order than they happened, and the revision gives the true one.
#[derive(Debug, Default, Clone, Copy)]
struct GrantLife {
    is_issued: bool,
    ended: Option<End>,
    /// The greatest revision that something was authorized on, and where the first stands: to lock, and
    /// anything else.
    locks: Option<(i64, u64)>,
    others: Option<(i64, u64)>,
}

impl GrantLife {
    /// Whether something was authorized after the end.
    fn outlives(&self) -> bool {
        let Some(End { revision, leave_lock }) = self.ended else { return false };
        let is_later = |authorized: Option<(i64, u64)>| {
            authorized.is_some_and(|(authorized, _)| authorized >= revision)
        };
        is_later(self.others) || (!leave_lock && is_later(self.locks))
    }
}

/// What the entries so far say.
#[derive(Debug, Default)]
pub(super) struct CommandsAndGrants {
    position: u64,
    commands: HashMap<CommandId, CommandStatus>,
    grants: HashMap<GrantId, GrantLife>,
}

fn id<I: FromStr>(name: &'static str, text: Option<&str>) -> Result<I, Contradiction> {
    let parsed = text.and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| Contradiction::Malformed(format!("{name} is missing or no id")))
}

impl CommandsAndGrants {
    /// The next entry.
    pub(super) fn push(&mut self, leaf: &[u8]) -> Result<(), Contradiction> {
        let entry: Entry<'_> = serde_json::from_slice(leaf)
            .map_err(|error| Contradiction::Malformed(error.to_string()))?;
        let position = self.position;
        self.position = position.saturating_add(1);
        match entry.event.split_once('.') {
            Some(("command", word)) => self.command(&entry, word, position),
            Some(("grant", "issued")) => self.issued(&entry),
            Some(("grant", "revoked" | "relinquished" | "ended")) => self.ended(&entry),
            _ => Ok(()),
        }
    }

    fn command(
        &mut self,
        entry: &Entry<'_>,
        word: &str,
        position: u64,
    ) -> Result<(), Contradiction> {
        let command_id: CommandId = id("command_id", entry.command_id)?;
        let word = if word == "authorized" { CommandStatus::Sending.as_str() } else { word };
        let to = CommandStatus::from_str(word)
            .map_err(|_| Contradiction::Malformed("no such status of a command".to_owned()))?;
        let before = self.commands.insert(command_id, to);
        match (before, to) {
            (None, CommandStatus::Refused) => Ok(()),
            (None, CommandStatus::Sending) => self.authorized(entry, position),
            (None, _) => Err(Contradiction::NeverAuthorized(command_id)),
            (Some(_), CommandStatus::Refused | CommandStatus::Sending) => {
                Err(Contradiction::DecidedTwice(command_id))
            }
            (Some(from), to) if from.may_become(to) => Ok(()),
            (Some(from), to) => Err(Contradiction::ImpossibleTransition { command_id, from, to }),
        }
    }

    fn authorized(&mut self, entry: &Entry<'_>, position: u64) -> Result<(), Contradiction> {
        if entry.grant_id.is_none() {
            return Ok(());
        }
        let grant_id: GrantId = id("grant_id", entry.grant_id)?;
        let rests_on = entry.details.rests_on.as_ref();
        let revision = rests_on.and_then(|rests_on| rests_on.grant).ok_or_else(|| {
            Contradiction::Malformed("it does not say on what the decision rests".to_owned())
        })?;
        let life = self.grants.entry(grant_id).or_default();
        let locks = entry.details.action == Some(Action::Lock.as_str());
        let authorized = if locks { &mut life.locks } else { &mut life.others };
        if authorized.is_none_or(|(greatest, _)| revision > greatest) {
            *authorized = Some((revision, position));
        }
        if life.outlives() { Err(Contradiction::AuthorizedAfterEnd(grant_id)) } else { Ok(()) }
    }

    fn issued(&mut self, entry: &Entry<'_>) -> Result<(), Contradiction> {
        let grant_id: GrantId = id("grant_id", entry.grant_id)?;
        let life = self.grants.entry(grant_id).or_default();
        if std::mem::replace(&mut life.is_issued, true) {
            return Err(Contradiction::GrantTwice(grant_id));
        }
        Ok(())
    }

    fn ended(&mut self, entry: &Entry<'_>) -> Result<(), Contradiction> {
        let grant_id: GrantId = id("grant_id", entry.grant_id)?;
        let revision = entry.details.grant_revision.unwrap_or(i64::MAX);
        let leave_lock = entry.details.leave_lock == Some(true);
        let life = self.grants.entry(grant_id).or_default();
        if life.ended.replace(End { revision, leave_lock }).is_some() {
            return Err(Contradiction::GrantTwice(grant_id));
        }
        if life.outlives() { Err(Contradiction::AuthorizedAfterEnd(grant_id)) } else { Ok(()) }
    }

    /// The end of the record: how many commands have no outcome yet.
    pub(super) fn finish(self) -> Result<usize, (u64, Contradiction)> {
        let never_issued = self.grants.into_iter().filter(|(_, life)| !life.is_issued).filter_map(
            |(grant_id, life)| {
                let first = life.locks.into_iter().chain(life.others).map(|(_, at)| at).min()?;
                Some((first, grant_id))
            },
        );
        match never_issued.min() {
            Some((position, grant_id)) => Err((position, Contradiction::NeverIssued(grant_id))),
            None => {
                let open = |status: &&CommandStatus| !status.is_terminal();
                Ok(self.commands.values().filter(open).count())
            }
        }
    }
}

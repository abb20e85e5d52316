//! A history made quick to ask: the entries of the record as values, by command, grant and request.

use std::collections::{HashMap, HashSet};

use keylend::domain::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::history::{Asked, Execution, History, Request};
use super::{Promise, Violation};

/// One entry of the record.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) entry_id: String,
    pub(super) organization_id: String,
    pub(super) occurred_at: Timestamp,
    pub(super) event: String,
    pub(super) grant_id: Option<String>,
    pub(super) vehicle_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) command_id: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) details: Value,
}

/// A command as the record tells it.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) authorized: Option<Entry>,
    pub(super) refused: Option<Entry>,
    /// What became of it, in the order of the record.
    pub(super) steps: Vec<Entry>,
}

/// A grant as the record tells it.
#[derive(Debug, Default)]
pub(super) struct Lent {
    pub(super) issued: Option<Entry>,
    /// Each change, in the order of the record.
    pub(super) amended: Vec<Entry>,
    pub(super) ended: Option<Entry>,
}

pub(super) struct Index<'h> {
    pub(super) history: &'h History,
    pub(super) entries: Vec<Entry>,
    pub(super) commands: HashMap<String, Life>,
    pub(super) grants: HashMap<String, Lent>,
    pub(super) requests: HashMap<&'h str, &'h Request>,
    /// Executions by the command that they name.
    pub(super) executions: HashMap<&'h str, Vec<&'h Execution>>,
    /// Executions by the vehicle cloud's id of the car.
    pub(super) by_car: HashMap<&'h str, Vec<&'h Execution>>,
    /// The events of each hold and end by scope.
    of_scopes: HashSet<(String, String)>,
    /// The commands that were authorized by each grant.
    by_grant: HashMap<String, Vec<String>>,
}

impl Entry {
    /// What follows the noun: `authorized` of `command.authorized`.
    pub(super) fn verb(&self) -> &str {
        self.event.split_once('.').map_or("", |(_, verb)| verb)
    }

    /// The revision of the grant that it made, or rests on.
    pub(super) fn revision(&self) -> Option<i64> {
        let details = &self.details;
        details["grant_revision"].as_i64().or_else(|| details["rests_on"]["grant"].as_i64())
    }
}

impl Lent {
    /// What the grant allowed in a revision: as it was issued, or as the last change up to there said.
    pub(super) fn terms_in(&self, revision: i64) -> Option<&Value> {
        let up_to = |entry: &&Entry| entry.revision().is_some_and(|changed| changed <= revision);
        let last = self.amended.iter().filter(up_to).max_by_key(|entry| entry.revision());
        last.or(self.issued.as_ref()).map(|entry| &entry.details)
    }
}

impl Life {
    /// The last step, if the command's life is over.
    pub(super) fn end(&self) -> Option<&Entry> {
        self.steps.iter().find(|step| !matches!(step.verb(), "acknowledged" | "unknown"))
    }
}

impl<'h> Index<'h> {
    pub(super) fn of(history: &'h History) -> Result<Self, Violation> {
        let mut entries = Vec::with_capacity(history.leaves.len());
        for (position, leaf) in history.leaves.iter().enumerate() {
            let entry: Entry = serde_json::from_slice(leaf).map_err(|error| Violation {
                promise: Promise::P7,
                evidence: format!("entry {position} is not an entry: {error}"),
            })?;
            entries.push(entry);
        }
        let mut commands: HashMap<String, Life> = HashMap::new();
        let mut grants: HashMap<String, Lent> = HashMap::new();
        for entry in &entries {
            match (entry.event.split_once('.'), &entry.command_id, &entry.grant_id) {
                (Some(("command", verb)), Some(command_id), _) => {
                    let life = commands.entry(command_id.clone()).or_default();
                    match verb {
                        "authorized" => life.authorized = Some(entry.clone()),
                        "refused" => life.refused = Some(entry.clone()),
                        _ => life.steps.push(entry.clone()),
                    }
                }
                (Some(("grant", "issued")), _, Some(grant_id)) => {
                    grants.entry(grant_id.clone()).or_default().issued = Some(entry.clone());
                }
                (Some(("grant", "amended")), _, Some(grant_id)) => {
                    grants.entry(grant_id.clone()).or_default().amended.push(entry.clone());
                }
                (Some(("grant", "revoked" | "relinquished" | "ended")), _, Some(grant_id)) => {
                    grants.entry(grant_id.clone()).or_default().ended = Some(entry.clone());
                }
                _ => {}
            }
        }
        let requests =
            history.requests.iter().map(|request| (request.request_id.as_str(), request)).collect();
        let mut by_grant: HashMap<String, Vec<String>> = HashMap::new();
        for (command_id, life) in &commands {
            if let Some(grant_id) =
                life.authorized.as_ref().and_then(|entry| entry.grant_id.clone())
            {
                by_grant.entry(grant_id).or_default().push(command_id.clone());
            }
        }
        let mut executions: HashMap<&str, Vec<&Execution>> = HashMap::new();
        let mut by_car: HashMap<&str, Vec<&Execution>> = HashMap::new();
        for execution in &history.executions {
            by_car.entry(&execution.provider_vehicle_id).or_default().push(execution);
            if let Some(command_id) = &execution.command_id {
                executions.entry(command_id).or_default().push(execution);
            }
        }
        let of_scopes = entries.iter().filter_map(|entry| {
            let id = entry.details["hold_id"].as_str().or(entry.details["end_id"].as_str())?;
            Some((entry.event.clone(), id.to_owned()))
        });
        let of_scopes = of_scopes.collect();
        Ok(Self {
            history,
            entries,
            commands,
            grants,
            requests,
            executions,
            by_car,
            of_scopes,
            by_grant,
        })
    }

    /// Whether an entry of this event names this hold, or this end by scope.
    pub(super) fn is_recorded(&self, event: &str, id: &str) -> bool {
        self.of_scopes.contains(&(event.to_owned(), id.to_owned()))
    }

    /// When an end by scope was drawn.
    pub(super) fn drawn(&self, end_id: &str) -> Option<Timestamp> {
        let begun = self.entries.iter().filter(|entry| entry.event == "end.begun");
        let mut of_end = begun.filter(|entry| entry.details["end_id"] == end_id);
        of_end.next().map(|entry| entry.occurred_at)
    }

    /// The request in which a command was authorized, if a client of the log made it.
    pub(super) fn authorizing(&self, life: &Life) -> Option<&'h Request> {
        self.request_of(life.authorized.as_ref()?)
    }

    /// The commands that were authorized by a grant.
    pub(super) fn authorized_by<'s>(
        &'s self,
        grant_id: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s Life, &'s Entry)> {
        self.by_grant.get(grant_id).into_iter().flatten().filter_map(|command_id| {
            let life = self.commands.get(command_id)?;
            Some((command_id.as_str(), life, life.authorized.as_ref()?))
        })
    }

    /// The request that an entry belongs to, if a client of the log made it.
    pub(super) fn request_of(&self, entry: &Entry) -> Option<&'h Request> {
        self.requests.get(entry.request_id.as_deref()?).copied()
    }

    /// Whether this car belongs to the organization of whoever asks; `None` if nobody knows it.
    pub(super) fn is_own_car(&self, request: &Request) -> Option<bool> {
        let (Asked::Command { vehicle_id, .. } | Asked::Issue { vehicle_id, .. }) = &request.asked
        else {
            return None;
        };
        let car = self.history.cars.get(vehicle_id)?;
        Some(car.organization_id == request.organization_id)
    }
}

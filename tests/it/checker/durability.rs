//! P6: what a client was told has happened is there afterwards, and every command comes to an end.

use std::collections::{HashMap, HashSet};

use super::history::{Answer, Asked, Request};
use super::index::{Entry, Index, Life};
use super::{Findings, Promise};

/// How long after the restart a command may be without its end.
const SETTLED_WITHIN_US: i64 = 60_000_000;

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    let mut by_request: HashMap<&str, Vec<&Entry>> = HashMap::new();
    for entry in &index.entries {
        if let Some(request_id) = entry.request_id.as_deref() {
            by_request.entry(request_id).or_default().push(entry);
        }
    }
    for request in &index.history.requests {
        let Some(answer) = request.success() else { continue };
        let own = by_request.get(request.request_id.as_str()).map_or(&[][..], Vec::as_slice);
        if let Some(missing) = missing(index, request, answer, own) {
            let evidence =
                format!("{} was answered {}: {missing}", request.request_id, answer.status);
            findings.add(Promise::P6, evidence);
        }
    }
    for (command_id, life) in &index.commands {
        ends(index, findings, command_id, life);
    }
    rows(index, findings);
    refresh_tokens(index, findings);
}

/// What is not in the record although it was told.
fn missing(
    index: &Index<'_>,
    request: &Request,
    answer: &Answer,
    own: &[&Entry],
) -> Option<String> {
    let has_own = |event: &str| own.iter().any(|entry| entry.event == event);
    match &request.asked {
        Asked::Command { .. } => {
            let command_id = answer.text("command_id").unwrap_or_default();
            let unknown = Life::default();
            let life = index.commands.get(command_id).unwrap_or(&unknown);
            life.told(answer).err().map(|what| format!("{command_id} {what}"))
        }
        Asked::Issue { .. } => {
            let grant_id = answer.text("grant_id").unwrap_or_default();
            let issued = index.grants.get(grant_id).and_then(|lent| lent.issued.as_ref());
            issued.is_none().then(|| format!("{grant_id} is nowhere issued in the record"))
        }
        Asked::Amend { grant_id, .. } => {
            let revision = answer.body["revision"].as_i64();
            let amended = index.grants.get(grant_id).map_or(&[][..], |lent| &lent.amended);
            let is_there = amended.iter().any(|entry| entry.revision() == revision);
            (!is_there).then(|| format!("{grant_id} is nowhere changed so in the record"))
        }
        Asked::Revoke { grant_id, .. } => {
            let ended = index.grants.get(grant_id).and_then(|lent| lent.ended.as_ref());
            ended.is_none().then(|| format!("{grant_id} is nowhere ended in the record"))
        }
        Asked::Hold { .. } => {
            let hold_id = answer.text("hold_id").unwrap_or_default();
            let is_there = index.is_recorded("hold.placed", hold_id);
            (!is_there).then(|| format!("{hold_id} is nowhere placed in the record"))
        }
        Asked::EndAll { .. } => {
            let end_id = answer.text("end_id").unwrap_or_default();
            let is_there = index.is_recorded("end.completed", end_id);
            (!is_there).then(|| format!("{end_id} is nowhere completed in the record"))
        }
        Asked::Lift { hold_id } => {
            let is_there = index.is_recorded("hold.lifted", hold_id);
            (!is_there).then(|| format!("{hold_id} is nowhere lifted in the record"))
        }
        Asked::Refresh { .. } => {
            (!has_own("session.refreshed")).then(|| "no session was refreshed".to_owned())
        }
        Asked::SignIn => (!has_own("session.created")).then(|| "no session began".to_owned()),
    }
}

impl Life {
    /// Whether the record knows what this answer says of the command.
    fn told(&self, answer: &Answer) -> Result<(), String> {
        if self.authorized.is_none() {
            return Err("is nowhere authorized in the record".to_owned());
        }
        let status = answer.text("status").unwrap_or_default();
        let is_known = status == "sending" || self.steps.iter().any(|step| step.verb() == status);
        if is_known { Ok(()) } else { Err(format!("is nowhere {status} in the record")) }
    }
}

/// A command ends, and soon after the service was able to end it.
fn ends(index: &Index<'_>, findings: &mut Findings, command_id: &str, life: &Life) {
    let Some(authorized) = &life.authorized else { return };
    let Some(end) = life.end() else {
        let last = life.steps.last().map_or("sending", |step| step.verb());
        findings.add(Promise::P6, format!("{command_id} is {last} for good"));
        return;
    };
    let restarted = index.history.restarts.iter().filter(|at| **at <= end.occurred_at).max();
    let able = restarted.map_or(authorized.occurred_at, |at| authorized.occurred_at.max(*at));
    let took_us = end.occurred_at.as_unix_micros() - able.as_unix_micros();
    if took_us > SETTLED_WITHIN_US {
        let evidence = format!("{command_id} became {} after {took_us} µs", end.verb());
        findings.add(Promise::P6, evidence);
    }
}

/// The rows are as the record says, and neither knows a command that the other does not.
fn rows(index: &Index<'_>, findings: &mut Findings) {
    for (command_id, life) in &index.commands {
        let last = life.steps.last().or(life.refused.as_ref()).map(Entry::verb);
        let last = last.unwrap_or("sending");
        match index.history.statuses.get(command_id) {
            Some(status) if status == last => {}
            status => {
                let evidence = format!("{command_id} is {last} in the record, its row: {status:?}");
                findings.add(Promise::P6, evidence);
            }
        }
    }
    for command_id in index.history.statuses.keys() {
        if !index.commands.contains_key(command_id) {
            findings.add(Promise::P6, format!("the row of {command_id} is not in the record"));
        }
    }
}

/// A refresh token that a client was given is taken, once, if it is shown; unless one of its session
/// was shown more than once, which ends the session.
fn refresh_tokens(index: &Index<'_>, findings: &mut Findings) {
    let mut uses: HashMap<&str, Vec<&Request>> = HashMap::new();
    // The token that each was given in place of, back to the one of the sign-in.
    let mut before: HashMap<&str, &str> = HashMap::new();
    let mut given: HashSet<&str> = HashSet::new();
    for request in &index.history.requests {
        let next = request.success().and_then(|answer| answer.text("refresh_token"));
        given.extend(next);
        if let Asked::Refresh { token } = &request.asked {
            uses.entry(token).or_default().push(request);
            before.extend(next.map(|next| (next, token.as_str())));
        }
    }
    let shown_twice = |token: &str| uses.get(token).is_some_and(|uses| uses.len() > 1);
    let was_copied = |token: &str| {
        let earlier = std::iter::successors(Some(token), |token| before.get(token).copied());
        earlier.skip(1).any(shown_twice)
    };
    for (token, uses) in uses.iter().filter(|(token, _)| given.contains(*token)) {
        let refused =
            |request: &&Request| request.answer.as_ref().is_some_and(|answer| answer.status == 401);
        if uses.iter().all(refused) && !was_copied(token) {
            let ids: Vec<&str> = uses.iter().map(|request| request.request_id.as_str()).collect();
            let evidence = format!("a refresh token that was given out was refused: {ids:?}");
            findings.add(Promise::P6, evidence);
        }
    }
}

//! P4: however often a request is repeated, and wherever, it acts once and is answered alike.

use std::collections::HashMap;

use super::history::{Asked, Request};
use super::index::Index;
use super::{Findings, Promise};

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    for (command_id, executions) in &index.executions {
        if executions.len() > 1 {
            let times = executions.len();
            findings.add(Promise::P4, format!("{command_id} was executed {times} times"));
        }
    }
    effects(index, findings);
    answers(index, findings);
    refresh_tokens(index, findings);
}

/// One command and one grant a key, by the record.
fn effects(index: &Index<'_>, findings: &mut Findings) {
    let mut by_key: HashMap<&str, Vec<&str>> = HashMap::new();
    for entry in &index.entries {
        let what = match entry.event.as_str() {
            "command.authorized" | "command.refused" => &entry.command_id,
            "grant.issued" => &entry.grant_id,
            _ => continue,
        };
        let key = index.request_of(entry).and_then(|request| request.key.as_deref());
        if let (Some(key), Some(what)) = (key, what) {
            by_key.entry(key).or_default().push(what);
        }
    }
    for (key, effects) in by_key.iter().filter(|(_, effects)| effects.len() > 1) {
        findings.add(Promise::P4, format!("the key {key} had the effects {effects:?}"));
    }
}

/// What an answer says of the one thing that its key stands for.
fn verdict(request: &Request) -> Option<String> {
    let answer = request.answer.as_ref()?;
    let id = match &request.asked {
        Asked::Command { .. } => "command_id",
        Asked::Issue { .. } => "grant_id",
        Asked::Hold { .. } => "hold_id",
        Asked::EndAll { .. } => "end_id",
        Asked::Amend { .. }
        | Asked::Revoke { .. }
        | Asked::Lift { .. }
        | Asked::Refresh { .. }
        | Asked::SignIn => return None,
    };
    if answer.is_success() {
        return Some(answer.text(id).unwrap_or("nothing").to_owned());
    }
    let by_policy = answer.status == 403 && !answer.body["reasons"].is_null();
    by_policy.then(|| format!("refused: {}", answer.body["reasons"]))
}

/// Whoever asks with the same key is told the same, once something is kept under it: what was made, or a refusal that has
/// an entry. Of other refusals nothing is kept, and the next one may have other reasons.
fn answers(index: &Index<'_>, findings: &mut Findings) {
    let refused = index.commands.values().filter_map(|life| life.refused.as_ref());
    let refused = refused.filter_map(|entry| index.request_of(entry));
    let made = index.history.requests.iter().filter(|request| request.success().is_some());
    let mut kept: HashMap<&str, (u64, String)> = HashMap::new();
    for request in made.chain(refused) {
        let (Some(key), Some(verdict)) = (request.key.as_deref(), verdict(request)) else {
            continue;
        };
        let at_us = request.answer.as_ref().map_or(u64::MAX, |answer| answer.at_us);
        let (first_at, first) = kept.entry(key).or_insert_with(|| (at_us, verdict.clone()));
        *first_at = at_us.min(*first_at);
        if *first != verdict {
            findings.add(Promise::P4, differ(key, first, &verdict));
        }
    }
    for request in &index.history.requests {
        let (Some(key), Some(verdict)) = (request.key.as_deref(), verdict(request)) else {
            continue;
        };
        let Some((first_at, first)) = kept.get(key) else { continue };
        if request.begun_us > *first_at && *first != verdict {
            findings.add(Promise::P4, differ(key, first, &verdict));
        }
    }
}

fn differ(key: &str, first: &str, verdict: &str) -> String {
    format!("the key {key} was answered {first} and {verdict}")
}

/// A refresh token works once.
fn refresh_tokens(index: &Index<'_>, findings: &mut Findings) {
    let mut winners: HashMap<&str, &str> = HashMap::new();
    for request in &index.history.requests {
        if let (Asked::Refresh { token }, Some(_)) = (&request.asked, request.success())
            && let Some(first) = winners.insert(token, &request.request_id)
        {
            let evidence =
                format!("a refresh token was taken twice: {first} and {}", request.request_id);
            findings.add(Promise::P4, evidence);
        }
    }
}

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
        Asked::Amend { .. } | Asked::Revoke { .. } | Asked::Refresh { .. } | Asked::SignIn => {
            return None;
        }
    };
    if answer.is_success() {
        return Some(answer.text(id).unwrap_or("nothing").to_owned());
    }
    let by_policy = answer.status == 403 && !answer.body["reasons"].is_null();
    by_policy.then(|| format!("refused: {}", answer.body["reasons"]))
}

/// Whoever asks with the same key is told the same.
fn answers(index: &Index<'_>, findings: &mut Findings) {
    let mut by_key: HashMap<&str, String> = HashMap::new();
    for request in &index.history.requests {
        let (Some(key), Some(verdict)) = (request.key.as_deref(), verdict(request)) else {
            continue;
        };
        let first = by_key.entry(key).or_insert_with(|| verdict.clone());
        if *first != verdict {
            let evidence = format!("the key {key} was answered {first} and {verdict}");
            findings.add(Promise::P4, evidence);
        }
    }
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

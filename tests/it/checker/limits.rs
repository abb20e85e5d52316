//! P8 and P10: a grant allows what its issuer said, and nobody reaches into another organization.

use std::collections::HashSet;
use std::time::Duration;

use keylend::domain::time::Timestamp;
use serde_json::{Value, json};

use super::history::{Asked, Request};
use super::index::{Entry, Index, Lent};
use super::{Findings, Promise};

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    for life in index.commands.values() {
        let Some(authorized) = &life.authorized else { continue };
        let Some(grant_id) = authorized.grant_id.as_deref() else { continue };
        let lent = index.grants.get(grant_id);
        if let Some(fault) = beyond(lent, authorized) {
            let command_id = authorized.command_id.as_deref().unwrap_or_default();
            findings.add(Promise::P8, format!("{command_id} by {grant_id}: {fault}"));
        }
    }
    uses(index, findings);
    as_asked(index, findings);
    nothing_crosses(index, findings);
}

/// What of an authorization lies beyond its grant.
fn beyond(lent: Option<&Lent>, authorized: &Entry) -> Option<String> {
    let Some(issued) = lent.and_then(|lent| lent.issued.as_ref()) else {
        return Some("it was never issued".to_owned());
    };
    if issued.vehicle_id != authorized.vehicle_id {
        return Some("it is for another car".to_owned());
    }
    if issued.user_id != authorized.user_id {
        return Some("it is for another person".to_owned());
    }
    let terms =
        authorized.revision().and_then(|revision| lent.and_then(|lent| lent.terms_in(revision)));
    let Some(terms) = terms else { return Some("it names no revision".to_owned()) };
    let moment = |member: &str| terms[member].as_str()?.parse::<Timestamp>().ok();
    let at = authorized.occurred_at;
    let grace = if authorized.details["action"] == "lock" { grace(terms) } else { Duration::ZERO };
    let in_time = moment("not_before").is_some_and(|from| from <= at)
        && moment("not_after").is_some_and(|until| at < until.plus(grace));
    if !in_time {
        return Some(format!("it is not valid at {at}"));
    }
    let action = &authorized.details["action"];
    let entitled = terms["entitlements"].as_array();
    let entitled = entitled.is_some_and(|entitlements| entitlements.contains(action));
    (!entitled).then(|| format!("it does not allow {action}"))
}

/// How long a car can still be locked by these terms.
pub(super) fn grace(terms: &Value) -> Duration {
    Duration::from_secs(60 * terms["grace_minutes"].as_u64().unwrap_or_default())
}

/// A grant opens its car as often as it may.
fn uses(index: &Index<'_>, findings: &mut Findings) {
    for (grant_id, lent) in &index.grants {
        let unlocks = index.authorized_by(grant_id);
        let unlocks = unlocks.filter(|(_, _, entry)| entry.details["action"] == "unlock");
        let revisions: Vec<i64> = unlocks.filter_map(|(_, _, entry)| entry.revision()).collect();
        // Those of a revision came after those of the revisions before it.
        for revision in &revisions {
            let terms = lent.terms_in(*revision);
            let Some(uses_max) = terms.and_then(|terms| terms["max_uses"].as_u64()) else {
                continue;
            };
            let used = revisions.iter().filter(|other| *other <= revision).count() as u64;
            if used > uses_max {
                let evidence = format!("{grant_id} may open {uses_max} times and did {used} times");
                findings.add(Promise::P8, evidence);
            }
        }
    }
}

/// A grant is recorded as it was asked for.
fn as_asked(index: &Index<'_>, findings: &mut Findings) {
    for request in &index.history.requests {
        let (vehicle_id, grantee_id, entitlements, uses_max) = match &request.asked {
            Asked::Issue { vehicle_id, grantee_id, entitlements, uses_max } => {
                (vehicle_id, grantee_id, entitlements, uses_max)
            }
            Asked::Amend { .. } => {
                amended_as_asked(index, findings, request);
                continue;
            }
            Asked::Command { .. } => {
                command_as_asked(index, findings, request);
                continue;
            }
            _ => continue,
        };
        let grant_id = request.success().and_then(|answer| answer.text("grant_id"));
        let lent = grant_id.and_then(|grant_id| index.grants.get(grant_id));
        let Some(issued) = lent.and_then(|lent| lent.issued.as_ref()) else { continue };
        let same = issued.vehicle_id.as_deref() == Some(vehicle_id)
            && issued.user_id.as_deref() == Some(grantee_id)
            && words(&issued.details["entitlements"]) == words(&json!(entitlements))
            && issued.details["max_uses"].as_i64() == *uses_max;
        if !same {
            let evidence = format!("{} got another grant than it asked for", request.request_id);
            findings.add(Promise::P8, evidence);
        }
    }
}

fn words(value: &Value) -> HashSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A grant is changed as it was asked for.
fn amended_as_asked(index: &Index<'_>, findings: &mut Findings, request: &Request) {
    let Asked::Amend { grant_id, entitlements, uses_max } = &request.asked else { return };
    let Some(lent) = index.grants.get(grant_id) else { return };
    let own = |entry: &&Entry| entry.request_id.as_ref() == Some(&request.request_id);
    for Entry { details, .. } in lent.amended.iter().filter(own) {
        let same = entitlements
            .as_ref()
            .is_none_or(|asked| words(&details["entitlements"]) == words(&json!(asked)))
            && uses_max.is_none_or(|asked| details["max_uses"].as_i64() == asked);
        if !same {
            let evidence =
                format!("{} changed {grant_id} otherwise than it asked", request.request_id);
            findings.add(Promise::P8, evidence);
        }
    }
}

/// A command is authorized as it was asked for.
fn command_as_asked(index: &Index<'_>, findings: &mut Findings, request: &Request) {
    let Asked::Command { vehicle_id, action, grant_id } = &request.asked else { return };
    let command_id = request.success().and_then(|answer| answer.text("command_id"));
    let life = command_id.and_then(|command_id| index.commands.get(command_id));
    let Some(authorized) = life.and_then(|life| life.authorized.as_ref()) else { return };
    let same = authorized.vehicle_id.as_deref() == Some(vehicle_id)
        && authorized.details["action"] == action.as_str()
        && (grant_id.is_none() || authorized.grant_id == *grant_id);
    if !same {
        let evidence = format!("{} got another command than it asked for", request.request_id);
        findings.add(Promise::P8, evidence);
    }
}

/// P10.
fn nothing_crosses(index: &Index<'_>, findings: &mut Findings) {
    for request in &index.history.requests {
        let Some(answer) = &request.answer else { continue };
        let elsewhere = index.is_own_car(request) == Some(false);
        // Not signed in any more, or too much at once, says nothing of the car.
        if elsewhere && !matches!(answer.status, 401 | 404 | 429 | 503) {
            let (id, status) = (&request.request_id, answer.status);
            let evidence = format!("{id}, about another organization's car, was answered {status}");
            findings.add(Promise::P10, evidence);
        }
    }
    for entry in &index.entries {
        if let Some(request) = index.request_of(entry)
            // Whoever signs in is not anybody yet.
            && !matches!(request.asked, Asked::SignIn)
            && request.organization_id != entry.organization_id
        {
            let (id, entry_id) = (&request.request_id, &entry.entry_id);
            let evidence = format!("{id} has the entry {entry_id} in another organization");
            findings.add(Promise::P10, evidence);
        }
    }
}

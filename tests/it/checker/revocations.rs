//! P2 and P3: what may still be authorized, and still happen, once a revocation or a change was answered.

use std::time::Duration;

use keylend::domain::time::Timestamp;

use super::history::{Answer, Asked, Execution, Request};
use super::index::{Entry, Index};
use super::limits::grace;
use super::{Findings, Promise};

/// A revocation that waits lists what is in flight only if it has waited for so long.
const DRAIN_US: u64 = 50_000_000;
/// How soon after it goes on a process sends what it was about to send.
const LATE_US: u64 = 5_000_000;

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    for request in &index.history.requests {
        if let (Asked::Amend { grant_id, .. }, Some(answer)) = (&request.asked, request.success()) {
            change(index, findings, request, grant_id, answer);
        }
        if let (Asked::Revoke { grant_id, drain, .. }, Some(answer)) =
            (&request.asked, request.success())
        {
            line(index, findings, request, grant_id, answer);
            let listed = listed(answer);
            let waited_us = answer.at_us.saturating_sub(request.begun_us);
            if *drain && !listed.is_empty() && waited_us < DRAIN_US {
                let id = &request.request_id;
                let evidence = format!(
                    "{id}, which revoked {grant_id} with wait=drain, did not wait for {listed:?}"
                );
                findings.add(Promise::P3, evidence);
            }
            drained(index, findings, request, (grant_id, *drain), answer);
        }
    }
}

/// P2: nothing that was asked for after the answer is authorized.
fn line(
    index: &Index<'_>,
    findings: &mut Findings,
    revocation: &Request,
    grant_id: &str,
    answer: &Answer,
) {
    for (command_id, life, authorized) in index.authorized_by(grant_id) {
        let Some(request) = index.authorizing(life) else { continue };
        if request.begun_us > answer.at_us && !is_lock_left(index, revocation, authorized) {
            let (asked, revoked) = (&request.request_id, &revocation.request_id);
            let evidence = format!(
                "{grant_id} was revoked ({revoked}), and {asked}, which began {} µs after the \
                 answer, had {command_id} authorized",
                request.begun_us - answer.at_us
            );
            findings.add(Promise::P2, evidence);
        }
    }
}

/// Whether a revocation has left it: to lock, for the grace, until somebody else has unlocked the car.
fn is_lock_left(index: &Index<'_>, revocation: &Request, authorized: &Entry) -> bool {
    let Asked::Revoke { grant_id, .. } = &revocation.asked else { return false };
    let Some(lent) = index.grants.get(grant_id) else { return false };
    let Some(ended) = lent.ended.as_ref().filter(|ended| ended.details["leave_lock"] == true)
    else {
        return false;
    };
    let terms = authorized.revision().and_then(|revision| lent.terms_in(revision));
    let until = terms.map(|terms| ended.occurred_at.plus(grace(terms)));
    let at = authorized.occurred_at;
    let apart_us = u64::try_from(index.history.clocks_apart_us).unwrap_or_default();
    let apart = Duration::from_micros(2 * apart_us);
    let unlocks = || {
        let authorized_all = index.commands.values().filter_map(|life| life.authorized.as_ref());
        authorized_all.filter(|other| {
            other.vehicle_id == authorized.vehicle_id && other.details["action"] == "unlock"
        })
    };
    // Who has unlocked it once more, with another key, has it again.
    let is_theirs_again = |since: Timestamp| {
        unlocks().any(|own| {
            own.user_id == authorized.user_id
                && since <= own.occurred_at.plus(apart)
                && own.occurred_at <= at.plus(apart)
        })
    };
    let is_taken = unlocks().any(|other| {
        other.user_id != authorized.user_id
            && ended.occurred_at.plus(apart) < other.occurred_at
            && other.occurred_at.plus(apart) < at
            && !is_theirs_again(other.occurred_at)
    });
    authorized.details["action"] == "lock" && until.is_some_and(|until| at < until) && !is_taken
}

/// P2: nothing that was asked for after the answer to a change rests on what the grant said before.
fn change(
    index: &Index<'_>,
    findings: &mut Findings,
    change: &Request,
    grant_id: &str,
    answer: &Answer,
) {
    let Some(revision) = answer.body["revision"].as_i64() else { return };
    for (command_id, life, authorized) in index.authorized_by(grant_id) {
        let Some(request) = index.authorizing(life) else { continue };
        let is_older = authorized.revision().is_none_or(|decided| decided < revision);
        if request.begun_us > answer.at_us && is_older {
            let (asked, changed) = (&request.request_id, &change.request_id);
            let evidence = format!(
                "{grant_id} was changed ({changed}), and {asked}, which began {} µs after the \
                 answer, had {command_id} authorized by what it said before",
                request.begun_us - answer.at_us
            );
            findings.add(Promise::P2, evidence);
        }
    }
}

/// What a revocation's answer says is in flight.
fn listed(answer: &Answer) -> Vec<&str> {
    let ids = answer.body["in_flight"].as_array().into_iter().flatten();
    ids.filter_map(|id| id.as_str()).collect()
}

/// P3: after the answer only what it listed is executed, and nothing if it waited.
fn drained(
    index: &Index<'_>,
    findings: &mut Findings,
    revocation: &Request,
    (grant_id, drain): (&str, bool),
    answer: &Answer,
) {
    let listed = listed(answer);
    for (command_id, _, authorized) in index.authorized_by(grant_id) {
        for execution in index.executions.get(command_id).into_iter().flatten() {
            let late = execution.earliest_us > answer.at_us;
            if !late
                || listed.contains(&command_id)
                || is_lock_left(index, revocation, authorized)
                || is_excused(index, execution, authorized, answer.at_us)
            {
                continue;
            }
            let how = if drain { "with wait=drain" } else { "without listing it" };
            let evidence = format!(
                "{command_id} was executed {} µs after the revocation of {grant_id} was answered {how}",
                execution.earliest_us - answer.at_us
            );
            findings.add(Promise::P3, evidence);
        }
    }
}

/// Whether a process that stood still may have sent it when it went on.
fn is_excused(
    index: &Index<'_>,
    execution: &Execution,
    authorized: &Entry,
    answered_us: u64,
) -> bool {
    let age_us = execution.at.as_unix_micros() - authorized.occurred_at.as_unix_micros();
    let authorized_us = execution.latest_us.saturating_sub(u64::try_from(age_us).unwrap_or(0));
    index.history.stalls.iter().any(|stall| {
        let after = execution.earliest_us.saturating_sub(stall.until_us);
        let answered_meanwhile = answered_us >= stall.from_us;
        answered_meanwhile
            && authorized_us < stall.until_us
            && execution.latest_us >= stall.until_us
            && after < LATE_US
    })
}

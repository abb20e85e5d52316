//! P2 and P3: what may still be authorized, and still happen, once a revocation was answered.

use super::history::{Answer, Asked, Execution, Request};
use super::index::{Entry, Index};
use super::{Findings, Promise};

/// A revocation that waits lists what is in flight only if it has waited for so long.
const DRAIN_US: u64 = 50_000_000;
/// How soon after it goes on a process sends what it was about to send.
const LATE_US: u64 = 5_000_000;

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    for request in &index.history.requests {
        if let (Asked::Revoke { grant_id, drain }, Some(answer)) =
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
            drained(index, findings, grant_id, *drain, answer);
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
    for (command_id, life, _) in index.authorized_by(grant_id) {
        let Some(request) = index.authorizing(life) else { continue };
        if request.begun_us > answer.at_us {
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

/// What a revocation's answer says is in flight.
fn listed(answer: &Answer) -> Vec<&str> {
    let ids = answer.body["in_flight"].as_array().into_iter().flatten();
    ids.filter_map(|id| id.as_str()).collect()
}

/// P3: after the answer only what it listed is executed, and nothing if it waited.
fn drained(
    index: &Index<'_>,
    findings: &mut Findings,
    grant_id: &str,
    drain: bool,
    answer: &Answer,
) {
    let listed = listed(answer);
    for (command_id, _, authorized) in index.authorized_by(grant_id) {
        for execution in index.executions.get(command_id).into_iter().flatten() {
            let late = execution.earliest_us > answer.at_us;
            if !late
                || listed.contains(&command_id)
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

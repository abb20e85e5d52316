//! P2 for ends by scope: what may still be authorized once one was answered, and P6: that each grant has it in the end.

use std::collections::HashMap;

use super::history::{Answer, Asked, Request};
use super::index::{Index, Lent};
use super::{Findings, Promise};

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    let first_begun = first_begun(index);
    for request in &index.history.requests {
        if let (Asked::EndAll { over }, Some(answer)) = (&request.asked, request.success()) {
            // An answer that is given again is about the end that was drawn when it was first asked for.
            let begun_us = request.key.as_deref().and_then(|key| first_begun.get(key));
            let begun_us = begun_us.copied().unwrap_or(request.begun_us);
            for (grant_id, lent) in &index.grants {
                if !is_covered(index, lent, over, begun_us) {
                    continue;
                }
                line(index, findings, (grant_id, request, answer));
                if lent.ended.is_none() {
                    let id = &request.request_id;
                    let evidence =
                        format!("{id} ended all of {over}, and {grant_id} has not ended");
                    findings.add(Promise::P6, evidence);
                }
            }
        }
    }
}

/// When each end was asked for first, by its key.
fn first_begun<'h>(index: &Index<'h>) -> HashMap<&'h str, u64> {
    let mut first = HashMap::new();
    for request in &index.history.requests {
        if let (Asked::EndAll { .. }, Some(key)) = (&request.asked, request.key.as_deref()) {
            let begun_us = first.entry(key).or_insert(request.begun_us);
            *begun_us = request.begun_us.min(*begun_us);
        }
    }
    first
}

/// Whether a grant is of the scope, and was certainly there when the end was asked for first.
fn is_covered(index: &Index<'_>, lent: &Lent, over: &str, end_begun_us: u64) -> bool {
    let Some(issued) = &lent.issued else { return false };
    let is_of = [&issued.vehicle_id, &issued.user_id].into_iter().flatten().any(|id| id == over);
    let answered = index.request_of(issued).and_then(|issue| issue.answer.as_ref());
    is_of && answered.is_some_and(|answer| answer.at_us < end_begun_us)
}

fn line(
    index: &Index<'_>,
    findings: &mut Findings,
    (grant_id, end, answer): (&str, &Request, &Answer),
) {
    let drawn = index.drawn(answer.text("end_id").unwrap_or_default());
    let ended = index.grants.get(grant_id).and_then(|lent| lent.ended.as_ref());
    let is_left = ended.is_some_and(|ended| {
        ended.details["leave_lock"] == true && drawn.is_none_or(|drawn| ended.occurred_at < drawn)
    });
    for (command_id, life, authorized) in index.authorized_by(grant_id) {
        let Some(request) = index.authorizing(life) else { continue };
        // A revocation before it may have left the lock.
        let may_lock = is_left && authorized.details["action"] == "lock";
        if request.begun_us > answer.at_us && !may_lock {
            let (asked, ended) = (&request.request_id, &end.request_id);
            let evidence = format!(
                "{grant_id} was ended with others ({ended}), and {asked}, which began {} µs after the answer, had \
                 {command_id} authorized",
                request.begun_us - answer.at_us
            );
            findings.add(Promise::P2, evidence);
        }
    }
}

//! P1: whatever a car did was authorized before, in the record, and refusals are in it too.

use std::collections::HashSet;

use super::history::{Asked, Execution, Request};
use super::index::Index;
use super::{Findings, Promise};

/// So many refusals of the same have an entry each.
const SINGLY: usize = 5;
/// They are together for a minute, and until it is noticed that it is over.
const WINDOW_US: u64 = 75_000_000;

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    for execution in &index.history.executions {
        if let Some(fault) = fault(index, execution) {
            let Execution { provider_vehicle_id, action, at, .. } = execution;
            let evidence = format!("car {provider_vehicle_id} did {action} at {at}: {fault}");
            findings.add(Promise::P1, evidence);
        }
    }
    refusals(index, findings);
}

/// Why this should not have been executed.
fn fault(index: &Index<'_>, execution: &Execution) -> Option<String> {
    let Some(command_id) = &execution.command_id else {
        return Some("the request named no command".to_owned());
    };
    let life = index.commands.get(command_id);
    let Some(authorized) = life.and_then(|life| life.authorized.as_ref()) else {
        return Some(format!("{command_id} is nowhere authorized in the record"));
    };
    let after = authorized.occurred_at.as_unix_micros() - execution.at.as_unix_micros();
    if after > index.history.clocks_apart_us {
        return Some(format!("{command_id} was authorized {after} µs later"));
    }
    if authorized.details["action"] != execution.action.as_str() {
        return Some(format!("{command_id} was {}", authorized.details["action"]));
    }
    let vehicle_id = authorized.vehicle_id.as_deref().unwrap_or_default();
    let car = index.history.cars.get(vehicle_id);
    if car.is_none_or(|car| car.provider_vehicle_id != execution.provider_vehicle_id) {
        return Some(format!("{command_id} was for {vehicle_id}"));
    }
    None
}

/// Whoever was told that the policy says no finds that in the record: as an entry, or, after some of the same in
/// one minute, in a number. A process that is killed loses its last number, and none counts what was not.
fn refusals(index: &Index<'_>, findings: &mut Findings) {
    let refused = index.commands.values().filter_map(|life| life.refused.as_ref());
    let recorded: Vec<&Request> = refused.filter_map(|refused| index.request_of(refused)).collect();
    let keys: HashSet<&str> =
        recorded.iter().filter_map(|request| request.key.as_deref()).collect();
    let (mut alone, mut unanswered) = (0, 0);
    for request in &index.history.requests {
        let Asked::Command { vehicle_id, .. } = &request.asked else { continue };
        let Some(answer) = &request.answer else {
            unanswered += 1;
            continue;
        };
        let by_policy = answer.status == 403 && !answer.body["reasons"].is_null();
        if !by_policy || request.key.as_deref().is_some_and(|key| keys.contains(key)) {
            continue;
        }
        alone += 1;
        let is_shortly_before = |other: &&&Request| {
            matches!(&other.asked, Asked::Command { vehicle_id: car, .. } if car == vehicle_id)
                && other.begun_us <= answer.at_us
                && other.begun_us + WINDOW_US >= request.begun_us
        };
        if recorded.iter().filter(is_shortly_before).count() < SINGLY {
            let id = &request.request_id;
            findings.add(Promise::P1, format!("{id} was refused, of which there is no entry"));
        }
    }
    let counted = index.entries.iter().filter(|entry| entry.event == "refusals.counted");
    let counted: u64 = counted.filter_map(|entry| entry.details["commands"].as_u64()).sum();
    if counted > alone + unanswered {
        let evidence = format!("{counted} refusals are counted, and there were {alone}");
        findings.add(Promise::P1, evidence);
    }
}

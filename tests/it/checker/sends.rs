//! P1: whatever a car did was authorized before, in the record, and refusals are in it too.

use std::collections::HashSet;

use super::history::{Asked, Execution};
use super::index::Index;
use super::{Findings, Promise};

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

/// Whoever was told that the policy says no finds that in the record.
fn refusals(index: &Index<'_>, findings: &mut Findings) {
    let refused = index.commands.values().filter_map(|life| life.refused.as_ref());
    let recorded: HashSet<&str> = refused
        .filter_map(|refused| index.request_of(refused))
        .filter_map(|request| request.key.as_deref())
        .collect();
    for request in &index.history.requests {
        let (Asked::Command { .. }, Some(answer)) = (&request.asked, &request.answer) else {
            continue;
        };
        let by_policy = answer.status == 403 && !answer.body["reasons"].is_null();
        if by_policy && !request.key.as_deref().is_some_and(|key| recorded.contains(key)) {
            let id = &request.request_id;
            findings.add(Promise::P1, format!("{id} was refused, of which there is no entry"));
        }
    }
}

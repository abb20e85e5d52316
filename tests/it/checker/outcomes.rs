//! P5: what was said to have become of a command is what became of it.

use std::collections::HashMap;

use keylend::domain::time::Timestamp;

use super::history::Execution;
use super::index::{Index, Life};
use super::{Findings, Promise};

/// What is said of a command that provably did nothing.
const NOT_DONE: [&str; 4] = ["failed", "refused", "cancelled", "expired"];
/// The journal and a car's own report of its state may differ by so much.
const REPORT_US: i64 = 1_000;

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    let told = told(index);
    for (&command_id, executions) in &index.executions {
        let mut said: Vec<&str> = told.get(command_id).cloned().unwrap_or_default();
        if let Some(life) = index.commands.get(command_id) {
            said.extend(life.refused.iter().chain(&life.steps).map(|entry| entry.verb()));
        }
        said.extend(index.history.statuses.get(command_id).map(String::as_str));
        if let Some(wrong) = said.iter().find(|status| NOT_DONE.contains(status)) {
            let at = executions.first().map(|execution| execution.at.to_string());
            let at = at.unwrap_or_default();
            let evidence = format!("{command_id} was executed at {at} and called {wrong}");
            findings.add(Promise::P5, evidence);
        }
    }
    for (command_id, life) in &index.commands {
        observed(index, findings, command_id, life);
    }
}

/// What clients were told about each command.
fn told<'h>(index: &Index<'h>) -> HashMap<&'h str, Vec<&'h str>> {
    let mut told: HashMap<&str, Vec<&str>> = HashMap::new();
    for answer in index.history.requests.iter().filter_map(|request| request.success()) {
        if let (Some(command_id), Some(status)) = (answer.text("command_id"), answer.text("status"))
        {
            told.entry(command_id).or_default().push(status);
        }
    }
    told
}

/// A command is confirmed or contradicted only by a car that was in that state since.
fn observed(index: &Index<'_>, findings: &mut Findings, command_id: &str, life: &Life) {
    let (Some(authorized), Some(end)) = (&life.authorized, life.end()) else { return };
    let asked_locked = match authorized.details["action"].as_str() {
        Some("lock") => true,
        Some("unlock") => false,
        _ => return,
    };
    let seen_locked = match end.verb() {
        "confirmed" => asked_locked,
        "contradicted" => !asked_locked,
        _ => return,
    };
    let vehicle_id = authorized.vehicle_id.as_deref().unwrap_or_default();
    let Some(car) = index.history.cars.get(vehicle_id) else { return };
    let of_car = index.by_car.get(car.provider_vehicle_id.as_str());
    let of_car = of_car.into_iter().flatten().copied();
    if !was_seen(of_car, seen_locked, authorized.occurred_at, end.occurred_at) {
        let (verb, state) = (end.verb(), if seen_locked { "locked" } else { "unlocked" });
        let evidence = format!("{command_id} is {verb}, and its car was never {state} since");
        findings.add(Promise::P5, evidence);
    }
}

/// Whether a car was in this state at some moment between two others. All begin locked.
fn was_seen<'h>(
    executions: impl Iterator<Item = &'h Execution>,
    wanted: bool,
    from: Timestamp,
    until: Timestamp,
) -> bool {
    let until_us = until.as_unix_micros() + REPORT_US;
    let from_us = from.as_unix_micros() - REPORT_US;
    let mut is_locked = true;
    for execution in executions {
        let becomes_locked = match execution.action.as_str() {
            "lock" => true,
            "unlock" => false,
            _ => continue,
        };
        let at_us = execution.at.as_unix_micros();
        if at_us > until_us {
            break;
        }
        // In the state before until now.
        if is_locked == wanted && at_us >= from_us {
            return true;
        }
        is_locked = becomes_locked;
    }
    is_locked == wanted
}

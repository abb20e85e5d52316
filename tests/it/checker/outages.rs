//! P9: while nothing can be committed, nothing is done. What was committed before may leave for as
//! long as a command may take to leave.

use std::collections::HashMap;

use keylend::domain::command::SEND_TIME;

use super::history::Outage;
use super::index::Index;
use super::{Findings, Promise};

/// From the look at the clock to the car.
const WAY_US: u64 = 1_000_000;

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    let leaving_us = u64::try_from(SEND_TIME.as_micros()).unwrap_or(u64::MAX) + WAY_US;
    let mut began: HashMap<&str, u64> = HashMap::new();
    for request in &index.history.requests {
        if let Some(key) = &request.key {
            let first = began.entry(key).or_insert(request.begun_us);
            *first = request.begun_us.min(*first);
        }
    }
    for &Outage { from_us, until_us } in &index.history.outages {
        for execution in &index.history.executions {
            if execution.earliest_us > from_us + leaving_us && execution.latest_us < until_us {
                let what = execution.command_id.as_deref().unwrap_or("something");
                let evidence = format!(
                    "{what} was executed {} µs after the last moment at which anything could be \
                     committed",
                    execution.earliest_us - from_us
                );
                findings.add(Promise::P9, evidence);
            }
        }
        for request in &index.history.requests {
            let Some(answer) = request.success() else { continue };
            // A repetition may be told of what was committed before.
            let key = request.key.as_deref();
            let began_us = key.and_then(|key| began.get(key)).unwrap_or(&request.begun_us);
            if *began_us > from_us && answer.at_us < until_us {
                let (id, status) = (&request.request_id, answer.status);
                let evidence =
                    format!("{id} was answered {status} while nothing could be committed");
                findings.add(Promise::P9, evidence);
            }
        }
    }
}

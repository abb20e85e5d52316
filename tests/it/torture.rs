//! The promises under torture: service and vehicle cloud as processes, people who use them, and
//! somebody who kills, stops and parts them. When a run is over, the checker decides on everything
//! that clients, cars and the record say about it.
//!
//! `make test` runs the short form, `make torture` the long one. Settings come from the
//! environment: `TORTURE_CYCLES` (kills on each database), `TORTURE_SEED` (what chance chooses; a
//! run prints its own). A run with real processes cannot be had again to the letter, but what is
//! done to it can.

mod clients_log;
mod dice;
mod gather;
pub(crate) mod installation;
mod instances;
mod kills;
mod office;
mod person;
mod process;
pub(crate) mod run;
mod scopes;
mod workload;

use keylend::service::failpoint::Failpoint;

use crate::support::databases::Database;
use instances::Plan;
use run::Tally;

/// Enough to come to every failpoint, and to be killed at random moments too: two cycles of three
/// are for failpoints, so one of four may miss the one that it was for.
const CYCLES_SHORT: usize = 2 * Failpoint::ALL.len();

/// The same for several instances: two thirds of the blows that are not races strike all at once.
const INSTANCES_SHORT: Plan = Plan { races: 3, kills: 5, kills_of_all: 5, stalls: 2 };

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "how long to go on is for whoever runs the tests")]
pub(crate) fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

fn cycles() -> usize {
    setting("TORTURE_CYCLES").map_or(CYCLES_SHORT, |cycles| cycles as usize)
}

/// The seed that was asked for, or a new one.
pub(crate) fn seed() -> u64 {
    use keylend::entropy::{Entropy, OsEntropy};
    setting("TORTURE_SEED").unwrap_or_else(|| {
        let mut bytes = [0; 8];
        OsEntropy::default().fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes) >> 16
    })
}

/// A program without failpoints would pass the cycles that need them.
fn needs_failpoints() {
    let built = cfg!(feature = "failpoints");
    assert!(built, "build the tests with `--features failpoints`, as `make test` does");
}

/// No failpoint is dead: a service came to each and ended there.
fn every_failpoint_was_reached(tally: &Tally) {
    let missed = |point: &&Failpoint| !tally.ends.contains_key(&kills::name(**point));
    let missed: Vec<_> = Failpoint::ALL.iter().filter(missed).collect();
    assert!(missed.is_empty(), "no process came to {missed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_keeps_its_promises_on_sqlite() {
    needs_failpoints();
    let tally = kills::run("SQLite, killed", Database::Sqlite, cycles(), seed()).await;
    every_failpoint_was_reached(&tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_keeps_its_promises_on_postgres() {
    needs_failpoints();
    let tally = kills::run("PostgreSQL, killed", Database::Postgres, cycles(), seed()).await;
    every_failpoint_was_reached(&tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_instances_keep_their_promises_together() {
    needs_failpoints();
    let plan = match setting("TORTURE_CYCLES") {
        None => INSTANCES_SHORT,
        Some(cycles) => {
            let tenth = (cycles as usize).div_ceil(10);
            Plan { races: tenth, kills: tenth, kills_of_all: tenth, stalls: tenth.div_ceil(4) }
        }
    };
    instances::run("three instances on PostgreSQL", plan, seed()).await;
}

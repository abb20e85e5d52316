//! Every seed keeps every promise, and is the same run each time.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::run::{Outcome, play};
use super::trace::{Happening, fingerprint};
use crate::domain::command::CommandStatus;
use crate::storage::db::rehearsal::Table;

/// How many seeds are played unless somebody asks for more or fewer.
const SEEDS: u64 = 10_000;

/// The seed to play, and how many: from the environment.
#[expect(clippy::disallowed_methods, reason = "a test has no settings of its own")]
fn asked_for(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value}")))
}

fn judge(seed: u64, outcome: &Outcome) {
    if asked_for("REHEARSAL_SEED").is_some() {
        println!("seed {seed} is the run {:016x}", fingerprint(&outcome.trace));
    }
    if outcome.broken.is_empty() {
        return;
    }
    let story: Vec<String> = outcome.trace.iter().map(ToString::to_string).collect();
    panic!(
        "seed {seed} breaks promises: {:#?}\n{}\nplay it again: REHEARSAL_SEED={seed} cargo test --lib rehearsal::seeds",
        outcome.broken,
        story.join("\n"),
    );
}

fn play_all(seeds: Range<u64>) {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let (next, first) = (AtomicUsize::new(0), seeds.start);
    let count = seeds.end - seeds.start;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = first + next.fetch_add(1, Ordering::Relaxed) as u64;
                    if seed >= first + count {
                        return;
                    }
                    judge(seed, &play(seed, None));
                }
            });
        }
    });
}

#[test]
fn every_seed_keeps_every_promise() {
    let seeds = match asked_for("REHEARSAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked_for("REHEARSAL_SEEDS").unwrap_or(SEEDS),
    };
    play_all(seeds);
}

/// Seeds that never come to where it matters would keep every promise.
#[test]
fn the_seeds_reach_every_status_of_a_command_and_revocations_with_commands_in_flight() {
    let mut reached = BTreeSet::new();
    let (mut in_flight, mut deaths, mut reused) = (0, 0, 0);
    let (mut shared, mut alone) = (0, 0);
    for moment in (0..400).flat_map(|seed| play(seed, None).trace) {
        match moment.happening {
            Happening::Committed { rows, .. } => {
                let commands = rows.iter().filter(|(table, _)| *table == Table::Commands);
                let statuses: BTreeSet<String> =
                    commands.filter_map(|(_, row)| row.text("status").map(str::to_owned)).collect();
                let is_one_of = |words: &[&str]| words.iter().any(|word| statuses.contains(*word));
                let decides = is_one_of(&["sending", "refused"]);
                let writes_outcomes = is_one_of(&["acknowledged", "failed", "unknown", "expired"]);
                shared += usize::from(decides && writes_outcomes);
                alone += usize::from(!decides && is_one_of(&["acknowledged"]));
                reached.extend(statuses);
            }
            Happening::Ended { in_flight: left, .. } => in_flight += left,
            Happening::Died { .. } => deaths += 1,
            Happening::KeyReused { .. } => reused += 1,
            _ => {}
        }
    }
    // Only what was given up after ten seconds of looking for its commit is cancelled: too rare here.
    for status in CommandStatus::ALL.iter().filter(|status| **status != CommandStatus::Cancelled) {
        assert!(reached.contains(status.as_str()), "no command became {status}");
    }
    assert!(in_flight > 20 && deaths > 100, "{in_flight} in flight, {deaths} deaths");
    assert!(shared > 20, "{shared} transactions decide and write outcomes");
    assert!(alone > 200, "{alone} transactions write only outcomes");
    assert!(reused > 20, "{reused} clients were refused that used a key for two requests");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..50 {
        let prints = [0, 1].map(|_| fingerprint(&play(seed, None).trace));
        assert_eq!(prints[0], prints[1], "seed {seed}");
    }
}

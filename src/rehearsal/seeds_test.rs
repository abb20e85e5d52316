//! Every seed keeps every promise, and is the same run each time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::run::{Outcome, play};
use super::trace::{Ended, Happening, Moment, fingerprint};
use crate::domain::command::CommandStatus;
use crate::storage::db::rehearsal::{Table, Written};

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

/// How often the seeds come to where it matters.
#[derive(Debug, Default)]
struct Reached {
    statuses: BTreeSet<String>,
    deaths: usize,
    /// Commands that were in flight when the end of their grant was told.
    in_flight: usize,
    /// Grants that were narrowed, and that were widened.
    narrowed: usize,
    widened: usize,
    /// Ends that left the lock.
    locks_left: usize,
    /// Holds that were told, and that were lifted.
    held: usize,
    lifted: usize,
    /// Ends of all grants of a scope.
    ended_all: usize,
    switched: usize,
    /// Transactions that decide and write outcomes, and that only acknowledge.
    shared: usize,
    alone: usize,
    /// Clients that were refused because they used a key for two requests.
    reused: usize,
    /// Clients that were refused as others had been, of which nothing is kept.
    refused_again: usize,
    /// Commands that left although the answer to their commit was lost.
    found: usize,
    /// Commands that were due to be checked after the end.
    reconciled: usize,
    /// Commands that were settled so soon after their acknowledgement that only news of the car can have
    /// done it.
    by_news: usize,
}

impl Reached {
    fn read(&mut self, trace: Vec<Moment>) {
        let (mut unheard, mut acknowledged) = (BTreeSet::new(), BTreeMap::new());
        for moment in trace {
            match moment.happening {
                Happening::Committed { process, rows, .. } => {
                    self.committed(&rows);
                    self.by_news += settled_at_once(&rows, process, &mut acknowledged);
                }
                Happening::Ended { in_flight, .. } => self.in_flight += in_flight,
                Happening::EndAsked { how: Ended::LockLeft, .. } => self.locks_left += 1,
                Happening::Amended { effect, .. } => {
                    self.narrowed += usize::from(effect.narrows());
                    self.widened += usize::from(effect.widens());
                }
                Happening::Switched { .. } => self.switched += 1,
                Happening::EndedAll { .. } => self.ended_all += 1,
                Happening::Held { .. } => self.held += 1,
                Happening::Lifted { done, .. } => self.lifted += usize::from(done),
                Happening::Died { .. } => self.deaths += 1,
                Happening::AnswerLost { transaction } => drop(unheard.insert(transaction)),
                Happening::Left { transaction, .. } => {
                    self.found += usize::from(unheard.contains(&transaction));
                }
                Happening::KeyReused { .. } => self.reused += 1,
                Happening::RefusedAgain { .. } => self.refused_again += 1,
                Happening::Reconciled { count } => self.reconciled += count,
                _ => {}
            }
        }
    }

    fn committed(&mut self, rows: &[Written]) {
        let commands = rows.iter().filter(|(table, _)| *table == Table::Commands);
        let statuses: BTreeSet<String> =
            commands.filter_map(|(_, row)| row.text("status").map(str::to_owned)).collect();
        let is_one_of = |words: &[&str]| words.iter().any(|word| statuses.contains(*word));
        let decides = is_one_of(&["sending", "refused"]);
        let writes_outcomes = is_one_of(&["acknowledged", "failed", "unknown", "expired"]);
        self.shared += usize::from(decides && writes_outcomes);
        self.alone += usize::from(!decides && is_one_of(&["acknowledged"]));
        self.statuses.extend(statuses);
    }
}

/// How many of these commands were confirmed before a check of their car was due, by the clock of the one
/// process that acknowledged and confirmed them.
fn settled_at_once(
    rows: &[Written],
    process: u64,
    acknowledged: &mut BTreeMap<uuid::Uuid, (u64, i64)>,
) -> usize {
    const FIRST_CHECK_MICROS: i64 = 2_000_000;
    let mut count = 0;
    for (_, row) in rows.iter().filter(|(table, _)| *table == Table::Commands) {
        let command_id = row.id("command_id").unwrap();
        let changed_at = row.integer("changed_at").unwrap();
        match row.text("status") {
            Some("acknowledged") => {
                acknowledged.entry(command_id).or_insert((process, changed_at));
            }
            Some("confirmed") => {
                let before = acknowledged.get(&command_id).filter(|(by, _)| *by == process);
                let is_early = |(_, at): &(u64, i64)| changed_at < at + FIRST_CHECK_MICROS;
                count += usize::from(before.is_some_and(is_early));
            }
            _ => {}
        }
    }
    count
}

/// Seeds that never come there would keep every promise.
#[test]
fn the_seeds_come_to_where_it_matters() {
    let mut reached = Reached::default();
    (0..400).for_each(|seed| reached.read(play(seed, None).trace));
    println!("{reached:#?}");
    for status in CommandStatus::ALL {
        assert!(reached.statuses.contains(status.as_str()), "no command became {status}");
    }
    let Reached { deaths, in_flight, shared, alone, reused, found, reconciled, by_news, .. } =
        reached;
    assert!(reached.locks_left > 50, "{reached:?}");
    assert!(reached.narrowed > 20 && reached.widened > 0, "{reached:?}");
    assert!(reached.ended_all > 20 && reached.switched > 10, "{reached:?}");
    assert!(reached.held > 50 && reached.lifted > 20, "{reached:?}");
    assert!(reached.refused_again > 10, "{}", reached.refused_again);
    assert!(deaths > 100 && in_flight > 20 && shared > 20, "{deaths}, {in_flight}, {shared}");
    assert!(alone > 200 && reused > 20 && found > 0, "{alone}, {reused}, {found}");
    assert!(reconciled > 50 && by_news > 5, "{reconciled}, {by_news}");
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..50 {
        let prints = [0, 1].map(|_| fingerprint(&play(seed, None).trace));
        assert_eq!(prints[0], prints[1], "seed {seed}");
    }
}

//! What is wrong on purpose is found within few seeds: the promises can be seen to break.

use super::run::play;
use super::world::Planted;
use crate::storage::commands::meaning::{IN_FLIGHT_OF_GRANT, MARK_ABANDONED, WRITE_OUTCOMES};
use crate::storage::db::rehearsal::{Defect, Table};
use crate::storage::grants::meaning::{AMEND, END};
use crate::storage::holds::meaning::{LIFT, NOT_LIFTED};
use crate::storage::record_queue::meaning::ADD;
use crate::storage::scope_ends::meaning::{OF_VEHICLE, OPEN_OVER};

/// At most so many seeds are played until each defect is found.
const SEEDS: u64 = 3000;

#[test]
fn every_planted_defect_breaks_the_promise_it_should() {
    let store = Planted::Store;
    let mut missed = Vec::new();
    for (planted, promise) in [
        (store(Defect::NotHeld(Table::Grants)), "P2"),
        (store(Defect::NotHeld(Table::Users)), "P2"),
        (store(Defect::NotHeld(Table::Vehicles)), "P2"),
        (store(Defect::NotHeld(Table::Organizations)), "P2"),
        (store(Defect::Blind(NOT_LIFTED)), "P2"),
        (store(Defect::Blind(LIFT)), "P6"),
        (store(Defect::Blind(OF_VEHICLE)), "P2"),
        (store(Defect::Blind(OPEN_OVER)), "P2"),
        (store(Defect::Forgets(ADD)), "P1"),
        (store(Defect::Blind(AMEND)), "P6"),
        (store(Defect::Forgets(END)), "P6"),
        (store(Defect::Unchecked(WRITE_OUTCOMES)), "P5"),
        (store(Defect::Blind(IN_FLIGHT_OF_GRANT)), "P3"),
        (store(Defect::Blind(MARK_ABANDONED)), "P6"),
        (store(Defect::KeysRepeat), "P4"),
        (store(Defect::CommitsLost), "P6"),
        (store(Defect::CommitsLate), "P1"),
        (Planted::SentTwice, "P4"),
        (Planted::FalseRefusal, "P5"),
    ] {
        let breaks = |seed: &u64| {
            let broken = play(*seed, Some(planted)).broken;
            broken.iter().any(|broken| broken.promise == promise)
        };
        match (0..SEEDS).find(breaks) {
            Some(seed) => println!("{planted:?} breaks {promise} at seed {seed}"),
            None => missed.push(format!("{planted:?} does not break {promise}")),
        }
    }
    assert!(missed.is_empty(), "in {SEEDS} seeds: {missed:#?}");
}

//! Who gets the last requests, and when there are more.

use super::*;
use proptest::prelude::*;

/// A quarter is the owner's: 20 and 2 are left for all.
const PER_VEHICLE: Allowance = Allowance { burst: 26, per_minute: 2 };
const PLENTY: Allowance = Allowance { burst: 1_000_000, per_minute: 1_000_000 };

fn car(number: u128) -> VehicleId {
    VehicleId::from_uuid(uuid::Uuid::from_u128(number))
}

fn grant(number: u128) -> Spender {
    Spender::Grant(GrantId::from_uuid(uuid::Uuid::from_u128(number)))
}

fn taken_by(budget: &Budget, spender: Spender, purpose: Purpose, now: Duration) -> usize {
    (0..1000).take_while(|_| budget.take(car(1), spender, 1, purpose, now).is_ok()).count()
}

/// What the service takes, which has no part of its own.
fn taken(budget: &Budget, purpose: Purpose, now: Duration) -> usize {
    taken_by(budget, Spender::Service, purpose, now)
}

#[test]
fn whoever_reads_leaves_enough_to_command_to_check_and_to_lock() {
    let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
    assert_eq!(taken(&budget, Purpose::Read, Duration::ZERO), 12);
    assert_eq!(taken(&budget, Purpose::Command, Duration::ZERO), 4);
    assert_eq!(taken(&budget, Purpose::Check, Duration::ZERO), 2);
    assert_eq!(taken(&budget, Purpose::Lock, Duration::ZERO), 2);
    assert!(
        budget.take(car(2), Spender::Service, 1, Purpose::Read, Duration::ZERO).is_ok(),
        "another car"
    );
}

#[test]
fn requests_come_back_with_time_and_the_wait_is_told() {
    let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
    assert_eq!(taken(&budget, Purpose::Lock, Duration::ZERO), 20);
    let Err(Error::Connector(error)) =
        budget.take(car(1), Spender::Service, 1, Purpose::Lock, Duration::ZERO)
    else {
        panic!("the budget is empty");
    };
    assert_eq!(
        (error.fault, error.retry_after),
        (Fault::RateLimited, Some(Duration::from_secs(31)))
    );
    assert_eq!(taken(&budget, Purpose::Lock, Duration::from_secs(31)), 1);
    assert_eq!(taken(&budget, Purpose::Lock, Duration::from_secs(3600)), 20);
}

#[test]
fn the_application_has_a_budget_of_its_own() {
    let per_application = Allowance { burst: 20, per_minute: 2 };
    let budget = Budget::new(PLENTY, per_application, Duration::ZERO);
    assert_eq!(taken(&budget, Purpose::Read, Duration::ZERO), 12);
    assert!(budget.take(car(2), Spender::Service, 1, Purpose::Read, Duration::ZERO).is_err());
    assert!(budget.take(car(2), Spender::Service, 1, Purpose::Lock, Duration::ZERO).is_ok());
}

#[test]
fn a_guest_takes_neither_the_owners_part_nor_all_of_the_other_guests() {
    let (budget, now) = (Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO), Duration::ZERO);
    // A guest who locks without end has half of what is shared, and so has another one.
    assert_eq!(taken_by(&budget, grant(1), Purpose::Lock, now), 10);
    assert_eq!(taken_by(&budget, grant(2), Purpose::Lock, now), 10);
    assert_eq!(taken_by(&budget, grant(3), Purpose::Lock, now), 0);
    // The owner has a part of their own, with its reserve for locking.
    assert_eq!(taken_by(&budget, Spender::Owner, Purpose::Command, now), 4);
    assert_eq!(taken_by(&budget, Spender::Owner, Purpose::Lock, now), 2);
    // With time each part fills by itself.
    let later = Duration::from_secs(60);
    assert_eq!(taken_by(&budget, grant(1), Purpose::Lock, later), 1);
}

#[test]
fn an_owner_uses_what_is_shared_before_what_is_theirs() {
    let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
    assert_eq!(taken_by(&budget, Spender::Owner, Purpose::Lock, Duration::ZERO), 26);
}

#[test]
fn grants_whose_part_is_full_again_are_forgotten() {
    let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
    for number in 0..1000 {
        let now = Duration::from_secs(3600 * number);
        let spender = grant(u128::from(number));
        budget.take(car(1), spender, 1, Purpose::Lock, now).unwrap();
    }
    let state = budget.state.lock().unwrap();
    assert!(state.vehicles[&car(1)].grants.len() <= GRANTS_MAX);
}

proptest! {
    /// However two guests mix what they ask for, and however often: the owner can lock.
    #[test]
    fn no_guests_use_up_the_owners_lock(
        asked in proptest::collection::vec((0_u8..4, 1_u128..3), 0..300),
    ) {
        let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
        for (purpose, guest) in asked {
            let purposes = [Purpose::Read, Purpose::Command, Purpose::Check, Purpose::Lock];
            let purpose = purposes[usize::from(purpose)];
            drop(budget.take(car(1), grant(guest), 1, purpose, Duration::ZERO));
        }
        let lock = budget.take(car(1), Spender::Owner, 1, Purpose::Lock, Duration::ZERO);
        prop_assert!(lock.is_ok());
    }


    /// However reads, commands and checks are mixed, and however often: a lock is always left.
    #[test]
    fn a_lock_is_always_left(purposes in proptest::collection::vec(0_u8..3, 0..200)) {
        let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
        for purpose in purposes {
            let purpose = [Purpose::Read, Purpose::Command, Purpose::Check][usize::from(purpose)];
            drop(budget.take(car(1), Spender::Service, 1, purpose, Duration::ZERO));
        }
        prop_assert!(budget.take(car(1), Spender::Service, 1, Purpose::Lock, Duration::ZERO).is_ok());
    }
}

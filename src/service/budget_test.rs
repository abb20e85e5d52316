//! Who gets the last requests, and when there are more.

use super::*;
use proptest::prelude::*;

const PER_VEHICLE: Allowance = Allowance { burst: 20, per_minute: 2 };
const PLENTY: Allowance = Allowance { burst: 1_000_000, per_minute: 1_000_000 };

fn car(number: u128) -> VehicleId {
    VehicleId::from_uuid(uuid::Uuid::from_u128(number))
}

fn taken(budget: &Budget, purpose: Purpose, now: Duration) -> usize {
    (0..1000).take_while(|_| budget.take(car(1), 1, purpose, now).is_ok()).count()
}

#[test]
fn whoever_reads_leaves_enough_to_command_to_check_and_to_lock() {
    let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
    assert_eq!(taken(&budget, Purpose::Read, Duration::ZERO), 12);
    assert_eq!(taken(&budget, Purpose::Command, Duration::ZERO), 4);
    assert_eq!(taken(&budget, Purpose::Check, Duration::ZERO), 2);
    assert_eq!(taken(&budget, Purpose::Lock, Duration::ZERO), 2);
    assert!(budget.take(car(2), 1, Purpose::Read, Duration::ZERO).is_ok(), "another car");
}

#[test]
fn requests_come_back_with_time_and_the_wait_is_told() {
    let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
    assert_eq!(taken(&budget, Purpose::Lock, Duration::ZERO), 20);
    let Err(Error::Connector(error)) = budget.take(car(1), 1, Purpose::Lock, Duration::ZERO) else {
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
    let budget = Budget::new(PLENTY, PER_VEHICLE, Duration::ZERO);
    assert_eq!(taken(&budget, Purpose::Read, Duration::ZERO), 12);
    assert!(budget.take(car(2), 1, Purpose::Read, Duration::ZERO).is_err());
    assert!(budget.take(car(2), 1, Purpose::Lock, Duration::ZERO).is_ok());
}

proptest! {
    /// However reads, commands and checks are mixed, and however often: a lock is always left.
    #[test]
    fn a_lock_is_always_left(purposes in proptest::collection::vec(0_u8..3, 0..200)) {
        let budget = Budget::new(PER_VEHICLE, PLENTY, Duration::ZERO);
        for purpose in purposes {
            let purpose = [Purpose::Read, Purpose::Command, Purpose::Check][usize::from(purpose)];
            drop(budget.take(car(1), 1, purpose, Duration::ZERO));
        }
        prop_assert!(budget.take(car(1), 1, Purpose::Lock, Duration::ZERO).is_ok());
    }
}

//! Failures of sign-in: the attacker is stopped and the owner is not.

use super::*;
use crate::clock::ManualClock;
use crate::domain::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

fn throttle() -> (Arc<ManualClock>, Throttle) {
    let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let clock = Arc::new(ManualClock::at(now));
    (clock.clone(), Throttle::new(clock))
}

fn account(name: &str) -> AccountKey {
    AccountKey::of(&["org", name])
}

fn v4(n: u32) -> IpAddr {
    IpAddr::V4((0x0a00_0000 + n).into())
}

fn v6(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// As many attempts as are let through, all of them wrong.
fn guess(throttle: &Throttle, account: AccountKey, address: IpAddr, times: usize) -> usize {
    (0..times)
        .take_while(|_| throttle.check(account, address).is_ok())
        .map(|_| throttle.record_failure(account, address))
        .count()
}

#[test]
fn the_attacker_is_stopped_and_the_owner_is_not() {
    let (_, throttle) = throttle();
    let (x, attacker, owner) = (account("x"), v4(1), v4(2));
    assert_eq!(guess(&throttle, x, attacker, 50), 10);
    assert_eq!(throttle.check(x, attacker), Err(RetryAfter(Duration::from_secs(90))));
    assert_eq!(throttle.check(x, owner), Ok(()));
}

#[test]
fn many_attackers_do_not_stop_the_owner_at_a_known_address() {
    let (clock, throttle) = throttle();
    let (x, owner) = (account("x"), v4(1));
    throttle.record_success(x, owner);
    let guesses: usize = (2..100).map(|n| guess(&throttle, x, v4(n), 50)).sum();
    assert_eq!(guesses, 100);
    assert_eq!(throttle.check(x, v4(5000)), Err(RetryAfter(Duration::from_secs(36))));
    assert_eq!(throttle.check(x, owner), Ok(()));
    assert_eq!(throttle.check(account("y"), v4(5000)), Ok(()));
    clock.advance(Duration::from_secs(36));
    assert_eq!(throttle.check(x, v4(5000)), Ok(()));
}

#[test]
fn the_owners_own_mistakes_count_for_the_owner_alone() {
    let (_, throttle) = throttle();
    let (x, owner) = (account("x"), v4(1));
    for _ in 0..20 {
        throttle.record_success(x, owner);
        assert_eq!(guess(&throttle, x, owner, 9), 9);
    }
    assert_eq!(throttle.check(x, v4(2)), Ok(()));
    assert_eq!(guess(&throttle, x, owner, 9), 1);
    assert!(throttle.check(x, owner).is_err());
}

#[test]
fn one_address_has_a_hundred_failures_whatever_the_account() {
    let (clock, throttle) = throttle();
    let guesses: usize =
        (0..200).map(|n| guess(&throttle, account(&n.to_string()), v4(1), 1)).sum();
    assert_eq!(guesses, 100);
    assert_eq!(throttle.check(account("other"), v4(1)), Err(RetryAfter(Duration::from_secs(9))));
    assert_eq!(throttle.check(account("other"), v4(2)), Ok(()));
    clock.advance(15 * MINUTE);
    assert_eq!(guess(&throttle, account("other"), v4(1), 50), 10);
}

#[test]
fn sharing_an_address_with_an_attacker_does_not_keep_the_owner_out() {
    let (_, throttle) = throttle();
    throttle.record_success(account("owner"), v4(1));
    for n in 0..200 {
        guess(&throttle, account(&n.to_string()), v4(1), 1);
    }
    assert!(throttle.check(account("new"), v4(1)).is_err());
    assert_eq!(throttle.check(account("owner"), v4(1)), Ok(()));
}

#[test]
fn an_account_of_ones_own_buys_no_guesses() {
    let (_, throttle) = throttle();
    let guesses: usize = (0..200)
        .map(|n| {
            throttle.record_success(account("mine"), v4(1));
            guess(&throttle, account(&n.to_string()), v4(1), 1)
        })
        .sum();
    assert_eq!(guesses, 100);
}

#[test]
fn failures_are_forgotten_one_by_one() {
    let (clock, throttle) = throttle();
    assert_eq!(guess(&throttle, account("x"), v4(1), 50), 10);
    clock.advance(Duration::from_secs(89));
    assert_eq!(throttle.check(account("x"), v4(1)).unwrap_err().seconds(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(guess(&throttle, account("x"), v4(1), 50), 1);
    clock.advance(15 * MINUTE);
    assert_eq!(guess(&throttle, account("x"), v4(1), 50), 10);
}

#[test]
fn asking_costs_nothing() {
    let (_, throttle) = throttle();
    for _ in 0..1000 {
        assert_eq!(throttle.check(account("x"), v4(1)), Ok(()));
    }
    assert_eq!(throttle.pairs.keys(), 0);
}

#[test]
fn attempts_made_together_are_all_paid_for() {
    let (clock, throttle) = throttle();
    // All passed the check before the first failure was counted.
    for _ in 0..30 {
        throttle.record_failure(account("x"), v4(1));
    }
    assert_eq!(
        throttle.check(account("x"), v4(1)),
        Err(RetryAfter(21 * 90 * Duration::from_secs(1)))
    );
    for _ in 0..100_000 {
        throttle.record_failure(account("x"), v4(1));
    }
    clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(throttle.check(account("x"), v4(1)), Ok(()));
}

#[test]
fn setting_the_wall_clock_frees_nobody() {
    let (clock, throttle) = throttle();
    assert_eq!(guess(&throttle, account("x"), v4(1), 50), 10);
    clock.set_wall(Timestamp::from_unix_seconds(1_900_000_000).unwrap());
    assert!(throttle.check(account("x"), v4(1)).is_err());
}

#[test]
fn the_addresses_of_one_customer_are_one() {
    let (_, throttle) = throttle();
    let x = account("x");
    assert_eq!(guess(&throttle, x, v6("2001:db8:0:1::1"), 50), 10);
    assert!(throttle.check(x, v6("2001:db8:0:1:ffff::2")).is_err());
    assert_eq!(throttle.check(x, v6("2001:db8:0:2::1")), Ok(()));
    assert_eq!(guess(&throttle, x, v6("::ffff:10.0.0.1"), 50), 10);
    assert!(throttle.check(x, v4(1)).is_err());
    assert_eq!(throttle.check(x, v4(2)), Ok(()));
}

#[test]
fn memory_is_bounded_and_a_flood_frees_nobody() {
    let (clock, throttle) = throttle();
    let (x, attacker) = (account("x"), v4(0));
    assert_eq!(guess(&throttle, x, attacker, 50), 10);
    for n in 1..=120_000 {
        clock.advance(Duration::from_micros(10));
        throttle.record_failure(AccountKey::of(&[&n.to_string()]), v4(n));
        throttle.record_success(AccountKey::of(&["known", &n.to_string()]), v4(n));
        assert!(n % 10_000 != 0 || throttle.pairs.keys() <= KEYS_MAX);
    }
    assert!(throttle.pairs.keys() <= KEYS_MAX);
    assert!(throttle.addresses.keys() <= KEYS_MAX);
    assert!(throttle.accounts.keys() <= KEYS_MAX);
    assert!(throttle.known().len() <= KEYS_MAX);
    assert!(throttle.check(x, attacker).is_err());
}

#[test]
fn parts_of_an_account_do_not_run_together() {
    assert_ne!(AccountKey::of(&["ab", "c"]), AccountKey::of(&["a", "bc"]));
    assert_eq!(AccountKey::of(&["ab", "c"]), AccountKey::of(&["ab", "c"]));
    let digest = [7; 32];
    assert_eq!(format!("{:?}", AccountKey::from_digest(digest)), "AccountKey(…)");
}

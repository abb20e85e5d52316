//! Who is let through how often, and what uses up whose pace.

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;
use crate::domain::actor::{Actor, Principal};
use crate::domain::id::{Id, Kind};
use crate::domain::time::Timestamp;
use crate::domain::user::Role;
use crate::tally::Tally;

const PER_CALLER: Allowance = Allowance { burst: 30, per_minute: 60 };
const PER_GRANT: Allowance = Allowance { burst: 10, per_minute: 20 };

fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn person(number: u128) -> Caller {
    let principal = Principal::User { user_id: id(number), role: Role::Member };
    Caller { actor: Actor { organization_id: id(1), principal }, request_id: None }
}

fn program_for(number: u128) -> Caller {
    let acting_for = Some(id(number));
    let principal = Principal::ApiClient {
        api_client_id: id(100),
        scopes: Vec::new(),
        vehicles: None,
        acting_for,
    };
    Caller { actor: Actor { organization_id: id(1), principal }, request_id: None }
}

fn pace() -> (Pace, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_seconds(1_700_000_000).unwrap()));
    let as_clock: Arc<dyn Clock> = clock.clone();
    let limits =
        Limits { caller_requests: PER_CALLER, grant_requests: PER_GRANT, ..Limits::default() };
    (Pace::new(&limits, &as_clock), clock)
}

/// How often somebody uses a grant, or their own car, before they are asked to wait.
fn uses(pace: &Pace, caller: &Caller, grant: Option<u128>, shown: Shown, lane: Lane) -> usize {
    let user_id = caller.actor.user_id().unwrap();
    let used = Use { caller, user_id, grant_id: grant.map(id), shown };
    (0..1000).take_while(|_| pace.admit_use(used, lane).is_ok()).count()
}

fn asks(pace: &Pace, caller: &Caller, operation: Operation) -> usize {
    (0..1000).take_while(|_| pace.admit(caller, operation).is_ok()).count()
}

#[test]
fn a_grant_has_a_pace_of_its_own_and_locking_another() {
    let (pace, clock) = pace();
    assert_eq!(uses(&pace, &person(2), Some(7), Shown::GrantToken, Lane::Other), 10);
    assert_eq!(uses(&pace, &person(2), Some(7), Shown::GrantToken, Lane::Lock), 10);
    assert_eq!(uses(&pace, &person(2), Some(8), Shown::GrantToken, Lane::Other), 10);
    clock.advance(Duration::from_secs(6));
    assert_eq!(uses(&pace, &person(2), Some(7), Shown::GrantToken, Lane::Other), 2);
}

#[test]
fn whoever_copied_a_token_uses_up_nothing_of_the_persons_own() {
    let (pace, _) = pace();
    uses(&pace, &person(2), Some(7), Shown::GrantToken, Lane::Other);
    assert_eq!(uses(&pace, &person(2), Some(7), Shown::Account, Lane::Other), 10);
    assert_eq!(asks(&pace, &person(2), Operation::IssueGrant), 20);
}

#[test]
fn naming_somebody_elses_grant_uses_up_nothing_of_theirs() {
    let (pace, _) = pace();
    uses(&pace, &person(3), Some(7), Shown::Account, Lane::Other);
    assert_eq!(uses(&pace, &person(2), Some(7), Shown::Account, Lane::Other), 10);
}

#[test]
fn a_person_and_each_program_for_them_have_their_own_pace() {
    let (pace, _) = pace();
    assert_eq!(uses(&pace, &program_for(2), None, Shown::Account, Lane::Other), 30);
    assert_eq!(uses(&pace, &person(2), None, Shown::Account, Lane::Other), 30);
    assert_eq!(uses(&pace, &program_for(3), None, Shown::Account, Lane::Other), 30);
    assert_eq!(uses(&pace, &person(2), None, Shown::Account, Lane::Lock), 30);
}

#[test]
fn rights_can_be_ended_by_whoever_may_do_nothing_else_for_a_while() {
    let (pace, _) = pace();
    assert_eq!(asks(&pace, &person(2), Operation::IssueGrant), 30);
    assert_eq!(asks(&pace, &person(2), Operation::RevokeGrant), 30);
    assert_eq!(asks(&pace, &person(2), Operation::ListGrants), 1000, "what only reads");
}

#[test]
fn the_service_itself_is_never_slowed_down() {
    let (pace, _) = pace();
    let system = Caller { actor: Actor::system(id(1)), request_id: None };
    assert_eq!(asks(&pace, &system, Operation::IssueGrant), 1000);
}

#[test]
fn a_wall_clock_that_is_set_changes_no_pace() {
    let (pace, clock) = pace();
    assert_eq!(asks(&pace, &person(2), Operation::IssueGrant), 30);
    for seconds in [0, 4_000_000_000] {
        clock.set_wall(Timestamp::from_unix_seconds(seconds).unwrap());
        assert_eq!(asks(&pace, &person(2), Operation::IssueGrant), 0);
    }
}

#[test]
fn who_must_wait_is_told_how_long_and_by_which_rule() {
    let (pace, _) = pace();
    asks(&pace, &person(2), Operation::IssueGrant);
    let Err(Error::Throttled(limit, wait)) = pace.admit(&person(2), Operation::IssueGrant) else {
        panic!("thirty were let through")
    };
    assert_eq!((limit, wait), (Limit::Caller(PER_CALLER), Duration::from_secs(1)));
}

/// However uses are spread over time, no more are let through than the burst and what came back, and whoever
/// waits as long as they are told is let through.
#[test]
fn no_more_pass_than_the_allowance_and_who_waits_passes() {
    let gaps = proptest::collection::vec(0_u64..4000, 1..200);
    let tally = Tally::of(200, gaps, |gaps, tally| {
        let (pace, clock) = pace();
        let caller = person(2);
        let used = Use {
            caller: &caller,
            user_id: id(2),
            grant_id: Some(id(7)),
            shown: Shown::GrantToken,
        };
        let (mut passed, mut elapsed) = (0, 0);
        for gap in gaps {
            clock.advance(Duration::from_millis(gap));
            elapsed += gap;
            match pace.admit_use(used, Lane::Other) {
                Ok(()) => {
                    passed += 1;
                    tally.count("passed");
                }
                Err(Error::Throttled(_, wait)) => {
                    tally.count("throttled");
                    clock.advance(wait);
                    elapsed += u64::try_from(wait.as_millis()).unwrap();
                    prop_assert!(pace.admit_use(used, Lane::Other).is_ok(), "after {wait:?}");
                    passed += 1;
                }
                Err(other) => prop_assert!(false, "{other:?}"),
            }
            prop_assert!(passed <= 10 + elapsed / 3000 + 1, "{passed} in {elapsed} ms");
        }
        Ok(())
    });
    tally.assert_each(1000, ["passed", "throttled"]);
}

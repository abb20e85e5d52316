//! What follows from a grant's facts, on both sides of every boundary.

use uuid::Uuid;

use super::*;
use crate::domain::id::Id;
use crate::domain::minutes::InvalidMinutes;

const MOMENT: Duration = Duration::from_micros(1);

fn id<K>() -> Id<K> {
    Id::from_uuid(Uuid::from_u128(1))
}

fn begins() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

fn ends() -> Timestamp {
    begins().plus(Duration::from_secs(60))
}

fn grant() -> Grant {
    Grant {
        grant_id: id(),
        organization_id: id(),
        vehicle_id: id(),
        issuer_id: id(),
        grantee_id: id(),
        entitlements: Entitlements::default(),
        validity: Validity::new(begins(), ends()).unwrap(),
        grace: Grace::default(),
        uses_max: None,
        require_device_key: false,
        uses: 0,
        end: None,
        revision: 1,
        version: 1,
        description: Description::default(),
        issued_at: begins(),
    }
}

impl Grant {
    /// A grant of one minute.
    pub(crate) fn example() -> Self {
        grant()
    }
}

#[test]
fn a_validity_is_longer_than_nothing_and_at_most_400_days() {
    assert_eq!(VALIDITY_MAX.as_secs(), 34_560_000);
    let lasting = |length| Validity::new(begins(), begins().plus(length));
    assert_eq!(
        Validity::new(begins(), begins().minus(MOMENT)),
        Err(InvalidValidity::EndsBeforeStart)
    );
    assert_eq!(lasting(Duration::ZERO), Err(InvalidValidity::EndsBeforeStart));
    for length in [MOMENT, VALIDITY_MAX - MOMENT, VALIDITY_MAX] {
        let validity = lasting(length).unwrap();
        assert_eq!(validity.not_before(), begins());
        assert_eq!(validity.not_after(), begins().plus(length));
    }
    assert_eq!(lasting(VALIDITY_MAX + MOMENT), Err(InvalidValidity::TooLong));
}

#[test]
fn a_stored_validity_is_checked_when_it_is_read() {
    let read = |times: &(Timestamp, Timestamp)| {
        serde_json::from_str::<Validity>(&serde_json::to_string(times).unwrap())
    };
    let validity = grant().validity;
    assert_eq!(read(&validity.into()).unwrap(), validity);
    assert!(read(&(ends(), begins())).is_err());
}

#[test]
fn a_status_follows_from_the_time_unless_an_act_ended_the_grant() {
    use GrantStatus::{Active, Ended, Upcoming};
    let (ended_at, end_reason) = (ends(), EndReason::Expired);
    let expired = Some(End { ended_at, end_reason, leave_lock: true });
    for (now, status, ended_by) in [
        (begins().minus(MOMENT), Upcoming, None),
        (begins(), Active, None),
        (ends().minus(MOMENT), Active, None),
        (ends(), Ended, expired),
        (ends().plus(MOMENT), Ended, expired),
    ] {
        assert_eq!((grant().status(now), grant().ended_by(now)), (status, ended_by), "{now}");
        assert_eq!(grant().is_alive(now), ended_by.is_none());
        // Storage looks among those whose validity is over later than that.
        assert!(!grant().is_alive(now) || grant().validity.not_after() > Grant::over_by(now));
        for &end_reason in EndReason::ALL {
            let ended_at = begins().plus(MOMENT);
            let end = Some(End { ended_at, end_reason, leave_lock: false });
            let grant = Grant { end, ..grant() };
            assert_eq!((grant.status(now), grant.ended_by(now)), (Ended, end), "{now}");
        }
    }
}

#[test]
fn what_is_left_of_a_limit_is_never_less_than_nothing() {
    for (uses_max, uses, left) in [
        (None, 0, None),
        (None, 7, None),
        (Some(3), 0, Some(3)),
        (Some(3), 2, Some(1)),
        (Some(3), 3, Some(0)),
        (Some(3), 4, Some(0)),
        (Some(i64::MIN), i64::MAX, Some(0)),
    ] {
        assert_eq!(Grant { uses_max, uses, ..grant() }.uses_left(), left, "{uses} of {uses_max:?}");
    }
}

#[test]
fn a_grace_lasts_at_most_a_day() {
    for (minutes, grace) in [
        (-1, Err(InvalidMinutes)),
        (0, Ok(Grace(0))),
        (1440, Ok(Grace(1440))),
        (1441, Err(InvalidMinutes)),
    ] {
        assert_eq!(Grace::try_from(minutes), grace, "{minutes}");
    }
    assert_eq!(Grace::try_from(65_536 + 5), Err(InvalidMinutes));
    assert_eq!(Grace::default().duration(), Duration::from_secs(900));
    assert_eq!((Grace(7).minutes(), i64::from(Grace(7))), (7, 7));
}

#[test]
fn a_car_can_be_locked_for_the_grace_after_the_end_that_allows_it() {
    let locks: Entitlements = [Entitlement::Lock].into_iter().collect();
    let quarter = Duration::from_secs(900);
    let ended =
        |ended_at, leave_lock| Some(End { ended_at, end_reason: EndReason::Revoked, leave_lock });
    for (end, until) in [
        (None, Some(ends().plus(quarter))),
        (ended(begins().plus(MOMENT), true), Some(begins().plus(MOMENT).plus(quarter))),
        // What is revoked when its time is over gains nothing by it.
        (ended(ends().plus(MOMENT), true), Some(ends().plus(quarter))),
        (ended(begins().plus(MOMENT), false), None),
        (ended(ends().plus(MOMENT), false), None),
    ] {
        let grant = Grant { end, entitlements: locks.clone(), ..grant() };
        assert_eq!(grant.lock_until(), until, "{end:?}");
        let without = Grant { entitlements: [Entitlement::Unlock].into_iter().collect(), ..grant };
        assert_eq!(without.lock_until(), None);
    }
}

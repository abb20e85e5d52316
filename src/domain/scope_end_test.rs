//! Which grants an end by scope is about, and what a row that keeps it says of them.

use std::time::Duration;

use super::*;
use crate::domain::grant::Description;
use crate::domain::id::Id;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + second).unwrap()
}

fn pending(issued_before: i64, external_ref: Option<&str>) -> PendingEnd {
    PendingEnd {
        end_id: Id::from_uuid(uuid::Uuid::from_u128(1)),
        selection: Selection {
            issued_before: at(issued_before),
            external_ref: external_ref.map(str::to_owned),
        },
        ended_at: at(100),
        end_reason: EndReason::Revoked,
    }
}

fn grant(issued_at: i64, external_ref: Option<&str>) -> Grant {
    let external_ref = external_ref.map(str::to_owned);
    let description = Description { external_ref, ..Description::default() };
    Grant { issued_at: at(issued_at), description, ..Grant::example() }
}

#[test]
fn an_end_is_about_what_was_issued_before_and_carries_the_reference() {
    let booking = Some("booking 17");
    for (end, grant, is_over) in [
        (pending(50, None), grant(49, None), true),
        (pending(50, None), grant(50, None), false),
        (pending(50, None), grant(49, booking), true),
        (pending(50, booking), grant(49, booking), true),
        (pending(50, booking), grant(49, None), false),
        (pending(50, booking), grant(49, Some("booking 18")), false),
        (pending(50, booking), grant(51, booking), false),
    ] {
        let ends = PendingEnds::Known(vec![pending(0, None), end.clone()]);
        assert_eq!(ends.over(&grant), is_over.then(|| end.end()), "{end:?} {grant:?}");
    }
    assert_eq!(PendingEnds::Nothing.over(&grant(0, None)), None);
}

#[test]
fn what_a_row_keeps_is_what_was_ended() {
    let ends = vec![pending(50, None), pending(60, Some("booking 17"))];
    let text = PendingEnds::text(&ends).unwrap();
    assert_eq!(PendingEnds::of_text(Some(&text)), PendingEnds::Known(ends));
}

#[test]
fn what_cannot_be_read_has_ended_everything_and_leaves_no_lock() {
    let ends = PendingEnds::of_text(Some("[{}]"));
    assert_eq!(ends, PendingEnds::Unreadable);
    let grant = grant(0, None);
    let ended = grant.ended_with(ends.over(&grant));
    assert!(!ended.is_alive(at(0)));
    assert_eq!(ended.lock_until(), None);
}

#[test]
fn the_first_end_counts() {
    let first = End { ended_at: at(1), end_reason: EndReason::Relinquished, leave_lock: false };
    let grant = Grant { end: Some(first), ..grant(0, None) };
    let again = pending(50, None).end();
    assert_eq!(grant.ended_with(Some(again)).end, Some(first));
    assert_eq!(grant.ended_with(None).end, Some(first));
    assert!(again.ended_at.since(first.ended_at) > Duration::ZERO);
}

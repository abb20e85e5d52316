//! Every refusal is in the record once: with an entry of its own, or in a number.

use proptest::prelude::*;

use super::*;
use crate::domain::actor::Actor;
use crate::domain::id::{Id, Kind};
use crate::tally::Tally;

fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn caller() -> Caller {
    Caller { actor: Actor::system(id(1)), request_id: Some("one of many".to_owned()) }
}

fn refused(grant: u128) -> Refused {
    let (principal, grant_id) = (PrincipalId::User(id(2)), Some(id(grant)));
    Refused { organization_id: id(1), principal, user_id: id(2), vehicle_id: id(3), grant_id }
}

fn at(seconds: u64) -> At {
    let now = Timestamp::from_unix_seconds(1_700_000_000).unwrap();
    let elapsed = Duration::from_secs(seconds);
    At { now: now.plus(elapsed), elapsed }
}

/// Refuses something as a gate does; whether it has an entry of its own.
fn refuse(refusals: &Refusals, refused: Refused, asked: Asked, at: At) -> bool {
    let is_recorded = Draft::new(refusals, at.elapsed).is_recorded(&refused);
    if is_recorded {
        refusals.note_recorded(refused, &caller(), at);
    } else {
        refusals.count(refused, &caller(), asked, at);
    }
    is_recorded
}

#[test]
fn the_first_five_of_a_minute_have_an_entry_each_and_the_rest_one_together() {
    let refusals = Refusals::default();
    let recorded: Vec<bool> =
        (0..40).map(|n| refuse(&refusals, refused(7), Asked::Command, at(n))).collect();
    assert_eq!(recorded.iter().filter(|&&recorded| recorded).count(), 5);
    assert!(refuse(&refusals, refused(8), Asked::Read, at(40)), "another grant");
    assert!(refusals.take(Some(Duration::from_secs(59))).is_empty());
    let [(of, window)] = refusals.take(Some(Duration::from_secs(60))).try_into().unwrap();
    assert_eq!(window.caller.request_id, None);
    let event = window.event(&of);
    let (since, until) = (at(5).now, at(39).now);
    let Event::RefusalsCounted { commands, reads, since: from, until: to, .. } = event else {
        panic!("{event:?}")
    };
    assert_eq!((commands, reads, from, to), (35, 0, since, until));
    assert!(refuse(&refusals, refused(7), Asked::Command, at(61)), "another minute");
}

#[test]
fn a_draft_counts_what_it_lets_into_the_same_transaction() {
    let refusals = Refusals::default();
    let mut draft = Draft::new(&refusals, Duration::ZERO);
    let recorded = (0..20).filter(|_| draft.is_recorded(&refused(7))).count();
    assert_eq!(recorded, 5);
    // Nothing of it was kept, so the next attempt begins anew.
    let mut draft = Draft::new(&refusals, Duration::ZERO);
    assert!(draft.is_recorded(&refused(7)));
}

#[test]
fn a_minute_without_a_number_is_forgotten_and_leaves_no_entry() {
    let refusals = Refusals::default();
    assert!(refuse(&refusals, refused(7), Asked::Command, at(0)));
    assert!(refusals.take(Some(Duration::from_secs(60))).is_empty());
    assert!(refusals.lock().is_empty());
}

#[test]
fn what_finds_no_room_has_an_entry_of_its_own() {
    let refusals = Refusals::default();
    let many = u128::try_from(WINDOWS_MAX).unwrap();
    for grant in 0..many {
        assert!(refuse(&refusals, refused(grant), Asked::Command, at(0)));
    }
    for _ in 0..20 {
        assert!(refuse(&refusals, refused(many), Asked::Command, at(0)));
    }
    assert_eq!(refusals.lock().len(), WINDOWS_MAX);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Refuse { grant: u128, reads: bool },
    Wait { seconds: u64 },
    Record { fails: bool },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0_u128..3, any::<bool>()).prop_map(|(grant, reads)| Step::Refuse { grant, reads }),
        1 => (0_u64..70).prop_map(|seconds| Step::Wait { seconds }),
        1 => any::<bool>().prop_map(|fails| Step::Record { fails }),
    ];
    proptest::collection::vec(step, 1..200)
}

/// Whatever comes between, and however often the numbers could not be recorded: none is lost, and none is there
/// twice.
#[test]
fn every_refusal_is_in_the_record_once() {
    let tally = Tally::of(500, steps(), |steps, tally| {
        let refusals = Refusals::default();
        let (mut elapsed, mut asked, mut singly, mut counted) = (0, 0, 0, 0);
        for step in steps {
            match step {
                Step::Refuse { grant, reads } => {
                    let of = if reads { Asked::Read } else { Asked::Command };
                    let is_recorded = refuse(&refusals, refused(grant), of, at(elapsed));
                    asked += 1;
                    singly += u64::from(is_recorded);
                    tally.count(if is_recorded { "singly" } else { "counted" });
                }
                Step::Wait { seconds } => elapsed += seconds,
                Step::Record { fails } => {
                    for (of, window) in refusals.take(Some(Duration::from_secs(elapsed))) {
                        prop_assert!(window.counted() > 0 && window.since <= window.until);
                        if fails {
                            refusals.put_back(of, window);
                            tally.count("put back");
                        } else {
                            counted += window.counted();
                            tally.count("recorded");
                        }
                    }
                }
            }
        }
        let rest: u64 = refusals.take(None).iter().map(|(_, window)| window.counted()).sum();
        prop_assert_eq!(singly + counted + rest, asked);
        Ok(())
    });
    tally.assert_each(100, ["singly", "counted", "put back", "recorded"]);
}

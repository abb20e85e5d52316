//! What a hold binds and for how long, and whose rank is whose.

use super::*;
use crate::domain::id::Id;

const SECOND: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(SECOND + second).unwrap()
}

fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn hold(rank: Rank, until: Option<Timestamp>, allow_lock: bool) -> StandingHold {
    StandingHold { hold_id: id(1), rank, until, allow_lock }
}

#[test]
fn what_a_row_keeps_is_what_was_placed() {
    let holds = vec![hold(Rank::Guest, None, true), hold(Rank::Admin, Some(at(5)), false)];
    let text = StandingHolds::text(&holds).unwrap();
    assert_eq!(StandingHolds::of_text(Some(&text)), StandingHolds::Known(holds));
    assert_eq!(StandingHolds::text(&[]), None);
    assert_eq!(StandingHolds::of_text(None), StandingHolds::Nothing);
}

#[test]
fn what_cannot_be_read_allows_nothing_to_anybody() {
    for text in ["", "{}", "[1]", r#"[{"hold_id":"hld_1"}]"#, "null", r#"[{"rank":"king"}]"#] {
        let holds = StandingHolds::of_text(Some(text));
        assert_eq!(holds, StandingHolds::Unreadable, "{text}");
        for holder in [Holder::Guest, Holder::Owner] {
            for &entitlement in Entitlement::ALL {
                assert!(holds.forbid(holder, entitlement, at(0)), "{text} {entitlement}");
            }
        }
        assert_eq!(holds.standing(at(0)), []);
    }
}

#[test]
fn a_hold_stands_until_the_moment_before_its_time() {
    let holds = StandingHolds::Known(vec![hold(Rank::Owner, Some(at(5)), false)]);
    for (second, stands) in [(0, true), (4, true), (5, false), (6, false)] {
        assert_eq!(holds.forbid(Holder::Guest, Entitlement::Unlock, at(second)), stands);
        assert_eq!(holds.standing(at(second)).len(), usize::from(stands));
    }
}

#[test]
fn each_rank_is_that_of_who_acts() {
    let organization_id = id(9);
    let person =
        |role| Actor { organization_id, principal: Principal::User { user_id: id(1), role } };
    let me = ActingAs::Person(id(1));
    assert_eq!(Rank::of(&person(Role::Admin), ActingAs::Organization, Some(id(2))), Rank::Admin);
    assert_eq!(Rank::of(&person(Role::Support), ActingAs::Organization, None), Rank::Support);
    // An administrator who acts as a person has that person's rank.
    assert_eq!(Rank::of(&person(Role::Admin), me, Some(id(1))), Rank::Owner);
    assert_eq!(Rank::of(&person(Role::Member), me, Some(id(1))), Rank::Owner);
    assert_eq!(Rank::of(&person(Role::Member), me, Some(id(2))), Rank::Guest);
    assert_eq!(Rank::of(&person(Role::Member), me, None), Rank::Guest);
}

#[test]
fn a_hold_stands_as_long_as_it_was_not_lifted() {
    let hold = |lifted_at| Hold {
        standing: hold(Rank::Owner, Some(at(5)), true),
        organization_id: id(9),
        scope: KeyScope::Grant(id(1)),
        reason: None,
        placed_by: PrincipalId::System,
        placed_at: at(0),
        lifted_at,
    };
    assert!(hold(None).stands(at(4)));
    assert!(!hold(None).stands(at(5)));
    assert!(!hold(Some(at(1))).stands(at(4)));
}

#[test]
fn a_hold_is_lifted_by_its_own_rank_and_one_of_support_by_administrators() {
    let lifts = |by: Rank| Rank::ALL.iter().filter(move |&&rank| by.may_lift(rank)).copied();
    assert!(lifts(Rank::Guest).eq([Rank::Guest]));
    assert!(lifts(Rank::Owner).eq([Rank::Owner]));
    assert!(lifts(Rank::Support).eq([Rank::Support]));
    assert!(lifts(Rank::Admin).eq([Rank::Support, Rank::Admin]));
}

#[test]
fn a_car_stays_with_its_owner_while_the_organization_holds_it() {
    let kept = |rank| StandingHolds::Known(vec![hold(rank, Some(at(5)), true)]);
    for (rank, keeps) in
        [(Rank::Guest, false), (Rank::Owner, false), (Rank::Support, true), (Rank::Admin, true)]
    {
        assert_eq!(kept(rank).keep_car(at(4)), keeps, "{rank}");
        assert!(!kept(rank).keep_car(at(5)), "{rank}");
    }
    assert!(!StandingHolds::Nothing.keep_car(at(0)));
    assert!(StandingHolds::Unreadable.keep_car(at(0)));
}

//! What a claim is worth, in every state and for whoever made it.

use uuid::Uuid;

use super::*;
use crate::domain::id::{ApiClientId, Id};

const MOMENT: Duration = Duration::from_micros(1);

fn person(number: u128) -> PrincipalId {
    PrincipalId::User(UserId::from_uuid(Uuid::from_u128(number)))
}

fn program(number: u128) -> PrincipalId {
    PrincipalId::ApiClient(ApiClientId::from_uuid(Uuid::from_u128(number)))
}

fn claim() -> Claim {
    let created_at = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    Claim {
        claim_id: Id::from_uuid(Uuid::from_u128(1)),
        organization_id: Id::from_uuid(Uuid::from_u128(2)),
        user_id: Id::from_uuid(Uuid::from_u128(3)),
        purpose: ClaimPurpose::Join,
        has_pin: false,
        made_by: person(4),
        created_at,
        expires_at: created_at.plus(ClaimPurpose::Join.lifetime()),
        end_reason: None,
    }
}

#[test]
fn a_claim_is_redeemed_until_its_time_is_over() {
    let claim = claim();
    assert_eq!(claim.refusal(true, claim.created_at), None);
    assert_eq!(claim.refusal(true, claim.expires_at.minus(MOMENT)), None);
    assert_eq!(claim.refusal(true, claim.expires_at), Some(ClaimRefusal::Expired));
    assert_eq!(claim.refusal(false, claim.created_at), Some(ClaimRefusal::AccountDisabled));
}

#[test]
fn a_claim_that_is_over_says_why_whatever_else_there_is() {
    for (end_reason, refusal) in [
        (ClaimEnd::Redeemed, ClaimRefusal::Redeemed),
        (ClaimEnd::Replaced, ClaimRefusal::Replaced),
        (ClaimEnd::PinRefused, ClaimRefusal::Cancelled),
    ] {
        let claim = Claim { end_reason: Some(end_reason), ..claim() };
        for is_account_open in [true, false] {
            assert_eq!(claim.refusal(is_account_open, claim.expires_at), Some(refusal));
        }
    }
}

#[test]
fn joining_leaves_a_week_and_recovering_an_hour() {
    assert_eq!(ClaimPurpose::Join.lifetime(), Duration::from_secs(604_800));
    assert_eq!(ClaimPurpose::Recover.lifetime(), Duration::from_secs(3600));
}

#[test]
fn only_the_person_themself_and_who_made_the_account_for_joining_leave_everything_as_it_was() {
    use ClaimPurpose::{Join, Recover};
    let [maker, other, themself] = [person(4), person(5), person(3)];
    for (purpose, made_by, account_made_by, restricts) in [
        (Join, maker, maker, false),
        (Join, other, maker, true),
        (Join, themself, maker, false),
        (Recover, maker, maker, true),
        (Recover, other, maker, true),
        (Recover, themself, maker, false),
        (Join, program(4), program(4), false),
        (Join, program(5), program(4), true),
        // The ids of people and programs are not mixed up.
        (Join, program(4), person(4), true),
        (Join, PrincipalId::System, person(4), true),
    ] {
        let claim = Claim { purpose, made_by, ..claim() };
        assert_eq!(claim.restricts(account_made_by), restricts, "{purpose} by {made_by}");
    }
}

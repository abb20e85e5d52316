//! Each promise of the record has a planted violation here that must be found, where it stands.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::*;
use crate::domain::command::CommandStatus;
use crate::domain::id::{CommandId, GrantId};

fn command(number: u128) -> CommandId {
    CommandId::from_uuid(Uuid::from_u128(number))
}

fn grant(number: u128) -> GrantId {
    GrantId::from_uuid(Uuid::from_u128(number))
}

fn entry(event: &str, command_id: Option<u128>, grant_id: Option<u128>, details: Json) -> Vec<u8> {
    let mut entry = json!({ "event": event, "details": details });
    if let Some(number) = command_id {
        entry["command_id"] = json!(command(number));
    }
    if let Some(number) = grant_id {
        entry["grant_id"] = json!(grant(number));
    }
    entry.to_string().into_bytes()
}

fn issued(number: u128) -> Vec<u8> {
    entry("grant.issued", None, Some(number), json!({}))
}

fn ended(number: u128, revision: i64) -> Vec<u8> {
    entry("grant.revoked", None, Some(number), json!({ "grant_revision": revision }))
}

fn authorized(number: u128, grant_id: u128, revision: i64) -> Vec<u8> {
    let details = json!({ "basis": "grant", "rests_on": { "grant": revision } });
    entry("command.authorized", Some(number), Some(grant_id), details)
}

fn step(number: u128, status: &str) -> Vec<u8> {
    entry(&format!("command.{status}"), Some(number), Some(1), json!({}))
}

/// A record in which everything is right.
fn good() -> Vec<Vec<u8>> {
    vec![
        issued(1),
        authorized(10, 1, 1),
        step(10, "acknowledged"),
        authorized(11, 1, 1),
        step(10, "confirmed"),
        ended(1, 2),
        step(11, "unknown"),
        step(12, "refused"),
        entry("command.authorized", Some(13), None, json!({ "basis": "ownership" })),
    ]
}

fn head(leaves: &[Vec<u8>]) -> TreeHead {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(leaf_hash(leaf)));
    TreeHead { size: frontier.size(), root: frontier.root() }
}

fn verify(leaves: &[Vec<u8>], heads: Vec<TreeHead>) -> Result<Verified, Finding> {
    let mut verifier = Verifier::new(heads);
    for leaf in leaves {
        verifier.push(leaf, None)?;
    }
    verifier.finish()
}

#[test]
fn a_record_in_which_everything_is_right_verifies() {
    let leaves = good();
    let heads = vec![head(&leaves[..3]), head(&leaves), head(&leaves[..0])];
    let verified = verify(&leaves, heads).unwrap();
    assert_eq!(verified.head, head(&leaves));
    assert_eq!(verified.open_commands, 2, "11 is unknown, and 13 was just sent");
    assert_eq!(verified.unsigned, 0);
    assert_eq!(verify(&leaves, vec![head(&leaves[..4])]).unwrap().unsigned, 5);
}

#[test]
fn the_order_of_instances_with_clocks_apart_is_no_fault() {
    let leaves = [authorized(10, 1, 1), ended(1, 2), issued(1), step(10, "failed")];
    verify(&leaves, Vec::new()).unwrap();
}

#[test]
fn whatever_cannot_be_is_found_where_it_stands() {
    use Contradiction::{
        AuthorizedAfterEnd, DecidedTwice, GrantTwice, ImpossibleTransition, NeverAuthorized,
        NeverIssued,
    };
    let refused_and_sent = ImpossibleTransition {
        command_id: command(12),
        from: CommandStatus::Refused,
        to: CommandStatus::Acknowledged,
    };
    let two_ends = ImpossibleTransition {
        command_id: command(10),
        from: CommandStatus::Confirmed,
        to: CommandStatus::Failed,
    };
    for (planted, contradiction) in [
        (step(99, "acknowledged"), NeverAuthorized(command(99))),
        (step(12, "acknowledged"), refused_and_sent),
        (step(10, "failed"), two_ends),
        (authorized(10, 1, 1), DecidedTwice(command(10))),
        (step(10, "refused"), DecidedTwice(command(10))),
        (authorized(20, 1, 2), AuthorizedAfterEnd(grant(1))),
        (ended(1, 3), GrantTwice(grant(1))),
        (issued(1), GrantTwice(grant(1))),
        (authorized(20, 2, 1), NeverIssued(grant(2))),
    ] {
        let leaves = [good(), vec![planted]].concat();
        let finding = verify(&leaves, Vec::new()).unwrap_err();
        assert_eq!(
            finding,
            Finding { place: Place::At(9), fault: Fault::Contradiction(contradiction) }
        );
    }
    let late_end = [issued(1), authorized(10, 1, 7), ended(1, 7)];
    let finding = verify(&late_end, Vec::new()).unwrap_err();
    assert_eq!(finding.fault, Fault::Contradiction(AuthorizedAfterEnd(grant(1))));
}

#[test]
fn an_end_that_leaves_the_lock_lets_the_car_be_locked_and_nothing_else() {
    let left = json!({ "grant_revision": 2, "leave_lock": true });
    let left = || entry("grant.revoked", None, Some(1), left.clone());
    let asked = |action: &str| {
        let details = json!({ "action": action, "basis": "grant", "rests_on": { "grant": 2 } });
        entry("command.authorized", Some(10), Some(1), details)
    };
    let outcome = |leaves: [Vec<u8>; 3]| verify(&leaves, Vec::new()).map_err(|found| found.fault);
    let after_end = || Fault::Contradiction(Contradiction::AuthorizedAfterEnd(grant(1)));
    for leaves in [[issued(1), left(), asked("lock")], [issued(1), asked("lock"), left()]] {
        assert!(outcome(leaves).is_ok());
    }
    for leaves in [
        [issued(1), left(), asked("unlock")],
        [issued(1), asked("unlock"), left()],
        [issued(1), ended(1, 2), asked("lock")],
        [issued(1), asked("lock"), ended(1, 2)],
    ] {
        assert_eq!(outcome(leaves).unwrap_err(), after_end());
    }
}

#[test]
fn what_is_no_entry_is_found() {
    for strange in [&b""[..], b"{", b"[]", b"{\"event\":\"command.authorized\",\"details\":{}}"] {
        let finding = verify(&[strange.to_vec()], Vec::new()).unwrap_err();
        assert!(
            matches!(finding.fault, Fault::Contradiction(Contradiction::Malformed(_))),
            "{finding}"
        );
    }
}

#[test]
fn another_tree_is_found_between_the_checkpoints_that_it_breaks() {
    let leaves = good();
    let heads = vec![head(&leaves[..3]), head(&leaves[..8])];
    let mut changed = leaves.clone();
    changed[4] = entry("vehicle.read", None, None, json!({}));
    let finding = verify(&changed, heads.clone()).unwrap_err();
    assert_eq!(finding, Finding { place: Place::Between(3, 8), fault: Fault::OtherTree });
    assert_eq!(finding.to_string().split(':').next(), Some("entries 3 to 7"));
    let finding = verify(&leaves[..7], heads).unwrap_err();
    assert_eq!(finding, Finding { place: Place::At(7), fault: Fault::Missing(8) });
}

#[test]
fn a_known_hash_tells_the_very_entry() {
    let leaves = good();
    let mut verifier = Verifier::new(vec![head(&leaves)]);
    verifier.push(&leaves[0], Some(leaf_hash(&leaves[0]))).unwrap();
    let finding = verifier.push(&leaves[2], Some(leaf_hash(&leaves[1]))).unwrap_err();
    assert_eq!(finding, Finding { place: Place::At(1), fault: Fault::Changed });
}

#[test]
fn what_was_not_signed_is_told_before_what_cannot_be() {
    let leaves = good();
    let mut changed = leaves.clone();
    changed[1] = step(99, "acknowledged");
    let finding = verify(&changed, vec![head(&leaves)]).unwrap_err();
    assert_eq!(finding, Finding { place: Place::Between(0, 9), fault: Fault::OtherTree });
    let finding = verify(&changed, vec![head(&changed)]).unwrap_err();
    assert_eq!(finding.place, Place::At(1));
    assert!(matches!(finding.fault, Fault::Contradiction(_)), "{finding}");
}

#[test]
fn hashes_that_are_known_narrow_down_where_another_tree_begins() {
    let (leaves, mut changed) = (good(), good());
    changed[6] = entry("vehicle.read", None, None, json!({}));
    let mut verifier = Verifier::new(vec![head(&leaves[..2]), head(&leaves)]);
    for (position, leaf) in (0_u64..).zip(&changed) {
        verifier.push(leaf, (position < 5).then(|| leaf_hash(leaf))).unwrap();
    }
    let finding = verifier.finish().unwrap_err();
    assert_eq!(finding, Finding { place: Place::Between(5, 9), fault: Fault::OtherTree });
}

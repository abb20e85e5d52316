//! What a witness takes and what it refuses, with a cosignature of another implementation.

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::audit::entry::leaf_hash;
use crate::audit::note::KeyKind;
use crate::audit::tree::Tiles;
use crate::domain::time::Timestamp;
use crate::tally::Tally;

const ORIGIN: &str = "keys.example.com/log";

fn key(seed: u8, name: &str, kind: KeyKind) -> (VerifierKey, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let public = pair.public_key().as_ref().try_into().unwrap();
    (VerifierKey::new(name, kind, public).unwrap(), pair)
}

/// A tree of so many leaves, each of which says `branch`.
fn tree(size: u64, branch: u8) -> Tiles {
    let mut tiles = Tiles::default();
    let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&[n as u8, branch])).collect();
    tiles.grow(0, &leaves).unwrap();
    tiles
}

fn head(tiles: &Tiles, size: u64) -> TreeHead {
    TreeHead { size, root: tiles.root(size).unwrap() }
}

fn checkpoint_of(head: TreeHead, origin: &str, by: &(VerifierKey, Ed25519KeyPair)) -> Vec<u8> {
    let now = Timestamp::from_unix_seconds(1_700_000_000).unwrap();
    let text = checkpoint::text(origin, head).unwrap();
    let signed = by.1.sign(&by.0.message(&text, now));
    checkpoint::note(&text, &[by.0.signature(signed.as_ref(), now).unwrap()]).unwrap()
}

fn submission(tiles: &Tiles, old_size: u64, size: u64) -> Submission {
    let log = key(1, ORIGIN, KeyKind::Log);
    let proof = if old_size > size { vec![] } else { tiles.prove_growth(old_size, size).unwrap() };
    Submission { old_size, proof, checkpoint: checkpoint_of(head(tiles, size), ORIGIN, &log) }
}

/// Made by `github.com/transparency-dev/formats` v0.1.1 (`NewSignerForCosignatureV1`) with the
/// seed of 32 times 7.
#[test]
fn a_cosignature_of_another_implementation_verifies() {
    let (witness, _) = key(7, "witness.example/w1", KeyKind::Witness);
    assert_eq!(witness.id(), 0xaa4a_09d1);
    let text = b"keys.example.org/log\n1234\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let line = "\u{2014} witness.example/w1 qkoJ0QAAAABrBy7Aofogs+EfcbFSMIxKOMXq5IAIfuTYrDQuAt1oBZBwAIM7Bdkc5nFMsIdhksGSnxrMm/f3K/hkDXlHsiAj4ECzCA==\n";
    let found = cosignature(line.as_bytes(), text, &witness).unwrap();
    assert_eq!(found.to_bytes(), line.as_bytes());
    let forged = line.replace("qkoJ0QAAAABr", "qkoJ0QAAAABs");
    for nothing in ["", "\n", "witness.example/w1", &forged] {
        assert_eq!(cosignature(nothing.as_bytes(), text, &witness), None, "{nothing}");
    }
    assert_eq!(cosignature(line.as_bytes(), b"another\n1\nAAAA\n", &witness), None);
    let (other, _) = key(8, "witness.example/w1", KeyKind::Witness);
    assert_eq!(cosignature(line.as_bytes(), text, &other), None);
    let among = format!("not a signature\n\u{2014} somebody.example AAAAAAAA\n{line}");
    assert_eq!(cosignature(among.as_bytes(), text, &witness), Some(found));
    let long = format!("{line}{}", "\n".repeat(ANSWER_LENGTH_MAX));
    assert_eq!(cosignature(long.as_bytes(), text, &witness), None);
}

#[test]
fn a_request_reads_back() {
    let submission = submission(&tree(100, 0), 37, 100);
    let bytes = submission.to_bytes();
    assert!(bytes.starts_with(b"old 37\n"));
    assert_eq!(Submission::from_bytes(&bytes), Ok(submission.clone()));
    assert_eq!(submission.origin().unwrap(), ORIGIN);
}

#[test]
fn what_has_not_the_form_of_a_request_is_refused() {
    let good = String::from_utf8(submission(&tree(9, 0), 4, 9).to_bytes()).unwrap();
    let hash = good.lines().nth(1).unwrap().to_owned();
    let many = |count: usize| {
        good.replacen("old 4\n", &format!("old 4\n{}", format!("{hash}\n").repeat(count)), 1)
    };
    let proven = good.lines().skip(1).take_while(|line| !line.is_empty()).count();
    assert!(Submission::from_bytes(many(63 - proven).as_bytes()).is_ok());
    for bad in [
        String::new(),
        "\n\n".to_owned(),
        "old 4\n".to_owned(),
        good.replacen("old 4", "old 04", 1),
        good.replacen("old 4", "old +4", 1),
        good.replacen("old 4", "old -4", 1),
        good.replacen("old 4", "old  4", 1),
        good.replacen("old 4", "old 4 ", 1),
        good.replacen("old 4", "old", 1),
        good.replacen("old 4", "Old 4", 1),
        good.replacen("old 4", "old 18446744073709551616", 1),
        good.replacen("old 4\n", "old 4\r\n", 1),
        good.replacen(&hash, &hash[1..], 1),
        good.replacen(&hash, &format!("{hash} "), 1),
        good.replacen(&hash, "", 1).replacen("old 4\n\n", "old 4\n!\n", 1),
        many(64 - proven),
        format!("{good}{}", "x".repeat(LENGTH_MAX)),
    ] {
        assert_eq!(Submission::from_bytes(bad.as_bytes()), Err(Refusal::Malformed), "{bad}");
    }
    assert_eq!(Submission::from_bytes(b"old 4\n\n\xff"), Err(Refusal::Malformed));
    for checkpoint in [b"".to_vec(), b"a\n1\n".to_vec(), b"a\n1\nAAAA\n\n".to_vec()] {
        let submission = Submission { old_size: 0, proof: vec![], checkpoint };
        assert_eq!(submission.origin(), Err(Refusal::Malformed));
    }
}

#[test]
fn only_the_log_can_put_a_checkpoint_before_a_witness() {
    let log = key(1, ORIGIN, KeyKind::Log).0;
    let second = key(5, ORIGIN, KeyKind::Log);
    let tiles = tree(9, 0);
    let good = submission(&tiles, 0, 9);
    assert_eq!(good.signed(ORIGIN, std::slice::from_ref(&log)).unwrap().head, head(&tiles, 9));
    assert!(good.signed(ORIGIN, &[second.0.clone(), log.clone()]).is_ok(), "any of its keys");
    let refused = |submission: &Submission| {
        submission.signed(ORIGIN, std::slice::from_ref(&log)).unwrap_err()
    };
    for by in [second, key(1, ORIGIN, KeyKind::Witness), key(1, "other.example", KeyKind::Log)] {
        let checkpoint = checkpoint_of(head(&tiles, 9), ORIGIN, &by);
        assert_eq!(refused(&Submission { checkpoint, ..good.clone() }), Refusal::NotSigned);
    }
    let changed = String::from_utf8(good.checkpoint.clone()).unwrap().replace("\n9\n", "\n8\n");
    let changed = Submission { checkpoint: changed.into_bytes(), ..good.clone() };
    assert_eq!(refused(&changed), Refusal::NotSigned);
    assert_eq!(good.signed(ORIGIN, &[]).unwrap_err(), Refusal::NotSigned);
}

#[test]
fn a_witness_cosigns_what_continues_the_tree_it_knows_and_nothing_else() {
    let (tiles, fork) = (tree(60, 0), tree(60, 1));
    let at = |size: u64| head(&tiles, size);
    let good = submission(&tiles, 37, 60);
    assert_eq!(good.examine(at(60), at(37)), Ok(()));
    assert_eq!(submission(&tiles, 0, 60).examine(at(60), EMPTY), Ok(()));
    assert_eq!(submission(&tiles, 60, 60).examine(at(60), at(60)), Ok(()), "the same again");
    assert_eq!(submission(&tiles, 0, 0).examine(EMPTY, EMPTY), Ok(()));

    use Refusal::{Fork, NotContinued, OldBeyondNew, OtherSize};
    let longer =
        Submission { proof: [good.proof.as_slice(), &[at(1).root]].concat(), ..good.clone() };
    let shorter = Submission { proof: good.proof[1..].to_vec(), ..good.clone() };
    let unasked = Submission { proof: good.proof.clone(), ..submission(&tiles, 0, 60) };
    for (what, submission, head, known, why) in [
        ("old beyond new", submission(&tiles, 61, 60), at(60), at(37), OldBeyondNew),
        ("the log lost count", good.clone(), at(60), at(38), OtherSize { known: 38 }),
        ("a first one with an old size", good.clone(), at(60), EMPTY, OtherSize { known: 0 }),
        ("a smaller tree", submission(&tiles, 37, 37), at(37), at(60), OtherSize { known: 60 }),
        ("a fork of the same size", submission(&fork, 60, 60), head(&fork, 60), at(60), Fork),
        (
            "a fork with its own proof",
            submission(&fork, 37, 60),
            head(&fork, 60),
            at(37),
            NotContinued,
        ),
        ("a fork with a good proof", good.clone(), head(&fork, 60), at(37), NotContinued),
        ("a proof with one more", longer, at(60), at(37), NotContinued),
        ("a proof with one less", shorter, at(60), at(37), NotContinued),
        ("a proof from nothing", unasked, at(60), EMPTY, NotContinued),
        (
            "an empty tree with a root",
            submission(&tiles, 0, 0),
            TreeHead { size: 0, ..at(1) },
            EMPTY,
            Fork,
        ),
    ] {
        assert_eq!(submission.examine(head, known), Err(why), "{what}");
    }
}

#[test]
fn the_size_that_a_witness_knows_is_read_strictly() {
    assert_eq!(known_size(SIZE_TYPE, b"50\n"), Some(50));
    assert_eq!(known_size(SIZE_TYPE, b"0\n"), Some(0));
    for (media_type, answer) in [
        ("text/plain", "50\n"),
        (SIZE_TYPE, ""),
        (SIZE_TYPE, "50"),
        (SIZE_TYPE, "050\n"),
        (SIZE_TYPE, "+50\n"),
        (SIZE_TYPE, "50\n\n"),
        (SIZE_TYPE, "18446744073709551616\n"),
    ] {
        assert_eq!(known_size(media_type, answer.as_bytes()), None, "{media_type} {answer:?}");
    }
}

proptest! {
    #[test]
    fn no_request_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(submission) = Submission::from_bytes(&bytes) {
            let _ = submission.origin();
        }
    }
}

#[test]
fn no_proof_is_too_strange() {
    let number = || prop_oneof![0_u64..60, any::<u64>()];
    let hashes = prop::collection::vec(any::<[u8; 32]>(), 0..64);
    let cases = (number(), number(), number(), any::<[bool; 2]>(), any::<[[u8; 32]; 2]>(), hashes);
    let tally = Tally::of(512, cases, |(old_size, size, known, same, roots, proof), tally| {
        // The same sizes as often as others: what follows is only looked at then.
        let known = TreeHead { size: if same[0] { old_size } else { known }, root: Hash(roots[0]) };
        let size = if same[1] { known.size } else { size };
        let proof = proof.into_iter().map(Hash).collect();
        let submission = Submission { old_size, proof, checkpoint: vec![] };
        let refused = submission.examine(TreeHead { size, root: Hash(roots[1]) }, known);
        tally.count(match refused.unwrap_err() {
            Refusal::OldBeyondNew => "old beyond new",
            Refusal::OtherSize { .. } => "another size",
            Refusal::Fork => "a fork",
            _ => "not continued",
        });
        Ok(())
    });
    tally.assert_each(30, ["old beyond new", "another size", "a fork", "not continued"]);
}

/// Whatever a witness has cosigned in a row is one tree.
#[test]
fn what_is_cosigned_in_a_row_is_one_tree() {
    // The log mostly says what was cosigned last: nothing else is taken.
    let step = (prop::option::weighted(0.2, 0_u64..40), 0_u64..40, prop::bool::weighted(0.3));
    let rows = prop::collection::vec(step, 1..20);
    let trees = [tree(40, 0), tree(40, 1)];
    let tally = Tally::of(256, rows, |steps, tally| {
        let (mut known, mut branch, mut in_a_row) = (EMPTY, None, 0);
        for (old_size, size, forked) in steps {
            let (tiles, old_size) = (&trees[usize::from(forked)], old_size.unwrap_or(known.size));
            let head = head(tiles, size);
            if submission(tiles, old_size, size).examine(head, known).is_ok() {
                prop_assert!(head.size >= known.size);
                if head.size > 0 {
                    prop_assert!(branch.is_none_or(|branch| branch == forked));
                    branch = Some(forked);
                }
                in_a_row += usize::from(head.size > known.size);
                known = head;
            } else if old_size == known.size && size >= old_size {
                tally.count("a fork refused");
            }
        }
        tally.count_if(in_a_row >= 2, "two or more in a row");
        tally.count_if(branch == Some(true), "the other branch");
        Ok(())
    });
    tally.assert_each(80, ["two or more in a row", "a fork refused"]);
    tally.assert_each(20, ["the other branch"]);
}

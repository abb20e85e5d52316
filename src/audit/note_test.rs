//! Keys and signatures of notes, with a vector of another implementation.

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use signed_note::{Note, VerifierList};

use super::*;
use crate::tally::Tally;

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn key(name: &str, kind: KeyKind, pair: &Ed25519KeyPair) -> VerifierKey {
    VerifierKey::new(name, kind, pair.public_key().as_ref().try_into().unwrap()).unwrap()
}

fn verified(note: &Note, key: &VerifierKey) -> bool {
    note.verify(&VerifierList::new(vec![Box::new(key.clone())])).is_ok()
}

/// The note that the documentation of Go's golang.org/x/mod/sumdb/note shows.
#[test]
fn a_note_of_another_implementation_verifies() {
    let key: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    assert!(verified(&Note::from_bytes(note.as_bytes()).unwrap(), &key));
    let other = note.replace("your problem is", "the problem is");
    assert!(!verified(&Note::from_bytes(other.as_bytes()).unwrap(), &key));
}

#[test]
fn a_cosignature_signs_the_time_too() {
    let now = Timestamp::from_unix_seconds(1_700_000_000).unwrap();
    let (pair, text) = (pair(7), b"example.com/log\n1\nAAAA\n");
    let witness = key("witness.example", KeyKind::Witness, &pair);
    let message = witness.message(text, now);
    assert!(message.starts_with(b"cosignature/v1\ntime 1700000000\nexample.com/log\n"));
    let signature = witness.signature(pair.sign(&message).as_ref(), now).unwrap();
    assert_eq!(cosigned_at(&signature), Some(now));
    assert!(verified(&Note::new(text, std::slice::from_ref(&signature)).unwrap(), &witness));
    let mut earlier = signature.signature().to_vec();
    earlier[7] ^= 1;
    let forged = Signature::new(witness.name().to_owned(), witness.id(), earlier).unwrap();
    assert!(!verified(&Note::new(text, &[forged]).unwrap(), &witness));
    let log = key("witness.example", KeyKind::Log, &pair);
    assert_ne!(log.id(), witness.id(), "the same key of another kind is another key");
}

#[test]
fn what_is_no_verifier_key_is_refused() {
    use InvalidVerifierKey::{Malformed, UnknownKind, WrongId};
    let good = key("a", KeyKind::Log, &pair(1)).to_string();
    let other_kind = good.replace("+AY", "+CY");
    for (text, why) in [
        ("", Malformed),
        ("a", Malformed),
        ("a+b", Malformed),
        ("a+00000000+!", Malformed),
        ("a+00000000+", Malformed),
        ("a+00000000+AQ==", Malformed),
        (&good.replacen("a+", " +", 1), Malformed),
        (&good.replacen("a+", "a\u{7}+", 1), Malformed),
        (&good.replacen("a+", "b+", 1), WrongId),
        (&good.replacen("a+", "a+0", 1), WrongId),
        (&other_kind, UnknownKind),
        (&"a".repeat(1000), Malformed),
    ] {
        assert_eq!(text.parse::<VerifierKey>(), Err(why), "{text}");
    }
}

proptest! {
    #[test]
    fn a_verifier_key_reads_back(seed in any::<u8>(), name in "[a-z./-]{1,30}", witness in any::<bool>()) {
        let kind = if witness { KeyKind::Witness } else { KeyKind::Log };
        let key = key(&name, kind, &pair(seed));
        prop_assert_eq!(key.to_string().parse(), Ok(key));
    }
}

#[test]
fn no_text_is_too_strange() {
    // Random texts fail at the first plus; damaged keys get further.
    let texts = (any::<u8>(), any::<prop::sample::Index>(), prop_oneof![".", "[+=A-C0-2]", ""]);
    let tally = Tally::of(1024, texts, |(seed, at, other), tally| {
        let good = key("log.example", KeyKind::Log, &pair(seed)).to_string();
        let (mut text, at) = (good.clone(), at.index(good.len()));
        text.replace_range(at..=at, &other);
        match text.parse::<VerifierKey>() {
            Ok(parsed) => prop_assert_eq!((parsed.to_string(), text), (good.clone(), good)),
            Err(why) => tally.count(format_args!("{why:?}")),
        }
        Ok(())
    });
    tally.assert_each(100, ["Malformed", "WrongId"]);
    tally.assert_each(3, ["UnknownKind"]);
}

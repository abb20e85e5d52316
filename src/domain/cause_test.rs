//! Every cause survives its stored form, and no other text is a cause.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::tally::Tally;

fn any_code() -> impl Strategy<Value = Option<ProviderCode>> {
    let word = "[A-Z0-9_]{1,31}";
    proptest::option::of(
        (word, proptest::option::of(word))
            .prop_map(|(kind, code)| ProviderCode::new(&kind, code.as_deref()).unwrap()),
    )
}

fn any_cause() -> impl Strategy<Value = Cause> {
    let reasons = subsequence(Reason::ALL, 1..=Reason::ALL.len()).prop_shuffle();
    prop_oneof![
        reasons.prop_map(Cause::Refused),
        (select(Fault::ALL), any_code()).prop_map(|(fault, code)| Cause::Connector { fault, code }),
        select(NotSent::ALL).prop_map(Cause::NotSent),
        Just(Cause::Abandoned),
        select(Unseen::ALL).prop_map(Cause::Unseen),
    ]
}

/// What the cases must meet: every word of every variant, and a fault with and without a code.
fn name(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::Refused(reasons) => {
            reasons.iter().map(|reason| format!("refused: {reason}")).collect()
        }
        Cause::Connector { fault, code } => vec![format!("{fault} {}", code.is_some())],
        Cause::NotSent(why) => vec![why.to_string()],
        Cause::Abandoned => vec!["abandoned".to_owned()],
        Cause::Unseen(why) => vec![why.to_string()],
    }
}

#[test]
fn every_cause_survives_its_stored_form() {
    let tally = Tally::of(4096, any_cause(), |cause, tally| {
        let stored = cause.stored();
        prop_assert!(!stored.contains(char::is_whitespace), "{stored:?}");
        prop_assert_eq!(Cause::restore(&stored), Ok(cause.clone()), "{}", stored);
        name(&cause).into_iter().for_each(|name| tally.count(name));
        Ok(())
    });
    let mut each: Vec<Cause> = Reason::ALL.iter().map(|&one| Cause::Refused(vec![one])).collect();
    for &fault in Fault::ALL {
        each.push(Cause::Connector { fault, code: None });
        each.push(Cause::Connector { fault, code: ProviderCode::new("A", None) });
    }
    each.extend(NotSent::ALL.iter().copied().map(Cause::NotSent));
    each.extend(Unseen::ALL.iter().copied().map(Cause::Unseen));
    each.push(Cause::Abandoned);
    tally.assert_each(5, each.iter().flat_map(name));
}

#[test]
fn no_other_text_is_a_cause() {
    let tally = Tally::of(4096, (any_cause(), 0_usize..200, "[a-zA-Z:, _/]"), |case, tally| {
        let (cause, place, put) = case;
        let mut text: Vec<char> = cause.stored().chars().collect();
        let place = place % text.len();
        text.splice(place..=place, put.chars());
        let text: String = text.into_iter().collect();
        match Cause::restore(&text) {
            // Another one; what it is stored as is the very text that it was read from.
            Ok(other) => {
                tally.count("cause");
                prop_assert_eq!(other.stored(), text);
            }
            Err(_) => tally.count("no cause"),
        }
        Ok(())
    });
    tally.assert_each(100, ["cause", "no cause"]);
    for text in [
        "",
        "refused",
        "refused:",
        "refused:grant_expired,",
        "refused:rate_limited",
        "connector",
        "connector:",
        "connector:grant_expired",
        "connector:rate_limited:",
        "connector:rate_limited:lower",
        "connector:rate_limited:A:B",
        "not_sent",
        "not_sent:overtaken",
        "abandoned:",
        "unseen:abandoned",
        "overtaken",
    ] {
        assert!(Cause::restore(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_clients_read_is_words_of_the_program_and_then_the_clouds() {
    let asleep = ProviderCode::new("VEHICLE_STATE", Some("ASLEEP"));
    for (cause, words) in [
        (
            Cause::Refused(vec![Reason::GrantExpired, Reason::ConsentLost]),
            &["grant_expired", "consent_lost"][..],
        ),
        (
            Cause::Connector { fault: Fault::VehicleState, code: asleep },
            &["vehicle_unreachable", "VEHICLE_STATE/ASLEEP"],
        ),
        (Cause::Connector { fault: Fault::Authentication, code: None }, &["consent_lost"]),
        (Cause::Connector { fault: Fault::ConsentLost, code: None }, &["consent_lost"]),
        (Cause::NotSent(NotSent::TooLate), &["not_sent_in_time"]),
        (Cause::Abandoned, &["abandoned"]),
        (Cause::Unseen(Unseen::Overtaken), &["overtaken"]),
    ] {
        assert_eq!(cause.words(), words);
    }
}

#[test]
fn only_what_went_wrong_at_the_cloud_says_who_must_act() {
    let consent_lost = Cause::Connector { fault: Fault::ConsentLost, code: None };
    assert_eq!(consent_lost.resolution(), Some(Resolution::Reauthenticate));
    for cause in [
        Cause::Refused(vec![Reason::ConsentLost]),
        Cause::NotSent(NotSent::TooLate),
        Cause::Abandoned,
        Cause::Unseen(Unseen::Overtaken),
    ] {
        assert_eq!(cause.resolution(), None, "{cause:?}");
    }
}

//! Passwords, accepted and refused.

use super::*;

fn verdict(password: &str) -> Result<(), PasswordRefusal> {
    check(password, &"christina.sommer@example.com".parse().unwrap())
}

#[test]
fn fifteen_code_points_are_enough_and_fourteen_are_not() {
    assert_eq!(verdict("mxkvqzrtwplbnj"), Err(PasswordRefusal::TooShort));
    assert_eq!(verdict("mxkvqzrtwplbnjh"), Ok(()));
}

#[test]
fn long_passwords_are_accepted_up_to_256_code_points() {
    let words: String = (0..400).map(|n| format!("{n:x}z")).collect();
    for length in [64, 128, 256] {
        assert_eq!(verdict(&words[..length]), Ok(()), "{length}");
    }
    assert_eq!(verdict(&words[..257]), Err(PasswordRefusal::TooLong));
    assert_eq!(verdict(&"z".repeat(5000)), Err(PasswordRefusal::TooLong));
}

#[test]
fn length_is_counted_after_normalization() {
    // 14 code points in NFC, 16 as typed.
    let decomposed = "u\u{308}bergrosseo\u{308}fen"[..].to_owned();
    assert_eq!(decomposed.chars().count(), 16);
    assert_eq!(verdict(&decomposed), Err(PasswordRefusal::TooShort));
    assert_eq!(*normalize("u\u{308}"), "\u{fc}");
}

#[test]
fn no_kind_of_character_is_asked_for() {
    for password in [
        "walrus teacup gravel",
        "839201748291034",
        "чайник велосипед зима",
        "自転車と紅茶と冬の灯台と猫の手紙も",
        "🦭🫖🪨🌲🦔🧭🪁🧵🎻🪐🧀🦉🛶🥾🕯",
        "}{*~;,<|^_=+)-(#",
    ] {
        assert_eq!(verdict(password), Ok(()), "{password}");
    }
}

#[test]
fn common_passwords_and_their_variations_are_refused() {
    for password in [
        "password1234567",
        "Password2026!!!!!!",
        "P@ssw0rd20262026",
        "123456password!!",
        "Correct Horse Battery Staple",
        "correcthorsebatterystaple1",
        "passwordpassword",
        "Password1!Password1!",
        "iloveyou-sunshine",
        "this is my password",
        "motdepasse 2026 2026",
        "maytheforcebewithyou",
    ] {
        assert_eq!(verdict(password), Err(PasswordRefusal::Common), "{password}");
    }
}

#[test]
fn repetitions_are_refused() {
    for password in ["aaaaaaaaaaaaaaa", "xy7xy7xy7xy7xy7", "abc123abc123abc", "!!!!!!!!!!!!!!!!"] {
        assert_eq!(verdict(password), Err(PasswordRefusal::Repetition), "{password}");
    }
}

#[test]
fn runs_are_refused() {
    for password in [
        "abcdefghijklmnop",
        "zyxwvutsrqponmlk",
        "1234567890123456",
        "987654321098765",
        "qwertyuiopasdfgh",
        "qwertzuiopüasdfgh",
        "1qaz2wsx3edc4rfv",
        "1-2-3-4-5-6-7-8-9-0",
        "!@#$%^&*()_+!@#$",
        "abcdefgh12345678zk",
    ] {
        let refusal = verdict(password);
        assert_eq!(refusal, Err(PasswordRefusal::Sequence), "{password}");
    }
}

#[test]
fn the_address_and_the_service_are_no_secrets() {
    for password in [
        "christina.sommer",
        "ChristinaSommer2026",
        "sommer-keylend-1987",
        "keylend.keylend7xk",
        "my keylend account",
    ] {
        let refusal = verdict(password);
        assert!(
            matches!(refusal, Err(PasswordRefusal::Personal | PasswordRefusal::Common)),
            "{password}: {refusal:?}"
        );
    }
    assert_eq!(verdict("christina hates monday mornings"), Ok(()));
}

#[test]
fn the_address_itself_is_no_password() {
    let email = "ada@example.com".parse().unwrap();
    for password in ["ada@example.com", "Ada@Example.com 2026", "ada.example.com ada"] {
        assert_eq!(check(password, &email), Err(PasswordRefusal::Personal), "{password}");
    }
}

#[test]
fn a_short_address_forbids_nothing_by_itself() {
    let email = "a@example.com".parse().unwrap();
    assert_eq!(check("walrus teacup gravel", &email), Ok(()));
}

#[test]
fn a_cycle_is_written_twice_at_least_and_may_be_cut_short_at_the_end() {
    for (text, unit) in [("abcabc", "abc"), ("abcabca", "abc"), ("abcab", "abcab"), ("a", "a")] {
        assert_eq!(*cycle(text), unit, "{text}");
    }
}

#[test]
fn a_run_leaves_too_little_below_eight_code_points() {
    assert!(is_sequence("abcdmxkvqzr"));
    assert!(!is_sequence("abcdmxkvqzrt"));
}

#[test]
fn pieces_of_an_address_count_from_their_length_on() {
    for (address, password, is_refused) in [
        // A piece counts from four characters on, the whole local part from three.
        ("jane.doe@example.com", "jane-41952", true),
        ("jane.doe@example.com", "doe-41952", false),
        ("ada@example.com", "ada-41952", true),
        ("ed@example.com", "ed-41952", false),
        // What is left besides is too little below eight letters.
        ("jane.doe@example.com", "janemxkvqzr", true),
        ("jane.doe@example.com", "janemxkvqzrt", false),
    ] {
        let refused = is_personal(password, &address.parse().unwrap());
        assert_eq!(refused, is_refused, "{password} of {address}");
    }
}

#[test]
fn the_list_is_in_the_form_in_which_it_is_asked() {
    assert!(COMMON.len() >= 200);
    for line in COMMON.iter() {
        assert!(line.chars().all(|c| c.is_ascii_lowercase()), "{line}");
    }
}

//! Which passwords the service accepts: NIST SP 800-63B-4 section 3.1.1.2 for a password that is
//! the only factor. Length and a blocklist decide; no rule asks for kinds of characters.
//!
//! How the list `common_passwords.txt` is applied: the password is lower-cased, everything that
//! is no letter and no digit is taken out, a repetition is collapsed to what is repeated, and
//! digits and signs at both ends are stripped. What then remains is refused when it is a line of
//! the list or two lines put together; the same again with the usual digits and signs read as
//! letters (`p@ssw0rd`). It knows no hashing, no accounts and no attempts.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::domain::user::Email;

/// In Unicode code points after NFC; NIST SP 800-63B-4 for a password without a second factor.
pub const LENGTH_MIN: usize = 15;

/// In Unicode code points after NFC; far above the 64 that NIST asks to allow.
pub const LENGTH_MAX: usize = 256;

/// In bytes before normalization: longer input is refused unread. Four times the greatest
/// length in bytes after it leaves room for decomposed spellings.
pub const INPUT_BYTES_MAX: usize = 4096;

/// In code points: what must be left of a password when its foreseeable part is taken away.
const REST_MIN: usize = 8;

/// In code points: shorter pieces of a keyboard row also occur in honest words.
const RUN_MIN: usize = 4;

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// What fingers and children run through, forwards; [`ROWS`] adds the way back.
const ROWS_FORWARD: [&str; 12] = [
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "0123456789012345678901234567890",
    "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
    "qwertzuiopasdfghjklyxcvbnmqwertzuiop",
    "qwertzuiopüasdfghjklöäyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbnazertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "1q2w3e4r5t6z7u8i9o0p",
    "!@#$%^&*()_+{}|:\"<>?",
    "!\"§$%&/()=?",
];

static ROWS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let back = ROWS_FORWARD.iter().map(|row| row.chars().rev().collect());
    ROWS_FORWARD.iter().map(ToString::to_string).chain(back).collect()
});

/// Why a password is not accepted; each sentence goes to the client and never repeats the
/// password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Fewer than [`LENGTH_MIN`] code points.
    #[error("must have at least {LENGTH_MIN} characters")]
    TooShort,
    /// More than [`LENGTH_MAX`] code points, or more than [`INPUT_BYTES_MAX`] bytes of input.
    #[error("must have at most {LENGTH_MAX} characters")]
    TooLong,
    /// A line of the list of common passwords, or close to one.
    #[error("is a common password or close to one; several unrelated words are harder to guess")]
    Common,
    /// A few characters over and over.
    #[error("repeats a few characters; several unrelated words are harder to guess")]
    Repetition,
    /// Mostly runs along the alphabet, the digits or a keyboard row.
    #[error("is mostly a run of neighbouring characters such as abcd, 1234 or qwerty")]
    Sequence,
    /// Little beyond the name of the service or the e-mail address.
    #[error("has little in it beyond the e-mail address or the name of this service")]
    Personal,
}

/// The password in NFC, the form in which it is measured and hashed. Wiped when dropped.
#[must_use]
pub fn normalize(password: &str) -> Zeroizing<String> {
    // NFC grows UTF-8 at most threefold (UAX #15); room for all of it leaves no stray copies.
    let mut normal = Zeroizing::new(String::with_capacity(password.len().saturating_mul(3)));
    normal.extend(password.nfc());
    normal
}

/// Says whether the account of `email` may have this password.
///
/// # Errors
/// The first [`PasswordRefusal`] that applies.
pub fn check(password: &str, email: &Email) -> Result<(), PasswordRefusal> {
    if password.len() > INPUT_BYTES_MAX {
        return Err(PasswordRefusal::TooLong);
    }
    let normal = normalize(password);
    match normal.chars().count() {
        ..LENGTH_MIN => return Err(PasswordRefusal::TooShort),
        LENGTH_MIN..=LENGTH_MAX => {}
        _ => return Err(PasswordRefusal::TooLong),
    }
    let lower = Zeroizing::new(normal.to_lowercase());
    let plain = squash(&lower);
    if repeats(&lower) || repeats(&plain) {
        return Err(PasswordRefusal::Repetition);
    }
    if is_common(&lower) || is_common(&unmask(&lower)) {
        return Err(PasswordRefusal::Common);
    }
    if is_sequence(&lower) || is_sequence(&plain) {
        return Err(PasswordRefusal::Sequence);
    }
    if is_personal(&plain, email) {
        return Err(PasswordRefusal::Personal);
    }
    Ok(())
}

/// Letters and digits only.
fn squash(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().filter(|c| c.is_alphanumeric()).collect())
}

/// The shortest piece that makes up the text when it is written at least twice (the last time
/// perhaps cut short), or else the whole text.
fn cycle(text: &str) -> Zeroizing<String> {
    let chars = Zeroizing::new(text.chars().collect::<Vec<char>>());
    let period = (1..=chars.len() / 2)
        .find(|period| chars.iter().zip(chars.iter().skip(*period)).all(|(a, b)| a == b))
        .unwrap_or(chars.len());
    Zeroizing::new(chars.iter().take(period).collect())
}

fn repeats(text: &str) -> bool {
    let unit = cycle(text).chars().count();
    unit < REST_MIN && unit < text.chars().count()
}

/// What the list is asked about: see the head of this module.
fn core(text: &str) -> Zeroizing<String> {
    let ends = text.trim_matches(|c: char| !c.is_alphabetic());
    let unit = cycle(&squash(ends));
    cycle(unit.trim_matches(|c: char| !c.is_alphabetic()))
}

/// The digits and signs inside that usually stand for letters, as those letters. Ends are left
/// out first, so that a year at the end does not turn into letters.
fn unmask(text: &str) -> Zeroizing<String> {
    let inside = text.trim_matches(|c: char| !c.is_alphabetic());
    let letters = inside.chars().map(|c| match c {
        '@' | '4' => 'a',
        '3' | '€' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    });
    Zeroizing::new(letters.collect())
}

fn is_common(text: &str) -> bool {
    // The whole may be repeated with its digits: `password1password1`.
    let repeated = cycle(&squash(text));
    [core(text), core(&repeated)].iter().any(|core| {
        COMMON.contains(core.as_str())
            || core.char_indices().any(|(at, _)| {
                let (left, right) = core.split_at(at);
                COMMON.contains(left) && COMMON.contains(right)
            })
    })
}

/// Too little is left when runs along the alphabet, the digits or a keyboard are taken out.
fn is_sequence(text: &str) -> bool {
    let chars = Zeroizing::new(text.chars().collect::<Vec<char>>());
    let mut rest: &[char] = &chars;
    let mut outside = 0;
    while !rest.is_empty() {
        let run = run_length(rest);
        outside += usize::from(run == 0);
        rest = rest.get(run.max(1)..).unwrap_or_default();
    }
    outside < REST_MIN && outside < chars.len()
}

/// In code points: the longest run the text starts with, 0 when there is none.
fn run_length(text: &[char]) -> usize {
    (RUN_MIN..=text.len())
        .map_while(|length| {
            let piece: Zeroizing<String> = Zeroizing::new(text.iter().take(length).collect());
            ROWS.iter().any(|row| row.contains(piece.as_str())).then_some(length)
        })
        .last()
        .unwrap_or(0)
}

/// Too little is left when the service's name and the pieces of the address are taken out.
fn is_personal(plain: &str, email: &Email) -> bool {
    const WHOLE_MIN: usize = 3;
    const PART_MIN: usize = 4;
    let (local, _) = email.as_str().rsplit_once('@').unwrap_or_default();
    let local = normalize(local);
    let whole = squash(&local);
    let parts =
        local.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= PART_MIN);
    let address = squash(&normalize(email.as_str()));
    let mut rest = Zeroizing::new(plain.replace("keylend", " ").replace(address.as_str(), " "));
    if whole.chars().count() >= WHOLE_MIN {
        rest = Zeroizing::new(rest.replace(whole.as_str(), " "));
    }
    for part in parts {
        rest = Zeroizing::new(rest.replace(part, " "));
    }
    if *rest == plain {
        return false;
    }
    core(&rest).chars().count() < REST_MIN || is_common(&rest)
}

#[cfg(test)]
#[path = "password_test.rs"]
mod tests;

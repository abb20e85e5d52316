//! Texts from a server, made harmless for a terminal: names are chosen by other people, and a
//! terminal obeys what it is shown.

use std::fmt::Write as _;

/// Whether a terminal may obey a character, or a person may be deceived by it: control characters
/// (C0, DEL and C1), and what turns the direction of a text, joins, hides or begins a line.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{061c}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text on one line, with unsafe characters as escapes such as `\u{1b}`.
pub(in crate::cli) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_unsafe(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// JSON text that means the same, in which unsafe characters are JSON's escapes. Line breaks
/// between values stay; inside strings there are none.
pub(in crate::cli) fn printable_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for char in json.chars() {
        if char != '\n' && is_unsafe(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(char);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_an_escape() {
        for (text, shown) in [
            ("Olga Öwner 🚗", "Olga Öwner 🚗"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\nb\tc\r", "a\\u{a}b\\u{9}c\\u{d}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("gnp\u{202e}.exe", "gnp\\u{202e}.exe"),
            ("two\u{2028}lines", "two\\u{2028}lines"),
        ] {
            assert_eq!(printable(text), shown, "{text:?}");
        }
    }

    #[test]
    fn json_means_the_same_after_it_was_made_harmless() {
        let value = serde_json::json!({ "name": "\u{1b}]0;x\u{7}\u{9b}\u{202e}\u{e0041}é\n" });
        let shown = printable_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.chars().any(|char| char != '\n' && is_unsafe(char)), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}

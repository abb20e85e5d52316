//! Secrets among the settings: each as it is or in a file, because environments are seen by other
//! programs; and those that this service alone judges not so short that somebody could guess them.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::InvalidSetting;

/// Characters of a secret that is compared here.
const CHARACTERS_MIN: usize = 16;

/// The value of the setting `name`, or the content of the file that the setting `name` and `_FILE`
/// names, without the line break at its end.
///
/// # Errors
/// [`InvalidSetting::Both`] if both are set; [`InvalidSetting::SecretFile`] if the file cannot be
/// read or holds nothing.
pub(super) fn either(
    name: &'static str,
    given: Option<SecretString>,
    file: Option<PathBuf>,
) -> Result<Option<SecretString>, InvalidSetting> {
    match (given, file) {
        (Some(_), Some(_)) => Err(InvalidSetting::Both(name)),
        (None, Some(path)) => read(name, &path).map(Some),
        (given, None) => Ok(given),
    }
}

/// The same of a secret that nobody must be able to guess.
///
/// # Errors
/// Also [`InvalidSetting::ShortSecret`].
pub(super) fn unguessable(
    name: &'static str,
    given: Option<SecretString>,
    file: Option<PathBuf>,
) -> Result<Option<SecretString>, InvalidSetting> {
    let secret = either(name, given, file)?;
    let is_short = |secret: &SecretString| secret.expose_secret().chars().count() < CHARACTERS_MIN;
    match secret {
        Some(secret) if is_short(&secret) => {
            Err(InvalidSetting::ShortSecret { name, characters_min: CHARACTERS_MIN })
        }
        secret => Ok(secret),
    }
}

/// The secret in the file of the setting `name` and `_FILE`.
///
/// # Errors
/// [`InvalidSetting::SecretFile`].
pub(super) fn read(name: &'static str, path: &Path) -> Result<SecretString, InvalidSetting> {
    let unusable = |why: String| {
        let path = path.display().to_string();
        Err(InvalidSetting::SecretFile { name, path, why })
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return unusable(format!("it cannot be read ({error})")),
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let secret = line.strip_suffix('\r').unwrap_or(line);
    if secret.is_empty() { unusable("it is empty".to_owned()) } else { Ok(secret.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "KEYLEND_X";

    fn in_file(content: &str) -> Result<Option<SecretString>, InvalidSetting> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        either(NAME, None, Some(path))
    }

    #[test]
    fn a_file_holds_the_secret_and_one_line_break() {
        for (content, expected) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
            (" s3cret ", " s3cret "),
        ] {
            assert_eq!(in_file(content).unwrap().unwrap().expose_secret(), expected);
        }
        assert!(either(NAME, None, None).unwrap().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_and_what_it_holds_is_not() {
        for (refused, why) in [
            (in_file(""), "is empty"),
            (in_file("\n"), "is empty"),
            (either(NAME, None, Some("/nowhere/at/all".into())), "/nowhere/at/all"),
            (either(NAME, Some("s3cret".into()), Some("/a/file".into())), "both"),
        ] {
            let said = refused.unwrap_err().to_string();
            assert!(said.contains("KEYLEND_X_FILE") && said.contains(why), "{said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn what_could_be_guessed_is_no_secret() {
        let short = unguessable(NAME, Some("x".repeat(15).into()), None).unwrap_err();
        assert!(short.to_string().contains("at least 16 characters"), "{short}");
        assert!(unguessable(NAME, Some("x".repeat(16).into()), None).unwrap().is_some());
        assert!(unguessable(NAME, None, None).unwrap().is_none());
    }
}

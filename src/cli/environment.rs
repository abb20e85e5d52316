//! Variables of the environment that look like settings and are none: a setting that is misspelt would otherwise do nothing, and
//! say nothing.

use std::collections::BTreeSet;

use clap::Command;

const PREFIX: &str = "KEYLEND_";
/// A name that needs so many changes to become another was hardly meant to be it.
const CHANGES_MAX: usize = 3;

/// A variable that is no setting, and the setting that it may be meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownVariable {
    pub(super) name: String,
    pub(super) meant: Option<String>,
}

/// The variables among these that look like settings and are none of the program's.
pub(super) fn unknown(
    program: &Command,
    names: impl IntoIterator<Item = String>,
) -> Vec<UnknownVariable> {
    let mut settings = BTreeSet::new();
    collect(program, &mut settings);
    let strange = names.into_iter().filter(|name| name.starts_with(PREFIX));
    let strange = strange.filter(|name| !settings.contains(name));
    let named = strange.map(|name| {
        let closest = settings.iter().map(|setting| (changes(&name, setting), setting)).min();
        let meant = closest.filter(|(changes, _)| *changes <= CHANGES_MAX);
        UnknownVariable { meant: meant.map(|(_, setting)| setting.clone()), name }
    });
    named.collect()
}

/// Every variable that some command reads.
fn collect(command: &Command, settings: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env());
    settings.extend(variables.map(|name| name.to_string_lossy().into_owned()));
    command.get_subcommands().for_each(|command| collect(command, settings));
}

/// How many characters must be added, left out or replaced to make one text of the other (Levenshtein).
fn changes(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.bytes().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (above, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *above;
            left = replaced.min(left + 1).min(*above + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn a_setting_that_is_misspelt_is_named_with_the_one_that_was_meant() {
        let setting = |name: &'static str| Arg::new(name).env(name);
        let below = Command::new("serve").arg(setting("KEYLEND_DATABASE_URL"));
        let program = Command::new("keylend").arg(setting("KEYLEND_LOG")).subcommand(below);
        let names = ["PATH", "KEYLEND_LOG", "KEYLEND_DATABSE_URL", "KEYLEND_COLOUR"];
        let found = unknown(&program, names.map(str::to_owned));
        let named = |name: &str, meant: Option<&str>| UnknownVariable {
            name: name.to_owned(),
            meant: meant.map(str::to_owned),
        };
        assert_eq!(
            found,
            [
                named("KEYLEND_DATABSE_URL", Some("KEYLEND_DATABASE_URL")),
                named("KEYLEND_COLOUR", None)
            ]
        );
    }

    #[test]
    fn changes_are_counted() {
        for (one, other, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("abc", "abc", 0),
            ("ab", "ba", 2),
        ] {
            assert_eq!(changes(one, other), count, "{one} {other}");
        }
    }
}

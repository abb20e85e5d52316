//! The words of the command line and the variables of the environment, read. The reader (clap) stops at the
//! first value that a setting cannot have. It is asked again without that one, until everything that is
//! wrong was found and can be told at once.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::Arguments;

/// The status of a program that was used wrongly, as clap has it.
const USAGE: u8 = 2;

/// Why there are no arguments.
pub(super) struct Unreadable {
    /// Each value that its setting cannot have.
    wrong: Vec<WrongValue>,
    /// What else is wrong with settings, as sentences.
    more: Vec<String>,
    /// What is no matter of values: an unknown flag for instance, or that help was asked for.
    other: Option<clap::Error>,
}

/// A value that its setting cannot have.
#[derive(Debug, PartialEq, Eq)]
struct WrongValue {
    /// The name of the flag, without its dashes.
    flag: String,
    /// The variable of the same meaning.
    variable: String,
    /// What happened, and what to do.
    said: String,
}

impl Unreadable {
    /// Says what is wrong, all of it, and gives the status with which the program ends.
    pub(super) fn print(self) -> ExitCode {
        let mut said: Vec<String> = self.wrong.into_iter().map(|wrong| wrong.said).collect();
        said.extend(self.more);
        match &said[..] {
            [] => {}
            [only] => eprintln!("keylend: {only}"),
            several => {
                eprintln!("keylend: {} settings are wrong:", several.len());
                several.iter().for_each(|one| eprintln!("  {one}"));
            }
        }
        let Some(other) = self.other else { return ExitCode::from(USAGE) };
        let status = u8::try_from(other.exit_code()).unwrap_or(USAGE);
        // There is nobody to tell when the terminal is closed.
        let _printed = other.print();
        ExitCode::from(status)
    }
}

/// Reads the words with which the program was started, and its environment.
///
/// # Errors
/// [`Unreadable`], also if only help was asked for.
pub(super) fn read(mut words: Vec<OsString>) -> Result<Arguments, Unreadable> {
    let mut wrong: Vec<WrongValue> = Vec::new();
    loop {
        let command = without(Arguments::command(), &wrong);
        let read = command.clone().try_get_matches_from(&words);
        let arguments = read.and_then(|matches| Arguments::from_arg_matches(&matches));
        match arguments {
            Ok(arguments) if wrong.is_empty() => return Ok(arguments),
            Ok(arguments) => {
                // What only follows from a value that was left out is not wrong.
                let is_new = |said: &String| !wrong.iter().any(|w| said.contains(&w.variable));
                let more = arguments.command.invalid_settings().into_iter().filter(is_new);
                return Err(Unreadable { more: more.collect(), wrong, other: None });
            }
            Err(error) => match WrongValue::of(&command, &error) {
                Some(value) if !wrong.contains(&value) => {
                    words = without_flag(words, &value.flag);
                    wrong.push(value);
                }
                _ => return Err(Unreadable { wrong, more: Vec::new(), other: Some(error) }),
            },
        }
    }
}

/// The program without the variables of these settings.
fn without(command: Command, wrong: &[WrongValue]) -> Command {
    let is_wrong = |argument: &Arg| {
        let flag = argument.get_long();
        flag.is_some_and(|flag| wrong.iter().any(|wrong| wrong.flag == flag))
    };
    let leave_out = |argument: Arg| {
        if is_wrong(&argument) { argument.env(None::<&'static str>) } else { argument }
    };
    command.mut_args(leave_out).mut_subcommands(|below| without(below, wrong))
}

/// The words without a flag and its value.
fn without_flag(words: Vec<OsString>, flag: &str) -> Vec<OsString> {
    let (alone, with_value) = (format!("--{flag}"), format!("--{flag}="));
    let mut kept = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == *alone {
            words.next();
        } else if !word.to_string_lossy().starts_with(&with_value) {
            kept.push(word);
        }
    }
    kept
}

impl WrongValue {
    /// What clap says is wrong, if it is the value of a setting.
    fn of(program: &Command, error: &clap::Error) -> Option<Self> {
        if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
            return None;
        }
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let shown = text(ContextKind::InvalidArg)?.strip_prefix("--")?;
        let flag = shown.split([' ', '=', '[']).next()?;
        let argument = find(program, flag)?;
        let variable = argument.get_env()?.to_str()?.to_owned();
        let value = text(ContextKind::InvalidValue).unwrap_or_default();
        // What may hold a password is not repeated.
        let given = if argument.is_hide_env_values_set() {
            variable.clone()
        } else {
            format!("{variable}={value}")
        };
        let why = if value.is_empty() { "has no value: ".to_owned() } else { String::new() };
        let said = format!("{given}: {why}{}", remedy(argument, error));
        Some(Self { flag: flag.to_owned(), variable, said })
    }
}

/// The argument with this flag, of whatever command: a flag means the same in all of them.
fn find<'c>(command: &'c Command, flag: &str) -> Option<&'c Arg> {
    let own = command.get_arguments().find(|argument| argument.get_long() == Some(flag));
    own.or_else(|| command.get_subcommands().find_map(|below| find(below, flag)))
}

/// What the value must be.
fn remedy(argument: &Arg, error: &clap::Error) -> String {
    if let Some(ContextValue::Strings(words)) = error.get(ContextKind::ValidValue) {
        return format!("must be one of: {}", words.join(", "));
    }
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let names = argument.get_value_names().unwrap_or_default();
    let unit = names.iter().find_map(|name| match name.as_str() {
        "SECONDS" => Some(" of seconds without a unit"),
        "DAYS" => Some(" of days without a unit"),
        "COUNT" => Some(""),
        _ => None,
    });
    let Some(unit) = unit else { return cause };
    let defaults = argument.get_default_values().first();
    let example = defaults.map_or_else(|| "1".into(), |value| value.to_string_lossy());
    let bounds = cause.split_once(" is not in ").map(|(_, bounds)| format!(", in {bounds}"));
    format!("must be a whole number{unit}{}, such as {example}", bounds.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> Vec<String> {
        let words = ["keylend"].iter().chain(words).map(OsString::from).collect();
        let Err(unreadable) = read(words) else { panic!("it can be read") };
        assert!(unreadable.other.is_none(), "{:?}", unreadable.other);
        let values = unreadable.wrong.into_iter().map(|wrong| wrong.said);
        values.chain(unreadable.more).collect()
    }

    #[test]
    fn each_value_that_cannot_be_is_told_and_what_is_wrong_beside_it() {
        let all = said(&[
            "serve",
            "--smartcar-timeout-s=5s",
            "--kept-days",
            "90d",
            "--listen",
            "localhost:80",
            "--commands-waiting-max",
            "many",
            "--smartcar-api-versions",
            "v4",
            "--record-reader-token",
            "x",
            "--simulator-url",
            "http://127.0.0.1:8090",
        ]);
        let expected = [
            "KEYLEND_SMARTCAR_TIMEOUT_S=5s: must be a whole number of seconds without a unit, such as 30",
            "KEYLEND_KEPT_DAYS=90d: must be a whole number of days without a unit, such as 90",
            "KEYLEND_LISTEN=localhost:80: must be an address in numbers and a port, such as 127.0.0.1:80",
            "KEYLEND_COMMANDS_WAITING_MAX=many: must be a whole number, such as 4096",
            "KEYLEND_SMARTCAR_API_VERSIONS=v4: must be one of: v3-first, v3, v2.0",
            "KEYLEND_RECORD_READER_TOKEN must have at least 16 characters",
        ];
        for expected in expected {
            assert!(all.iter().any(|said| said.starts_with(expected)), "{expected}: {all:#?}");
        }
        assert_eq!(all.len(), expected.len(), "{all:#?}");
    }

    #[test]
    fn the_bounds_of_a_number_are_told() {
        let all = said(&["doctor", "--smartcar-timeout-s", "61", "--simulator-url", "http://s:1"]);
        let bounds = "must be a whole number of seconds without a unit, in 1..=60, such as 30";
        assert_eq!(all, [format!("KEYLEND_SMARTCAR_TIMEOUT_S=61: {bounds}")]);
    }

    #[test]
    fn what_follows_from_a_value_that_was_left_out_is_not_told() {
        let all = said(&["serve", "--simulator-url", "nowhere"]);
        assert_eq!(all.len(), 1, "{all:#?}");
        let public = ["serve", "--public-url", "keys.example.org", "--listen", "0.0.0.0:80"];
        let all = said(&[&public[..], &["--simulator-url", "http://s:1"]].concat());
        assert_eq!(all.len(), 1, "{all:#?}");
    }

    #[test]
    fn a_password_is_not_repeated() {
        let all = said(&["migrate", "--database-url", "postgrs://me:hunter2@db/keys"]);
        assert_eq!(all.len(), 1, "{all:#?}");
        assert!(all[0].starts_with("KEYLEND_DATABASE_URL: must be sqlite:PATH"), "{all:#?}");
    }
}

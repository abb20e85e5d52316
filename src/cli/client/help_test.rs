//! What `--help` says is true: every command has an example, and every example is one.

use clap::{Command, Parser, Subcommand as _};

use super::*;

/// The program, as far as it is a client.
#[derive(Debug, Parser)]
#[command(name = "keylend")]
struct ClientProgram {
    #[command(subcommand)]
    command: ClientCommand,
}

fn leaves(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
    let mut below = command.get_subcommands().peekable();
    if below.peek().is_none() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        found.push((path.to_owned(), help));
    }
    for command in below {
        leaves(command, &format!("{path} {}", command.get_name()), found);
    }
}

/// The words of a command line: quotes keep spaces, and what follows a redirection is the shell's.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" > ").next().unwrap();
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(ToOwned::to_owned));
        }
    }
    words
}

#[test]
fn each_command_ends_its_help_with_an_example_that_works() {
    let program = ClientCommand::augment_subcommands(Command::new("keylend"));
    let mut found = Vec::new();
    leaves(&program, "keylend", &mut found);
    assert!(found.len() > 25, "{found:?}");
    for (path, help) in found {
        let (_, examples) =
            help.split_once("Example:\n").unwrap_or_else(|| panic!("{path}: {help:?}"));
        for example in examples.replace("\\\n", " ").lines() {
            let words = words(example);
            assert!(words.join(" ").starts_with(&path), "{path}: {example}");
            if let Err(error) = ClientProgram::try_parse_from(&words) {
                panic!("{path}: {example}\n{error}");
            }
        }
    }
}

#[test]
fn flags_that_all_commands_have_stand_before_or_after_the_verb() {
    for line in [
        "keylend vehicles --profile olga -o json list",
        "keylend vehicles list --profile olga -o json",
        "keylend whoami --profile olga -o json",
    ] {
        ClientProgram::try_parse_from(line.split(' ')).unwrap();
    }
    for line in [
        "keylend vehicles get ../users",
        "keylend vehicles get grt_01k0a6v8w5e3tb3q6m1x9r7yzn",
        "keylend vehicles read veh_01k0a6v8w5e3tb3q6m1x9r7yzn ../commands",
        "keylend vehicles list --profile ../olga",
        "keylend vehicles list --limit 0",
        "keylend holds place --reason x",
        "keylend login",
        "keylend login --email a@example.com --claim",
        "keylend grants issue --vehicle-id veh_01k0a6v8w5e3tb3q6m1x9r7yzn --not-after +2h",
    ] {
        assert!(ClientProgram::try_parse_from(line.split(' ')).is_err(), "{line}");
    }
}

//! `keylend completions`: a script for the shell, made from the program's own arguments.

use clap::{Args, Command};
use clap_complete::Shell;

use super::Failure;
use super::client::print;

pub(super) const EXAMPLE: &str = "Example:
  keylend completions bash > ~/.local/share/bash-completion/completions/keylend";

/// For which shell.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell, such as bash, zsh or fish.
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// [`Failure`] if nothing can be printed.
pub(super) fn run(args: &CompletionsArgs, program: &mut Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, program, "keylend", &mut script);
    print::out(&String::from_utf8_lossy(&script))
}

//! Secrets that a person enters: at the terminal without showing them, or on standard input. Never
//! as an argument or in the environment, which other programs can see.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::keeper::Hidden;
use crate::cli::Failure;

/// The most that is read at once, in bytes.
const INPUT_BYTES_MAX: u64 = 16 * 1024;

/// Asks for a secret: on standard input without a word if `from_stdin`, else at the terminal.
///
/// # Errors
/// [`Failure::Usage`] if there is no terminal to ask at, or nothing was entered.
pub(super) fn secret(what: &str, from_stdin: bool, flag: &str) -> Result<Hidden, Failure> {
    if from_stdin {
        return line(what);
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let said = format!("there is no terminal to ask for the {what} at: give {flag}");
        return Err(Failure::Usage(said));
    }
    let modes = tcgetattr(&stdin).map_err(io::Error::from)?;
    let mut silent = modes.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &silent).map_err(io::Error::from)?;
    // Only now: who is asked may answer at once.
    eprint!("{what}: ");
    let entered = line(what);
    tcsetattr(&stdin, OptionalActions::Now, &modes).map_err(io::Error::from)?;
    eprintln!();
    entered
}

/// What is no secret by itself: a line at the terminal, after saying what it should be, or all of
/// standard input.
///
/// # Errors
/// [`Failure::Usage`] if nothing was entered.
pub(super) fn shown(what: &str) -> Result<Hidden, Failure> {
    if io::stdin().is_terminal() {
        eprint!("{what}: ");
        return line(what);
    }
    let mut text = String::new();
    io::stdin().lock().take(INPUT_BYTES_MAX).read_to_string(&mut text)?;
    entered(what, text.trim())
}

/// The next line of standard input.
fn line(what: &str) -> Result<Hidden, Failure> {
    let mut text = String::new();
    io::stdin().lock().take(INPUT_BYTES_MAX).read_line(&mut text)?;
    entered(what, text.trim_end_matches(['\r', '\n']))
}

fn entered(what: &str, text: &str) -> Result<Hidden, Failure> {
    if text.is_empty() {
        return Err(Failure::Usage(format!("standard input holds no {what}")));
    }
    Ok(Hidden(text.to_owned()))
}

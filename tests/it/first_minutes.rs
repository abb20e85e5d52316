//! The first minutes with the program: somebody starts it with something wrong, and reads what happened and
//! what to do. Each case is the program itself, started wrongly.

mod address;
mod clock;
mod cloud;
mod key_file;
mod postgres;
mod record;
mod settings;
mod sqlite;

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::Terminal;
use crate::support::program::Printed;

/// Longer than any command takes that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What needs a database and keys and says what is wrong with them.
const ALL: &[&str] = &["serve", "migrate", "doctor"];
/// What makes nothing.
const SERVE_AND_DOCTOR: &[&str] = &["serve", "doctor"];

/// A terminal with the settings of a service whose vehicle cloud is nowhere.
fn terminal() -> Terminal {
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:9");
    terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
    terminal.export("KEYLEND_PUBLIC_URL", "https://keys.example.com");
    terminal
}

/// The same after `keylend migrate`.
async fn installed() -> Terminal {
    let terminal = terminal();
    terminal.run(&["migrate"]).await.well();
    terminal
}

/// Whether each of these commands fails, and says all of this.
async fn all_say(terminal: &Terminal, commands: &[&str], expected: &[&str]) {
    let asked = commands.iter().map(async |command| terminal.run(&[command]).await);
    let asked = tokio::time::timeout(PATIENCE, join_all(asked)).await;
    for (command, printed) in commands.iter().zip(asked.expect("a command goes on")) {
        says(command, &printed, expected);
    }
}

fn says(command: &str, printed: &Printed, expected: &[&str]) {
    assert!(!printed.status.success(), "{command}: {printed:?}");
    let said = format!("{}{}", printed.stdout, printed.stderr);
    for text in expected {
        assert!(said.contains(text), "{command} does not say {text:?}:\n{said}");
    }
}

/// What takes from root, and from nobody else, that no right keeps root from a file.
fn without_privileges(terminal: &Terminal) -> &'static str {
    use std::os::unix::fs::MetadataExt as _;
    let is_root = std::fs::metadata(terminal.folder()).unwrap().uid() == 0;
    if is_root { "setpriv --bounding-set=-dac_override,-dac_read_search" } else { "" }
}

/// The same as [`all_say`], for a user whom the rights on files bind.
async fn all_say_without_privileges(terminal: &Terminal, commands: &[&str], expected: &[&str]) {
    let by = without_privileges(terminal);
    for command in commands {
        let run = [*command];
        let printed = tokio::time::timeout(PATIENCE, terminal.run_by(by, &run)).await;
        says(command, &printed.unwrap_or_else(|_| panic!("{command} goes on")), expected);
    }
}

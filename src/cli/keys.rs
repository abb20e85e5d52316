//! `keylend keys rotate`: new keys for what is signed and sealed from now on.

use clap::{Args, Subcommand};
use serde_json::json;

use super::settings::KeyFileSetting;
use super::{Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::entropy::OsEntropy;
use crate::signing::keyring_file;

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Add a new key of each kind; what the old ones signed stays valid until it expires. Send
    /// SIGHUP to running instances, all of them, so that they read the file again.
    Rotate(RotateArgs),
}

/// Which keys.
#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    key_file: KeyFileSetting,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Rotates keys.
///
/// # Errors
/// [`Failure`] if the file cannot be read or written.
pub(super) fn run(command: KeysCommand) -> Result<(), Failure> {
    let KeysCommand::Rotate(args) = command;
    let now = SystemClock::start().now();
    let keyring = keyring_file::rotate(&args.key_file.key_file, &OsEntropy::default(), now)?;
    let kid = keyring.grants().active().kid();
    match args.output {
        Output::Json => println!("{}", json!({ "grant_key": kid })),
        Output::Text => println!("grants are signed with {kid} from now on"),
    }
    Ok(())
}

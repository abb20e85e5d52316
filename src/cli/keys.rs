//! `keylend keys`: new keys for what is signed and sealed from now on, and the public half of what
//! verifies the record.

use clap::{Args, Subcommand};
use serde_json::json;

use super::settings::{KeyFileSetting, Settings};
use super::{Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::entropy::OsEntropy;
use crate::service::record;
use crate::signing::keyring_file::{self, Rotation};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Add a new key of each kind; what the old ones signed stays valid until it expires. Send
    /// SIGHUP to running instances, all of them, so that they read the file again.
    Rotate(RotateArgs),
    /// Print the public keys of the record: what `keylend audit verify` needs.
    Show(Box<ShowArgs>),
}

/// Which keys.
#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    #[command(flatten)]
    key_file: KeyFileSetting,
    /// Rotate the key that signs the record, and nothing else. The old one signs too for 90 days,
    /// so that verifiers have time to learn the new one.
    #[arg(long)]
    checkpoints: bool,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Which keys.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    settings: Settings,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Rotates or shows keys.
///
/// # Errors
/// [`Failure`] if the file cannot be read or written.
pub(super) fn run(command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Rotate(args) => rotate(&args),
        KeysCommand::Show(args) => show(*args),
    }
}

fn rotate(args: &RotateArgs) -> Result<(), Failure> {
    let now = SystemClock::start().now();
    let rotation = if args.checkpoints { Rotation::Checkpoints } else { Rotation::Tokens };
    let path = &args.key_file.key_file;
    let keyring = keyring_file::rotate(path, rotation, &OsEntropy::default(), now)?;
    let (what, key) = match rotation {
        Rotation::Tokens => ("grant", keyring.grants().active().kid()),
        Rotation::Checkpoints => ("checkpoint", keyring.checkpoints().active().kid()),
    };
    match args.output {
        Output::Json => println!("{}", json!({ (format!("{what}_key")): key })),
        Output::Text => println!("{what}s are signed with {key} from now on"),
    }
    Ok(())
}

fn show(args: ShowArgs) -> Result<(), Failure> {
    let config = args.settings.into_offline_config()?;
    let keyring = keyring_file::load(&config.key_file)?;
    for key in record::verifier_keys(&keyring, config.record.origin.as_str())? {
        match args.output {
            Output::Json => println!("{}", json!({ "record_key": key.to_string() })),
            Output::Text => println!("{key}"),
        }
    }
    Ok(())
}

//! `keylend keys`: new keys for what is signed and sealed from now on, and the public half of what
//! verifies the record.

use clap::{Args, Subcommand};
use serde_json::json;

use super::settings::{KeyFileSetting, Settings};
use super::{Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::OsEntropy;
use crate::service::record;
use crate::signing::Keyring;
use crate::signing::keyring_file::{self, Rotation};
use crate::signing::last_signed::LastSigned;
use crate::storage::{Db, OpenError, PostgresSettings, Priority};

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
pub(super) async fn run(command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Rotate(args) => rotate(&args),
        KeysCommand::Show(args) => show(*args).await,
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

async fn show(args: ShowArgs) -> Result<(), Failure> {
    let config = args.settings.into_offline_config()?;
    let keyring = keyring_file::load(&config.key_file)?;
    for key in record::verifier_keys(&keyring, &name(&config, &keyring).await?)? {
        match args.output {
            Output::Json => println!("{}", json!({ "record_key": key.to_string() })),
            Output::Text => println!("{key}"),
        }
    }
    Ok(())
}

/// The name of the record: the one that it has, or would begin with.
async fn name(config: &Config, keyring: &Keyring) -> Result<String, Failure> {
    let last_signed = LastSigned::of_key_file(&config.key_file);
    if let Some(kept) = record::kept_name(&config.record.name, &last_signed)? {
        return Ok(kept);
    }
    let following = config.record.name.origin().as_str().to_owned();
    let location = &config.database.location;
    let db = match Db::open(location, PostgresSettings::default(), false).await {
        Ok(db) => db,
        // It has not begun.
        Err(OpenError::NoFile(_) | OpenError::NoFolder(_)) => return Ok(following),
        Err(error) => return Err(error.into()),
    };
    let published = record::published_name(&mut db.read(Priority::Ordinary).await?, keyring).await;
    db.close().await;
    Ok(published?.unwrap_or(following))
}

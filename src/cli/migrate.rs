//! `keylend migrate`: the database at the newest schema, and a key file.

use clap::Args;
use serde_json::json;

use super::settings::{DatabaseSettings, KeyFileSetting};
use super::{Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::entropy::OsEntropy;
use crate::signing::keyring_file;
use crate::storage::{Db, PostgresSettings};

/// What to migrate.
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    key_file: KeyFileSetting,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Makes or updates the database, and makes the key file if there is none,
/// or adds the keys that an older program did not make.
///
/// # Errors
/// [`Failure`] if either cannot be done.
pub(super) async fn run(args: MigrateArgs) -> Result<(), Failure> {
    let MigrateArgs { database, key_file, output } = args;
    let key_file = key_file.key_file;
    let database = database.into_config()?;
    let made_keys = !key_file.exists();
    let (entropy, now) = (OsEntropy::default(), SystemClock::start().now());
    if made_keys {
        keyring_file::create(&key_file, &entropy, now)?;
    } else {
        keyring_file::complete(&key_file, &entropy, now)?;
    }
    let db = Db::open(&database.location, PostgresSettings::default(), true).await?;
    db.migrate().await?;
    db.close().await;
    let key_file = key_file.display();
    match output {
        Output::Json => println!(
            "{}",
            json!({ "migrated": true, "key_file": key_file.to_string(), "key_file_created": made_keys })
        ),
        Output::Text if made_keys => println!("migrated; made the key file {key_file}"),
        Output::Text => println!("migrated; the key file {key_file} was there"),
    }
    Ok(())
}

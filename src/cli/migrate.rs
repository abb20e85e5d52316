//! `keylend migrate`: the database at the newest schema, and a key file.

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::settings::Settings;
use super::{Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::entropy::OsEntropy;
use crate::signing::keyring_file;
use crate::storage::{Db, PostgresSettings};

/// What to migrate.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    settings: Settings,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Makes or updates the database, and makes the key file if there is none.
///
/// # Errors
/// [`Failure`] if either cannot be done.
pub async fn run(args: MigrateArgs) -> Result<(), Failure> {
    let config = args.settings.config()?;
    let made_keys = !config.key_file.exists();
    if made_keys {
        let entropy = Arc::new(OsEntropy::default());
        keyring_file::create(&config.key_file, &*entropy, SystemClock::start().now())?;
    }
    let db = Db::open(&config.database, PostgresSettings::default(), true).await?;
    db.migrate().await?;
    db.close().await;
    let key_file = config.key_file.display();
    match args.output {
        Output::Json => println!(
            "{}",
            json!({ "migrated": true, "key_file": key_file.to_string(), "key_file_created": made_keys })
        ),
        Output::Text if made_keys => println!("migrated; made the key file {key_file}"),
        Output::Text => println!("migrated; the key file {key_file} was there"),
    }
    Ok(())
}

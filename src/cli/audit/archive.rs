//! `keylend audit archive`: old entries out of the database, into a folder.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Failure, Output};
use crate::app::{App, Parts};
use crate::cli::settings::Settings;
use crate::disk::folder::Folder;
use crate::service::record::archive::archive;

const DAY_S: u64 = 24 * 60 * 60;

/// What to archive, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct ArchiveArgs {
    /// Where the archive is, or is to be. Keep it as safe as the database: the entries will be
    /// nowhere else.
    folder: PathBuf,
    /// Entries of fewer days than this stay in the database.
    #[arg(long, value_name = "DAYS")]
    older_than_days: u32,
    #[command(flatten)]
    settings: Settings,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Archives what is old enough.
///
/// # Errors
/// [`Failure`]; then nothing is lost, and the next run goes on.
pub(super) async fn run(args: ArchiveArgs) -> Result<(), Failure> {
    let config = args.settings.into_offline_config()?;
    let app = App::assemble(&config, Parts::of_the_system(), CancellationToken::new()).await?;
    let age = Duration::from_secs(u64::from(args.older_than_days) * DAY_S);
    let before = app.service.base.clock.now().minus(age);
    let archived = archive(&app.service.record, &Folder::at(&args.folder), before).await;
    app.close().await;
    let archived = archived?;
    let (first, end) = (archived.now.start, archived.now.end);
    let next = archived.next.map(|unready| unready.to_string());
    match args.output {
        Output::Json => {
            println!("{}", json!({ "first": first, "entries": end - first, "next": next }));
        }
        Output::Text => {
            if first == end {
                println!("nothing was archived");
            } else {
                println!("archived entries {first} to {} into {}", end - 1, args.folder.display());
            }
            if let Some(next) = next {
                println!("{next}");
            }
        }
    }
    Ok(())
}

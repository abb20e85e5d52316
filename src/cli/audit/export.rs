//! `keylend audit export`: a copy of the record in a folder.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Failure, Output};
use crate::cli::settings::DatabaseSettings;
use crate::copy::Folder;
use crate::service::record::export::{Exported, Gaps, export};
use crate::storage::{Db, PostgresSettings, Store};

/// What to copy, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Where the copy is, or is to be.
    folder: PathBuf,
    #[command(flatten)]
    database: DatabaseSettings,
    /// Copy what is there, also where entries or hashes are missing that were signed: evidence
    /// of what became of the database, into a folder of its own.
    #[arg(long)]
    as_found: bool,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Copies what the folder does not hold yet.
///
/// # Errors
/// [`Failure`]; then the folder holds the copy that it held.
pub(super) async fn run(args: ExportArgs) -> Result<(), Failure> {
    let database = args.database.into_config();
    let db = Db::open(&database.location, PostgresSettings::default(), false).await?;
    let gaps = if args.as_found { Gaps::Leave } else { Gaps::Refuse };
    let exported = export(&Store::new(db.clone()), &Folder::at(&args.folder), gaps).await;
    db.close().await;
    let Exported { head, before, archived } = exported?;
    let (size, new) = (head.size, head.size.saturating_sub(before));
    match args.output {
        Output::Json => println!(
            "{}",
            json!({ "size": size, "root": head.root.to_string(), "new": new, "archived": archived })
        ),
        Output::Text => {
            println!("{size} entries, {new} of them new, in {}", args.folder.display());
            if before < archived {
                println!("those before entry {archived} may be in the archive alone");
            }
        }
    }
    Ok(())
}

//! `keylend audit export`: a copy of the record in a folder.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Failure, Output};
use crate::cli::settings::{DatabaseSettings, WitnessSettings};
use crate::disk::folder::Folder;
use crate::service::record::Quorum;
use crate::service::record::export::{Exported, Gaps, export};
use crate::storage::{Db, PostgresSettings, Store};

/// What to copy, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Where the copy is, or is to be.
    folder: PathBuf,
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    witnesses: WitnessSettings,
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
    let database = args.database.into_config()?;
    let quorum = Quorum::of(&args.witnesses.into_config()?);
    let db = Db::open(&database.location, PostgresSettings::default(), false).await?;
    let gaps = if args.as_found { Gaps::Leave } else { Gaps::Refuse };
    let exported = export(&Store::new(db.clone()), &Folder::at(&args.folder), &quorum, gaps).await;
    db.close().await;
    let exported = exported?;
    match args.output {
        Output::Json => println!("{}", as_json(&exported)),
        Output::Text => print_text(&exported, &args.folder, &quorum),
    }
    Ok(())
}

fn as_json(exported: &Exported) -> serde_json::Value {
    let Exported { head, before, archived, is_witnessed, signed } = exported;
    json!({
        "size": head.size,
        "root": head.root.to_string(),
        "new": head.size.saturating_sub(*before),
        "archived": archived,
        "witnessed": is_witnessed,
        "signed": signed,
    })
}

fn print_text(exported: &Exported, folder: &Path, quorum: &Quorum) {
    let Exported { head, before, archived, is_witnessed, signed } = *exported;
    let (size, new) = (head.size, head.size.saturating_sub(before));
    println!("{size} entries, {new} of them new, in {}", folder.display());
    if before < archived {
        println!("those before entry {archived} may be in the archive alone");
    }
    if is_witnessed && size < signed {
        println!("{} more are signed, and not yet cosigned by enough witnesses", signed - size);
    }
    if !is_witnessed && !quorum.is_empty() {
        println!("not enough witnesses have cosigned this checkpoint yet");
    }
}

//! `keylend audit replay`: whether the decisions that a copy of the record holds follow from what the copy says.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Failure, Output};
use crate::audit::bundle;
use crate::audit::checkpoint::{self, LENGTH_MAX};
use crate::audit::files::{BUNDLE_LENGTH_MAX, CHECKPOINT, Files as _};
use crate::audit::replay::{Agreed, DisagreeingEntry, Replay};
use crate::audit::tile::TileSlice;
use crate::disk::folder::{Folder, Folders};

/// What to decide again.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReplayArgs {
    /// Copies that together hold the record: an export, or archives and an export.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Decides everything again.
///
/// # Errors
/// [`Failure::NotVerified`], after the first entry that disagrees was printed; [`Failure::Unverifiable`] if the copy cannot
/// be read.
pub(super) fn run(args: ReplayArgs) -> Result<(), Failure> {
    let folders: Vec<Folder> = args.folders.iter().map(|path| Folder::at(path)).collect();
    let size = size(&folders)?;
    let mut replay = Replay::default();
    let files = Folders(folders);
    for slice in TileSlice::of_level(0, size) {
        let path = slice.entries_path();
        let missing = || Failure::unverifiable(format!("{path} is in none of the folders"));
        let entries = files.read(&path, BUNDLE_LENGTH_MAX).map_err(Failure::unverifiable)?;
        for leaf in bundle::leaves(&entries.ok_or_else(missing)?) {
            replay.push(leaf.map_err(Failure::unverifiable)?);
        }
    }
    let replayed = replay.finish();
    match args.output {
        Output::Json => println!("{}", to_json(&replayed)),
        Output::Text => print(&replayed),
    }
    match replayed {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::NotVerified("a decision does not follow from the record")),
    }
}

/// How many entries the newest of the folders' checkpoints is about. Whether it is good, `keylend audit verify` finds out.
fn size(folders: &[Folder]) -> Result<u64, Failure> {
    let mut newest = None;
    for folder in folders {
        let note = folder.read(CHECKPOINT, LENGTH_MAX).map_err(Failure::unverifiable)?;
        let head = note
            .as_deref()
            .and_then(|note| checkpoint::claimed(note).ok())
            .map(|(_, head)| head.size);
        newest = newest.max(head);
    }
    newest.ok_or_else(|| Failure::unverifiable("there is no checkpoint in the folders"))
}

fn print(replayed: &Result<Agreed, DisagreeingEntry>) {
    match replayed {
        Ok(Agreed { entries, allowed, refused, open }) => {
            println!(
                "{} decisions of {entries} entries were made again and agree: {allowed} allowed, {refused} refused",
                allowed + refused
            );
            if *open > 0 {
                println!(
                    "{open} more refusals may rest on an end of grants; the record does not say whether it was about theirs"
                );
            }
        }
        Err(finding) => println!("{finding}"),
    }
}

fn to_json(replayed: &Result<Agreed, DisagreeingEntry>) -> serde_json::Value {
    match replayed {
        Ok(Agreed { entries, allowed, refused, open }) => json!({
            "agrees": true,
            "entries": entries,
            "allowed": allowed,
            "refused": refused,
            "open": open,
        }),
        Err(DisagreeingEntry { position, disagreement }) => json!({
            "agrees": false,
            "position": position,
            "finding": disagreement.to_string(),
        }),
    }
}

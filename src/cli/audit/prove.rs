//! `keylend audit prove`: files that prove that entries are in the record, from a copy.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::{Failure, Output};
use crate::audit::bundle;
use crate::audit::checkpoint::{self, LENGTH_MAX, TreeHead};
use crate::audit::entry::leaf_hash;
use crate::audit::files::{BUNDLE_LENGTH_MAX, CHECKPOINT, Files, ask};
use crate::audit::proof::Proof;
use crate::audit::tile::{TileSlice, WIDTH};
use crate::audit::tree::proves_entry;
use crate::disk::durable;
use crate::disk::folder::{Folder, Folders};
use crate::domain::id::{AuditEntryId, CommandId};

/// Which entries to prove, from which copy.
#[derive(Debug, Args)]
pub(in crate::cli) struct ProveArgs {
    /// Copies that together hold the record: an export, or archives and an export.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    subject: Subject,
    /// Where to put the files, each named after its entry: evt_….tlog-proof
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// What the entries are about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// The entry of this id.
    #[arg(long, value_name = "ID")]
    entry: Option<AuditEntryId>,
    /// Every entry about the command of this id.
    #[arg(long, value_name = "ID")]
    command: Option<CommandId>,
}

/// What is read of a leaf.
#[derive(Deserialize)]
struct Names {
    entry_id: AuditEntryId,
    command_id: Option<CommandId>,
}

/// Writes a file for each entry.
///
/// # Errors
/// [`Failure`] if there is no such entry, or the copy's tiles do not lead to its checkpoint.
pub(super) fn run(args: ProveArgs) -> Result<(), Failure> {
    let folders: Vec<Folder> = args.folders.iter().map(|path| Folder::at(path)).collect();
    let (note, head) = newest(&folders)?;
    let files = Folders(folders);
    let mut count = 0_usize;
    for slice in TileSlice::of_level(0, head.size) {
        let path = slice.entries_path();
        let missing = || Failure::because(format!("{path} is in none of the folders"));
        let entries = files.read(&path, BUNDLE_LENGTH_MAX)?.ok_or_else(missing)?;
        for (position, leaf) in (slice.tile.number * WIDTH..).zip(bundle::leaves(&entries)) {
            let leaf = leaf.map_err(|error| Failure::because(format!("{path}: {error}")))?;
            let names: Names = serde_json::from_slice(leaf)?;
            if !args.subject.is_of(&names) {
                continue;
            }
            let proof = prove(&files, head, position, leaf, &note)?;
            let file = args.into.join(format!("{}.tlog-proof", names.entry_id));
            durable::replace(&file, &proof.to_bytes())?;
            count += 1;
            match args.output {
                Output::Json => println!(
                    "{}",
                    json!({ "position": position, "entry_id": names.entry_id, "file": file })
                ),
                Output::Text => println!("entry {position}: {}", file.display()),
            }
        }
        if count > 0 && args.subject.entry.is_some() {
            break;
        }
    }
    if count == 0 {
        return Err(Failure::because("there is no such entry in the copy"));
    }
    Ok(())
}

impl Subject {
    fn is_of(&self, names: &Names) -> bool {
        self.entry == Some(names.entry_id)
            || (self.command.is_some() && self.command == names.command_id)
    }
}

/// The checkpoint of the folders that covers most.
fn newest(folders: &[Folder]) -> Result<(Vec<u8>, TreeHead), Failure> {
    let mut newest: Option<(Vec<u8>, TreeHead)> = None;
    for folder in folders {
        let Some(note) = folder.read(CHECKPOINT, LENGTH_MAX)? else { continue };
        let place = folder.path().join(CHECKPOINT);
        let (_, head) = checkpoint::claimed(&note)
            .map_err(|error| Failure::because(format!("{}: {error}", place.display())))?;
        if newest.as_ref().is_none_or(|(_, newest)| newest.size < head.size) {
            newest = Some((note, head));
        }
    }
    newest.ok_or_else(|| Failure::because("there is no checkpoint in the folders"))
}

fn prove(
    files: &Folders,
    head: TreeHead,
    position: u64,
    leaf: &[u8],
    note: &[u8],
) -> Result<Proof, Failure> {
    let hashes = ask(files, head.size, |tiles| tiles.prove_entry(position, head.size));
    let hashes = hashes.map_err(|error| Failure::because(error.to_string()))?;
    if !proves_entry(&hashes, head.size, head.root, position, leaf_hash(leaf)) {
        let what = "the copy's tiles do not lead from the entry to its checkpoint";
        return Err(Failure::because(format!("entry {position}: {what}; verify the copy")));
    }
    Ok(Proof { leaf: leaf.to_vec(), position, hashes, checkpoint: note.to_vec() })
}

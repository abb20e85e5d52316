//! `keylend audit verify`: whether a copy of the record is what was signed, and says what can be.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::trust::{Trust, TrustArgs};
use super::{Failure, Output};
use crate::audit::checkpoint::{self, Checkpoint, LENGTH_MAX, TreeHead};
use crate::audit::files::{CHECKPOINT, Files as _};
use crate::audit::verify::copy::{Copied, Unverified, verify};
use crate::audit::verify::{Finding, Place, Verified};
use crate::audit::vouched::Vouched;
use crate::disk::folder::{Folder, Folders};

/// What to verify, and against what.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Copies that together hold the record: an export, or archives and an export.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// File with a checkpoint that was kept where nobody could replace it; any number.
    #[arg(long = "older-checkpoint", value_name = "FILE")]
    older_checkpoints: Vec<PathBuf>,
    /// Folder with a checkpoint and tiles that were kept where nobody could replace them: an
    /// earlier export. They show which entry was changed, whatever became of the copy's own tiles.
    #[arg(long, value_name = "FOLDER")]
    kept_tiles: Option<PathBuf>,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// What was found out.
#[derive(Debug, Default)]
struct Report {
    checkpoints: Vec<String>,
    entries: Option<Finding>,
    verified: Option<Verified>,
}

/// Verifies a copy.
///
/// # Errors
/// [`Failure::NotVerified`], after the findings were printed; [`Failure::Unverifiable`].
pub(super) fn run(args: VerifyArgs) -> Result<(), Failure> {
    let trust = args.trust.into_trust()?;
    let folders: Vec<Folder> = args.folders.iter().map(|path| Folder::at(path)).collect();
    let mut report = Report::default();
    let (size, newest, mut heads) = checkpoints(&trust, &folders, &mut report)?;
    for file in &args.older_checkpoints {
        heads.push(trust.kept(file)?.head);
    }
    let kept = args.kept_tiles.as_ref().map(|path| kept_tiles(&trust, path)).transpose()?;
    heads.extend(kept.as_ref().map(|(_, head)| *head));
    if heads.is_empty() {
        return finish(&trust, &report, args.output);
    }
    let files = Folders(folders);
    let tiles = newest.map(|newest| Vouched::under(newest, &files)).transpose();
    let kept = kept.as_ref().map(|(folder, head)| Vouched::under(*head, folder)).transpose();
    let copied = Copied {
        files: &files,
        size,
        heads,
        tiles: tiles.map_err(Failure::unverifiable)?,
        kept_tiles: kept.map_err(Failure::unverifiable)?,
    };
    match verify(copied) {
        Ok(verified) => report.verified = Some(verified),
        Err(Unverified::Found(finding)) => report.entries = Some(finding),
        Err(Unverified::Unreadable(error)) => return Err(Failure::unverifiable(error)),
    }
    finish(&trust, &report, args.output)
}

/// How many entries the copy says it has, the newest of the folders' checkpoints that is good,
/// and all of those.
fn checkpoints(
    trust: &Trust,
    folders: &[Folder],
    report: &mut Report,
) -> Result<(u64, Option<TreeHead>, Vec<TreeHead>), Failure> {
    let (mut size, mut found): (u64, bool) = (0, false);
    let mut good: Vec<Checkpoint> = Vec::new();
    for folder in folders {
        let place = folder.path().join(CHECKPOINT);
        let note = folder.read(CHECKPOINT, LENGTH_MAX).map_err(Failure::unverifiable)?;
        // An archive has none.
        let Some(note) = note else { continue };
        found = true;
        // A checkpoint that is not good still says how many entries to look for.
        size = size.max(checkpoint::claimed(&note).map_or(0, |(_, head)| head.size));
        match trust.open(&note) {
            Ok(checkpoint) => good.push(checkpoint),
            Err(error) => report.checkpoints.push(format!("{}: {error}", place.display())),
        }
    }
    if !found {
        return Err(Failure::unverifiable("there is no checkpoint in the folders"));
    }
    good.sort_unstable_by_key(|checkpoint| checkpoint.head.size);
    if let Some(Err(too_few)) = good.last().map(|newest| trust.witnessed(newest)) {
        report.checkpoints.push(too_few.to_string());
    }
    let heads: Vec<TreeHead> = good.iter().map(|checkpoint| checkpoint.head).collect();
    Ok((size, heads.last().copied(), heads))
}

/// The folder in which tiles were kept, and what its checkpoint says.
fn kept_tiles(trust: &Trust, path: &std::path::Path) -> Result<(Folders, TreeHead), Failure> {
    let head = trust.kept(&path.join(CHECKPOINT))?.head;
    Ok((Folders(vec![Folder::at(path)]), head))
}

fn finish(trust: &Trust, report: &Report, output: Output) -> Result<(), Failure> {
    match output {
        Output::Json => println!("{}", report.to_json(&trust.origin)),
        Output::Text => report.print(&trust.origin),
    }
    match report {
        Report { checkpoints, verified: Some(_), .. } if checkpoints.is_empty() => Ok(()),
        _ => Err(Failure::NotVerified("the record is not what was signed")),
    }
}

impl Report {
    fn print(&self, origin: &str) {
        for finding in &self.checkpoints {
            println!("{finding}");
        }
        if let Some(finding) = &self.entries {
            println!("{finding}");
        }
        if let Some(verified) = &self.verified {
            println!(
                "{origin}: all {} entries are what was signed; {} commands have no outcome yet",
                verified.head.size, verified.open_commands
            );
        }
    }

    fn to_json(&self, origin: &str) -> Value {
        let entries = self.entries.as_ref().map(|finding| {
            let (first, end) = match finding.place {
                Place::At(position) => (position, position.saturating_add(1)),
                Place::Between(first, end) => (first, end),
            };
            json!({ "first": first, "end": end, "finding": finding.fault.to_string() })
        });
        let checkpoints = self.checkpoints.iter().map(|finding| json!({ "finding": finding }));
        json!({
            "origin": origin,
            "verified": self.checkpoints.is_empty() && self.verified.is_some(),
            "size": self.verified.map(|verified| verified.head.size),
            "root": self.verified.map(|verified| verified.head.root.to_string()),
            "open_commands": self.verified.map(|verified| verified.open_commands),
            "findings": checkpoints.chain(entries).collect::<Vec<_>>(),
        })
    }
}

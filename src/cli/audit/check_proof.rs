//! `keylend audit check-proof`: whether a file proves what it says, and what that is.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::trust::{TrustArgs, read};
use super::{Failure, Output};
use crate::audit::proof::{LENGTH_MAX, Proof};
use crate::cli::printable::printable;

/// Which proof to check, and whom to trust.
#[derive(Debug, Args)]
pub(in crate::cli) struct CheckProofArgs {
    /// The file, as `keylend audit prove` or `GET /v1/audit-entries/{entry_id}/proof` gave it.
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Checks a proof and shows the entry.
///
/// # Errors
/// [`Failure::NotVerified`], after what is wrong was printed; [`Failure::Unverifiable`].
pub(super) fn run(args: CheckProofArgs) -> Result<(), Failure> {
    let trust = args.trust.into_trust()?;
    let bytes = read(&args.file, LENGTH_MAX)?;
    let checked = Proof::from_bytes(&bytes).map_err(|error| error.to_string()).and_then(|proof| {
        let checkpoint = proof.check(&trust.origin, &trust.keys);
        let checkpoint = checkpoint.map_err(|error| error.to_string())?;
        trust.witnessed(&checkpoint).map_err(|error| error.to_string())?;
        let entry: Value =
            serde_json::from_slice(&proof.leaf).map_err(|error| error.to_string())?;
        Ok((proof, checkpoint, entry))
    });
    match (&checked, args.output) {
        (Err(finding), Output::Text) => println!("{finding}"),
        (Err(finding), Output::Json) => {
            println!("{}", json!({ "verified": false, "finding": finding }));
        }
        (Ok((proof, checkpoint, entry)), Output::Text) => {
            println!(
                "entry {} of the {} in the record of {}:",
                proof.position, checkpoint.head.size, trust.origin
            );
            for (name, value) in entry.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                println!("  {name}: {}", printable(&value));
            }
        }
        (Ok((proof, checkpoint, entry)), Output::Json) => println!(
            "{}",
            json!({
                "verified": true,
                "origin": trust.origin,
                "position": proof.position,
                "size": checkpoint.head.size,
                "witnesses": checkpoint.witnesses(),
                "entry": entry,
            })
        ),
    }
    match checked {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::NotVerified("the file proves nothing")),
    }
}

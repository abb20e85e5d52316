//! `keylend audit`: the record outside the database: copies of it, what verifies them and decides again by them, proofs
//! of single entries, and archives.

mod archive;
mod check_proof;
mod export;
mod prove;
mod replay;
mod trust;
mod verify;

use clap::Subcommand;

use super::{Failure, Output};

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Copy the record from the database into a folder, or go on with a copy. The service may run
    /// meanwhile.
    Export(export::ExportArgs),
    /// Verify a copy of the record, with nothing but files and public keys. Ends with status 0 if
    /// it is what was signed, 1 if not, and 2 if that could not be found out.
    Verify(verify::VerifyArgs),
    /// Make every decision of a copy again, from what the copy says, and compare. Ends with the statuses of `verify`, which
    /// finds out whether the copy is what was signed.
    Replay(replay::ReplayArgs),
    /// Write a file that proves that an entry is in the record, from a copy.
    Prove(prove::ProveArgs),
    /// Check such a file and show the entry, without asking anybody. Ends with the statuses of
    /// `verify`.
    CheckProof(check_proof::CheckProofArgs),
    /// Move old entries out of the database into a folder. Their hashes stay, so that the record
    /// can be verified from the folder and a copy together.
    Archive(Box<archive::ArchiveArgs>),
}

/// Copies, verifies, proves or archives.
///
/// # Errors
/// [`Failure`].
pub(super) async fn run(command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Export(args) => export::run(args).await,
        AuditCommand::Verify(args) => verify::run(args),
        AuditCommand::Replay(args) => replay::run(args),
        AuditCommand::Prove(args) => prove::run(args),
        AuditCommand::CheckProof(args) => check_proof::run(args),
        AuditCommand::Archive(args) => archive::run(*args).await,
    }
}

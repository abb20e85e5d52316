//! `keylend witness`: cosigns the checkpoints of logs, for verifiers that do not trust the logs alone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::settings::listen_address;
use super::{Failure, Output};
use crate::audit::note::{KeyKind, VerifierKey};
use crate::clock::{Clock, SystemClock};
use crate::entropy::OsEntropy;
use crate::witness::{self, Folder};

/// What to do as a witness.
#[derive(Debug, Subcommand)]
pub(super) enum WitnessCommand {
    /// Make a new witness: a folder with its key, and with what it will have cosigned. Never put
    /// back an older copy of the folder: make a new witness, with another name.
    Create(CreateWitnessArgs),
    /// Print the public key of a witness.
    Show(ShowWitnessArgs),
    /// Cosign checkpoints of these logs, until the process is asked to end.
    Serve(WitnessArgs),
}

/// Which witness.
#[derive(Debug, Args)]
struct FolderSetting {
    /// Folder of the witness.
    #[arg(long, env = "KEYLEND_WITNESS_FOLDER", value_name = "PATH", default_value = "witness")]
    folder: PathBuf,
}

/// What the new witness is called.
#[derive(Debug, Args)]
pub(super) struct CreateWitnessArgs {
    #[command(flatten)]
    folder: FolderSetting,
    /// Name of the witness: an address without scheme that its operator owns.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Which witness.
#[derive(Debug, Args)]
pub(super) struct ShowWitnessArgs {
    #[command(flatten)]
    folder: FolderSetting,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Where it listens and whom it watches.
#[derive(Debug, Args)]
pub(super) struct WitnessArgs {
    #[command(flatten)]
    folder: FolderSetting,
    /// Address and port to listen at.
    #[arg(long, env = "KEYLEND_WITNESS_LISTEN", default_value = "127.0.0.1:8070", value_parser = listen_address)]
    listen: SocketAddr,
    /// Public keys of the logs, as `keylend keys show` prints them: several separated by spaces. A
    /// key is named like its log.
    #[arg(
        long,
        env = "KEYLEND_WITNESS_LOGS",
        value_name = "VKEYS",
        value_delimiter = ' ',
        required = true
    )]
    logs: Vec<VerifierKey>,
}

/// Makes, shows or runs a witness.
///
/// # Errors
/// [`Failure`] if its folder cannot be used or the address is taken.
pub(super) async fn run(command: WitnessCommand) -> Result<(), Failure> {
    match command {
        WitnessCommand::Create(args) => {
            let now = SystemClock::start().now();
            let entropy = OsEntropy::default();
            let folder = Folder::create(&args.folder.folder, &args.name, &entropy, now)?;
            print(&folder, args.output);
            Ok(())
        }
        WitnessCommand::Show(args) => {
            print(&Folder::open(&args.folder.folder)?, args.output);
            Ok(())
        }
        WitnessCommand::Serve(args) => serve(args).await,
    }
}

fn print(folder: &Folder, output: Output) {
    match output {
        Output::Json => println!("{}", json!({ "witness_key": folder.public().to_string() })),
        Output::Text => println!("{}", folder.public()),
    }
}

async fn serve(args: WitnessArgs) -> Result<(), Failure> {
    if let Some(key) = args.logs.iter().find(|key| key.kind() != KeyKind::Log) {
        return Err(Failure::because(format!("{key} is the key of a witness, not of a log")));
    }
    let folder = Folder::open(&args.folder.folder)?;
    let interrupted = super::serve::interrupted()?;
    let listener = TcpListener::bind(args.listen).await?;
    println!("witness {} at http://{}", folder.public(), listener.local_addr()?);
    let stop = CancellationToken::new();
    let clock = Arc::new(SystemClock::start());
    let mut server =
        std::pin::pin!(witness::serve(listener, folder, &args.logs, clock, stop.clone()));
    tokio::select! {
        served = &mut server => return Ok(served?),
        () = interrupted => stop.cancel(),
    }
    Ok(server.await?)
}

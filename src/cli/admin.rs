//! `keylend admin create`: the first administrator of an organization.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::settings::Settings;
use super::{Failure, Output};
use crate::app::{App, Parts};
use crate::disk::durable;
use crate::service::organizations::{self, FirstCredentials, NewAdmin};
use crate::service::{Error, StateFault};

/// The longest password read, in bytes.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// What to administer.
#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make an administrator, and their organization if there is none with this name.
    Create(Box<CreateArgs>),
}

/// Who to make.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    settings: Settings,
    /// The organization's name.
    #[arg(long)]
    organization: String,
    /// The address they will sign in from.
    #[arg(long)]
    email: String,
    /// What others see.
    #[arg(long, default_value = "Administrator")]
    display_name: String,
    /// Read the password from standard input, up to the end or the first line break. Nowhere else:
    /// arguments and environments are seen by other programs.
    #[arg(long, required_unless_present = "claim_file")]
    password_stdin: bool,
    /// Give them no password, and write the link with which they choose one to this new file, which nobody else can
    /// read (mode 0600).
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    claim_file: Option<PathBuf>,
    /// If the organization has an account with this address, make nothing and end well.
    #[arg(long)]
    if_missing: bool,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Administers organizations.
///
/// # Errors
/// [`Failure`] if a value breaks the rules or the database does not answer.
pub(super) async fn run(command: AdminCommand) -> Result<(), Failure> {
    let AdminCommand::Create(args) = command;
    let config = args.settings.into_offline_config()?;
    let name = args.organization.trim();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        return Err(Failure::because("the organization's name must have 1 to 120 characters"));
    }
    let app = App::assemble(&config, Parts::of_the_system(), CancellationToken::new()).await?;
    let (email, display_name) = (args.email.parse()?, args.display_name.parse()?);
    let link = args.claim_file.as_deref();
    let link = link.map(|path| LinkFile::draft(path, args.if_missing)).transpose()?;
    let credentials = match &link {
        Some(_) => FirstCredentials::Claim,
        None => FirstCredentials::Password(read_password()?),
    };
    let created =
        organizations::create_admin(&app.service, name, email, display_name, credentials).await;
    app.close().await;
    match created {
        Err(Error::State(StateFault::EmailTaken)) if args.if_missing => {
            println!("nothing was made: the organization has an account with this address");
            Ok(())
        }
        created => show(args.output, link, &created.map_err(explain)?),
    }
}

fn show(output: Output, link: Option<LinkFile>, made: &NewAdmin) -> Result<(), Failure> {
    let NewAdmin { organization_id, user_id, claim } = made;
    let path = match (link, claim) {
        (Some(link), Some(claim)) => Some(link.keep(&claim.claim_url)?),
        _ => None,
    };
    match output {
        Output::Json => {
            let ids = json!({ "organization_id": organization_id, "user_id": user_id });
            let with_file = |path| json!({ "organization_id": organization_id, "user_id": user_id, "claim_file": path });
            println!("{}", path.map_or(ids, with_file));
        }
        Output::Text => {
            println!("organization {organization_id}\nuser {user_id}");
            path.iter()
                .for_each(|path| println!("the link to the account is in {}", path.display()));
        }
    }
    Ok(())
}

/// The file that a link is written to. It is begun beside its place before the account is made, so that no link is lost
/// because there is no room for it; without a link it goes again.
struct LinkFile {
    path: PathBuf,
    draft: PathBuf,
    file: File,
}

impl LinkFile {
    fn draft(path: &Path, may_replace: bool) -> Result<Self, Failure> {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::because(format!("cannot make the file {}: {why}", path.display()))
        };
        if path.exists() && !may_replace {
            return Err(cannot(&"it is there already; move it away, or name another"));
        }
        let draft = path.with_extension("new");
        let opened =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
        let file = opened.map_err(|error| cannot(&error))?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| cannot(&error))?;
        Ok(Self { path: path.to_owned(), draft, file })
    }

    fn keep(mut self, url: &str) -> Result<PathBuf, Failure> {
        self.file.write_all(format!("{url}\n").as_bytes())?;
        self.file.sync_all()?;
        std::fs::rename(&self.draft, &self.path)?;
        durable::sync_directory_of(&self.path)?;
        Ok(self.path.clone())
    }
}

impl Drop for LinkFile {
    fn drop(&mut self) {
        // Once it is in its place there is none; one that cannot be removed is empty.
        let _ = std::fs::remove_file(&self.draft);
    }
}

fn explain(error: Error) -> Failure {
    match error {
        Error::Invalid(violations) => {
            let sentences: Vec<String> = violations
                .into_iter()
                .map(|violation| {
                    format!("{} {}", violation.pointer.trim_start_matches('/'), violation.detail)
                })
                .collect();
            Failure::because(sentences.join("; "))
        }
        Error::State(StateFault::EmailTaken) => {
            Failure::because("the organization has an account with this address")
        }
        other => other.into(),
    }
}

fn read_password() -> Result<SecretString, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().take(PASSWORD_BYTES_MAX).read_to_string(&mut text)?;
    let line = text.split(['\r', '\n']).next().unwrap_or_default();
    Ok(SecretString::from(line))
}

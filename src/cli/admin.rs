//! `keylend admin create`: the first administrator of an organization.

use std::io::Read;

use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::settings::Settings;
use super::{Failure, Output};
use crate::app::{App, Parts};
use crate::service::organizations;

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
    #[arg(long, required = true)]
    password_stdin: bool,
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
    let password = read_password()?;
    let (email, display_name) = (args.email.parse()?, args.display_name.parse()?);
    let created =
        organizations::create_admin(&app.service, name, email, display_name, password).await;
    let (organization_id, user_id) = created.map_err(explain)?;
    app.close().await;
    match args.output {
        Output::Json => {
            println!("{}", json!({ "organization_id": organization_id, "user_id": user_id }));
        }
        Output::Text => println!("organization {organization_id}\nuser {user_id}"),
    }
    Ok(())
}

fn explain(error: crate::service::Error) -> Failure {
    match error {
        crate::service::Error::Invalid(violations) => {
            let sentences: Vec<String> = violations
                .into_iter()
                .map(|violation| {
                    format!("{} {}", violation.pointer.trim_start_matches('/'), violation.detail)
                })
                .collect();
            Failure::because(sentences.join("; "))
        }
        crate::service::Error::State(crate::service::StateFault::EmailTaken) => {
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

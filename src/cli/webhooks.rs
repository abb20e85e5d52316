//! `keylend webhooks expect`: letting the vehicle cloud verify that this service is the one it
//! sends events to.

use clap::{Args, Subcommand};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::settings::Settings;
use super::{Failure, Output};
use crate::app::{App, Parts};
use crate::service::webhooks::{self, ExpectedVerification};

/// What to do about webhooks.
#[derive(Debug, Subcommand)]
pub(super) enum WebhooksCommand {
    /// Let the vehicle cloud verify this service for fifteen minutes. Then save the webhook in the
    /// cloud's dashboard, with the address that this
    /// prints: strangers do not know it.
    Expect(Box<ExpectArgs>),
}

/// Of which service.
#[derive(Debug, Args)]
pub(super) struct ExpectArgs {
    #[command(flatten)]
    settings: Settings,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// Administers webhooks.
///
/// # Errors
/// [`Failure`] if no secret is set or the database does not answer.
pub(super) async fn run(command: WebhooksCommand) -> Result<(), Failure> {
    let WebhooksCommand::Expect(args) = command;
    let config = args.settings.into_offline_config()?;
    if config.smartcar.management_token.is_none() {
        return Err(Failure::because("KEYLEND_SMARTCAR_MANAGEMENT_TOKEN is not set"));
    }
    let app = App::assemble(&config, Parts::of_the_system(), CancellationToken::new()).await?;
    let expected = webhooks::expect_verification(&app.service.base).await?;
    let ExpectedVerification { url, expires_at } = expected;
    app.close().await;
    match args.output {
        Output::Json => println!("{}", json!({ "url": url, "expires_at": expires_at })),
        Output::Text => println!("{url} answers a verification until {expires_at}"),
    }
    Ok(())
}

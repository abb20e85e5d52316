//! `keylend users`: the people of an organization.

use clap::{Args, Subcommand};
use serde_json::json;

use super::api::Api;
use super::arguments::CallArgs;
use super::asked::{Asked, body, text};
use super::lists::{LimitArg, collect};
use super::print;
use super::table::Shape;
use super::words;
use crate::cli::Failure;
use crate::domain::id::UserId;

/// Whom to administer.
#[derive(Debug, Args)]
pub(in crate::cli) struct UsersArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: UsersVerb,
}

#[derive(Debug, Subcommand)]
enum UsersVerb {
    /// Make an account without a password, and print the link by which its person comes to it.
    #[command(after_help = "Example:
  keylend users create --email olga@example.com --display-name 'Olga Owner'")]
    Create {
        /// The e-mail address with which they will sign in.
        #[arg(long)]
        email: String,
        /// The name that others see; the address if not given.
        #[arg(long)]
        display_name: Option<String>,
        /// What they may do in the organization; `member` if not given.
        #[arg(long, value_parser = words::roles())]
        role: Option<String>,
        /// Your own name for them.
        #[arg(long)]
        external_ref: Option<String>,
        /// The link needs a PIN too, which you give them another way.
        #[arg(long)]
        with_pin: bool,
    },
    /// List accounts, newest first.
    #[command(after_help = "Example:
  keylend users list --email olga@example.com")]
    List {
        /// Only the account with this address.
        #[arg(long)]
        email: Option<String>,
        /// Only the account with your own name for them.
        #[arg(long)]
        external_ref: Option<String>,
        /// Only accounts with this status.
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        limit: LimitArg,
    },
    /// Show an account.
    #[command(after_help = "Example:
  keylend users get usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Get { user_id: UserId },
    /// Close an account, and end what its person was lent.
    #[command(after_help = "Example:
  keylend users disable usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Disable { user_id: UserId },
    /// Open an account again.
    #[command(after_help = "Example:
  keylend users enable usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Enable { user_id: UserId },
}

/// An account, wherever one is shown.
pub(super) const SHAPE: Shape = Shape {
    id: "user_id",
    members: &["user_id", "email", "display_name", "role", "external_ref", "disabled_at"],
};
pub(super) const CREATED: Shape = Shape {
    id: "user_id",
    members: &["user_id", "role", "claim_url", "claim_pin", "claim_expires_at"],
};

/// Asks about people.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: UsersArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    let at = |user_id: UserId, verb: &str| format!("/v1/users/{user_id}{verb}");
    let (asked, shape) = match args.verb {
        UsersVerb::Create { email, display_name, role, external_ref, with_pin } => {
            let members = [
                ("display_name", text(display_name.as_ref().unwrap_or(&email))),
                ("email", text(&email)),
                ("role", role.and_then(text)),
                ("external_ref", external_ref.and_then(text)),
                ("with_pin", with_pin.then_some(true.into())),
            ];
            (Asked::post("/v1/users", body(members)), CREATED)
        }
        UsersVerb::List { email, external_ref, status, limit } => {
            let asked = Asked::get("/v1/users").with("email", email);
            let asked = asked.with("external_ref", external_ref).with("status", status);
            let list = collect(&mut api, &asked, "cursor", limit).await?;
            return print::list(api.view(), &list, SHAPE);
        }
        UsersVerb::Get { user_id } => (Asked::get(at(user_id, "")), SHAPE),
        UsersVerb::Disable { user_id } => (Asked::post(at(user_id, "/disable"), json!({})), SHAPE),
        UsersVerb::Enable { user_id } => (Asked::post(at(user_id, "/enable"), json!({})), SHAPE),
    };
    let answer = api.call(asked).await?;
    print::one(api.view(), &answer.body, shape)
}

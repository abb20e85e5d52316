//! `keylend connections`: the owners' consents at the vehicle cloud.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::answer::required;
use super::api::Api;
use super::arguments::{CallArgs, View};
use super::asked::{Asked, body, text};
use super::lists::{LimitArg, collect};
use super::print;
use super::prompt;
use super::table::{Shape, member};
use crate::cli::Failure;
use crate::domain::id::{ConnectionId, UserId};

/// Which connections.
#[derive(Debug, Args)]
pub(in crate::cli) struct ConnectionsArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: ConnectionsVerb,
}

#[derive(Debug, Subcommand)]
enum ConnectionsVerb {
    /// List connections, newest first.
    #[command(after_help = "Example:
  keylend connections list --status lost")]
    List {
        /// Only connections of this owner.
        #[arg(long)]
        owner_id: Option<UserId>,
        /// Only connections with this status.
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        limit: LimitArg,
    },
    /// Show a connection.
    #[command(after_help = "Example:
  keylend connections get con_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Get { connection_id: ConnectionId },
    /// Complete a connection with the code that the owner's browser was given, which is read from
    /// standard input.
    #[command(after_help = "What is read is the code, or the JSON with `connection_id` and \
`completion_code` that a program in place of the browser is given.

Example:
  keylend connections complete con_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Complete {
        /// The connection; not needed if what is read names it.
        connection_id: Option<ConnectionId>,
        /// Stand by the keys that were lent of these cars before the consent to them was lost.
        #[arg(long)]
        keep_grants: bool,
    },
}

/// A connection whose owner is sent to the vehicle cloud.
pub(super) const STARTED: Shape =
    Shape { id: "connection_id", members: &["connection_id", "status", "authorize_url"] };
pub(super) const SHAPE: Shape = Shape {
    id: "connection_id",
    members: &["connection_id", "owner_id", "status", "status_reason", "mode", "created_at"],
};
pub(super) const CARS: Shape =
    Shape { id: "vehicle_id", members: &["vehicle_id", "make", "model", "year"] };

/// Asks about connections.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: ConnectionsArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    match args.verb {
        ConnectionsVerb::List { owner_id, status, limit } => {
            let asked = Asked::get("/v1/connections").with("owner_id", owner_id);
            let list = collect(&mut api, &asked.with("status", status), "cursor", limit).await?;
            print::list(api.view(), &list, SHAPE)
        }
        ConnectionsVerb::Get { connection_id } => {
            let asked = Asked::get(format!("/v1/connections/{connection_id}"));
            let answer = api.call(asked).await?;
            print::one(api.view(), &answer.body, SHAPE)
        }
        ConnectionsVerb::Complete { connection_id, keep_grants } => {
            let asked = completion(connection_id, keep_grants)?;
            let answer = api.call(asked).await?;
            completed(&api, &answer.body)
        }
    }
}

fn completion(named: Option<ConnectionId>, keep_grants: bool) -> Result<Asked, Failure> {
    let read = prompt::shown("completion code")?.0;
    let received = serde_json::from_str::<Value>(&read).ok().filter(Value::is_object);
    let (connection_id, code) = match &received {
        Some(received) => {
            let connection_id = match named {
                Some(connection_id) => connection_id,
                None => required(received, "connection_id")?.parse().map_err(|error| {
                    Failure::Usage(format!("connection_id on standard input: {error}"))
                })?,
            };
            (connection_id, required(received, "completion_code")?)
        }
        None => {
            let missing = || Failure::Usage("name the connection: con_…".to_owned());
            (named.ok_or_else(missing)?, read.as_str())
        }
    };
    let members =
        [("completion_code", text(code)), ("keep_grants", keep_grants.then_some(true.into()))];
    Ok(Asked::post(format!("/v1/connections/{connection_id}/complete"), body(members)))
}

/// What is of interest of a connection that is complete is the cars that came with it.
fn completed(api: &Api, body: &Value) -> Result<(), Failure> {
    if api.view() == View::Json {
        return print::json(body);
    }
    let cars = serde_json::json!({ "data": member(body, "vehicles") });
    print::list(api.view(), &cars, CARS)?;
    let apart = member(body, "not_connected").as_array().map_or(0, Vec::len);
    if apart > 0 {
        print::hint(&format!("{apart} more stay with another owner in the organization"));
    }
    Ok(())
}

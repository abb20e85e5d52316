//! `keylend grants`: the rights of people to use cars.

mod end;
mod terms;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::required;
use super::api::Api;
use super::arguments::{CallArgs, View};
use super::asked::Asked;
use super::lists::{LimitArg, collect};
use super::table::{Shape, member};
use super::{print, times, words};
use crate::cli::Failure;
use crate::cli::printable::printable;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::time::Timestamp;

/// Which grants.
#[derive(Debug, Args)]
pub(in crate::cli) struct GrantsArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: GrantsVerb,
}

#[derive(Debug, Subcommand)]
enum GrantsVerb {
    /// Issue a grant for one's own car.
    #[command(after_help = terms::ISSUE_EXAMPLE)]
    Issue(Box<terms::IssueArgs>),
    /// List grants, newest first.
    #[command(after_help = "Example:
  keylend grants list --status active --external-ref B-17")]
    List(ListArgs),
    /// Show a grant.
    #[command(after_help = "Example:
  keylend grants get grt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Get { grant_id: GrantId },
    /// Change what a grant allows or what describes it; what is not given stays.
    #[command(after_help = terms::AMEND_EXAMPLE)]
    Amend(Box<terms::AmendArgs>),
    /// End a grant now.
    #[command(after_help = end::REVOKE_EXAMPLE)]
    Revoke(end::RevokeArgs),
    /// Tell whether the car is as it is to be given back.
    #[command(after_help = "Example:
  keylend grants end-check grt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    EndCheck { grant_id: GrantId },
    /// Give a grant back.
    #[command(after_help = end::RELINQUISH_EXAMPLE)]
    Relinquish(end::RelinquishArgs),
    /// Print the grant token: the digital key, which opens the car for whoever has it.
    #[command(after_help = "Example:
  keylend grants token grt_01k0a6v8w5e3tb3q6m1x9r7yzn > key.jwt")]
    Token { grant_id: GrantId },
    /// Tell how a grant was used.
    #[command(after_help = "Example:
  keylend grants statement grt_01k0a6v8w5e3tb3q6m1x9r7yzn -o json")]
    Statement { grant_id: GrantId },
}

/// Which grants to list.
#[derive(Debug, Args)]
struct ListArgs {
    /// Only grants for this car.
    #[arg(long)]
    vehicle_id: Option<VehicleId>,
    /// Only grants of this grantee.
    #[arg(long)]
    grantee_id: Option<UserId>,
    /// Only grants for cars of this owner.
    #[arg(long)]
    owner_id: Option<UserId>,
    /// Only grants with your own name for what they belong to.
    #[arg(long)]
    external_ref: Option<String>,
    /// Only grants with this status.
    #[arg(long, value_parser = words::grant_statuses())]
    status: Option<String>,
    /// Only grants that are valid at some time from here on, such as `-7d`.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// Only grants that are valid at some time before this.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    until: Option<Timestamp>,
    #[command(flatten)]
    limit: LimitArg,
}

pub(super) const LISTED: Shape = Shape {
    id: "grant_id",
    members: &[
        "grant_id",
        "status",
        "vehicle_id",
        "grantee_id",
        "not_before",
        "not_after",
        "external_ref",
        "uses",
    ],
};
/// A grant, whatever was done to it.
pub(super) const SHAPE: Shape = Shape {
    id: "grant_id",
    members: &[
        "grant_id",
        "status",
        "end_reason",
        "effect",
        "vehicle_id",
        "grantee_id",
        "entitlements",
        "not_before",
        "not_after",
        "lock_until",
        "max_uses",
        "uses",
        "label",
        "external_ref",
        "version",
        "in_flight",
    ],
};
pub(super) const CRITERIA: Shape = Shape { id: "code", members: &["code", "met", "observed_at"] };
pub(super) const STATEMENT: Shape = Shape {
    id: "grant/grant_id",
    members: &[
        "grant/grant_id",
        "grant/status",
        "grant/end_reason",
        "owner_id",
        "grant/grantee_id",
        "first_unlock/at",
        "last_lock/at",
        "distance_km",
        "complete",
    ],
};
pub(super) const ENTRIES: Shape =
    Shape { id: "entry_id", members: &["occurred_at", "event", "entry_id"] };

/// Asks about grants.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: GrantsArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    let asked = match args.verb {
        GrantsVerb::List(args) => return list(&mut api, args).await,
        GrantsVerb::EndCheck { grant_id } => return end_check(&mut api, grant_id).await,
        GrantsVerb::Token { grant_id } => return token(&mut api, grant_id).await,
        GrantsVerb::Statement { grant_id } => return statement(&mut api, grant_id).await,
        GrantsVerb::Issue(args) => args.into_asked(),
        GrantsVerb::Get { grant_id } => Asked::get(format!("/v1/grants/{grant_id}")),
        GrantsVerb::Amend(args) => args.into_asked(),
        GrantsVerb::Revoke(args) => args.into_asked(),
        GrantsVerb::Relinquish(args) => args.into_asked(),
    };
    let answer = api.call(asked).await?;
    print::one(api.view(), &answer.body, SHAPE)
}

async fn list(api: &mut Api, args: ListArgs) -> Result<(), Failure> {
    let asked = Asked::get("/v1/grants")
        .with("vehicle_id", args.vehicle_id)
        .with("grantee_id", args.grantee_id)
        .with("owner_id", args.owner_id)
        .with("external_ref", args.external_ref)
        .with("status", args.status)
        .with("from", args.from)
        .with("until", args.until);
    let list = collect(api, &asked, "cursor", args.limit).await?;
    print::list(api.view(), &list, LISTED)
}

async fn end_check(api: &mut Api, grant_id: GrantId) -> Result<(), Failure> {
    let answer = api.call(Asked::get(format!("/v1/grants/{grant_id}/end-check"))).await?;
    match api.view() {
        View::Json => print::json(&answer.body),
        view => print::list(view, &json!({ "data": member(&answer.body, "criteria") }), CRITERIA),
    }
}

/// The token alone, so that `$(…)` is the key.
async fn token(api: &mut Api, grant_id: GrantId) -> Result<(), Failure> {
    let answer = api.call(Asked::post(format!("/v1/grants/{grant_id}/token"), json!({}))).await?;
    match api.view() {
        View::Json => print::json(&answer.body),
        View::Table | View::Id => {
            print::out(&format!("{}\n", printable(required(&answer.body, "grant_token")?)))
        }
    }
}

async fn statement(api: &mut Api, grant_id: GrantId) -> Result<(), Failure> {
    let answer = api.call(Asked::get(format!("/v1/grants/{grant_id}/statement"))).await?;
    print::one(api.view(), &answer.body, STATEMENT)?;
    if api.view() == View::Table {
        print::out("\n")?;
        print::list(View::Table, &json!({ "data": member(&answer.body, "entries") }), ENTRIES)?;
    }
    Ok(())
}

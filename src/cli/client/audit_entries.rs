//! `keylend audit-entries`: the record, as the API shows it. `keylend audit` verifies copies of it.

use clap::{Args, Subcommand};

use super::api::Api;
use super::arguments::CallArgs;
use super::asked::Asked;
use super::lists::{LimitArg, collect};
use super::table::Shape;
use super::{print, times};
use crate::cli::Failure;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::time::Timestamp;

/// Which entries.
#[derive(Debug, Args)]
pub(in crate::cli) struct AuditEntriesArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: AuditEntriesVerb,
}

#[derive(Debug, Subcommand)]
enum AuditEntriesVerb {
    /// List entries of the record, newest first.
    #[command(after_help = "Example:
  keylend audit-entries list --event command.refused --from -7d")]
    List(EntryFilter),
}

/// Which entries to list.
#[derive(Debug, Args)]
struct EntryFilter {
    /// Only entries about this grant.
    #[arg(long)]
    grant_id: Option<GrantId>,
    /// Only entries about this car.
    #[arg(long)]
    vehicle_id: Option<VehicleId>,
    /// Only entries about this person.
    #[arg(long)]
    user_id: Option<UserId>,
    /// Only entries of this event, such as `grant.issued`.
    #[arg(long)]
    event: Option<String>,
    /// Only entries from this time on, such as `-7d`.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    from: Option<Timestamp>,
    /// Only entries before this time.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    until: Option<Timestamp>,
    #[command(flatten)]
    limit: LimitArg,
}

pub(super) const LISTED: Shape = Shape {
    id: "entry_id",
    members: &["occurred_at", "event", "entry_id", "actor/kind", "actor/id"],
};

/// Asks for entries.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: AuditEntriesArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    let AuditEntriesVerb::List(args) = args.verb;
    let asked = Asked::get("/v1/audit-entries")
        .with("grant_id", args.grant_id)
        .with("vehicle_id", args.vehicle_id)
        .with("user_id", args.user_id)
        .with("event", args.event)
        .with("from", args.from)
        .with("until", args.until);
    let list = collect(&mut api, &asked, "cursor", args.limit).await?;
    print::list(api.view(), &list, LISTED)
}

//! `keylend events`: what happened, and what happens.

mod feed;
mod follow;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::api::Api;
use super::arguments::CallArgs;
use super::asked::Asked;
use super::lists::{LimitArg, collect};
use super::print;
use super::table::Shape;
use crate::cli::Failure;
use crate::domain::id::{GrantId, UserId, VehicleId};

/// Which events.
#[derive(Debug, Args)]
pub(in crate::cli) struct EventsArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: EventsVerb,
}

#[derive(Debug, Subcommand)]
enum EventsVerb {
    /// List events, oldest first.
    #[command(after_help = "Example:
  keylend events list --type grant.issued,grant.revoked")]
    List {
        /// What was read already: `start`, or the `next_cursor` of an earlier answer.
        #[arg(long, default_value = "start")]
        after: String,
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        limit: LimitArg,
    },
    /// Print events as they happen, one a line, until Ctrl-C. Goes on by itself where it was when
    /// the connection breaks.
    #[command(after_help = "Example:
  keylend events follow --type command.refused -o json")]
    Follow {
        /// Where to begin: `end` prints what happens from now on, `start` everything.
        #[arg(long, default_value = "end")]
        after: String,
        #[command(flatten)]
        filter: FilterArgs,
        /// End after so many events.
        #[arg(long, value_name = "COUNT")]
        limit: Option<u64>,
    },
}

/// Which events alone.
#[derive(Debug, Args)]
struct FilterArgs {
    /// Only events of these types, separated by commas.
    #[arg(long, value_name = "TYPES")]
    r#type: Option<String>,
    /// Only events about this grant.
    #[arg(long)]
    grant_id: Option<GrantId>,
    /// Only events about this car.
    #[arg(long)]
    vehicle_id: Option<VehicleId>,
    /// Only events about this person.
    #[arg(long)]
    user_id: Option<UserId>,
}

impl FilterArgs {
    fn asked(&self, after: &str) -> Asked {
        Asked::get("/v1/events")
            .with("after", Some(after))
            .with("type", self.r#type.as_ref())
            .with("grant_id", self.grant_id)
            .with("vehicle_id", self.vehicle_id)
            .with("user_id", self.user_id)
    }
}

pub(super) const LISTED: Shape = Shape {
    id: "event_id",
    members: &["timestamp", "type", "data/vehicle_id", "data/grant_id", "data/user_id"],
};

/// Asks for events.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: EventsArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    match args.verb {
        EventsVerb::List { after, filter, limit } => {
            let list: Value = collect(&mut api, &filter.asked(&after), "after", limit).await?;
            print::list(api.view(), &list, LISTED)
        }
        EventsVerb::Follow { after, filter, limit } => {
            follow::run(&mut api, filter.asked(&after), limit.unwrap_or(u64::MAX)).await
        }
    }
}

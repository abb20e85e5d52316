//! `keylend holds`: pauses of what grants allow.

use clap::{ArgGroup, Args, Subcommand};

use super::api::Api;
use super::arguments::CallArgs;
use super::asked::{Asked, body, text};
use super::lists::{LimitArg, collect};
use super::table::Shape;
use super::{print, times};
use crate::cli::Failure;
use crate::domain::id::{GrantId, HoldId, UserId, VehicleId};
use crate::domain::time::Timestamp;

/// Which holds.
#[derive(Debug, Args)]
pub(in crate::cli) struct HoldsArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: HoldsVerb,
}

#[derive(Debug, Subcommand)]
enum HoldsVerb {
    /// Pause one grant, a person, a car or the whole organization. Cars can still be locked.
    #[command(after_help = "Example:
  keylend holds place --grant-id grt_01k0a6v8w5e3tb3q6m1x9r7yzn --reason 'the phone is lost'")]
    Place(PlaceArgs),
    /// List holds, newest first.
    #[command(after_help = "Example:
  keylend holds list --standing true")]
    List {
        /// Only holds that stand, or only those that do not.
        #[arg(long)]
        standing: Option<bool>,
        /// Only holds over this grant.
        #[arg(long)]
        grant_id: Option<GrantId>,
        /// Only holds over this car.
        #[arg(long)]
        vehicle_id: Option<VehicleId>,
        /// Only holds over this person.
        #[arg(long)]
        user_id: Option<UserId>,
        #[command(flatten)]
        limit: LimitArg,
    },
    /// Lift a hold.
    #[command(after_help = "Example:
  keylend holds lift hld_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Lift { hold_id: HoldId },
}

/// What to pause.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("scope").required(true))]
struct PlaceArgs {
    /// Pause this grant.
    #[arg(long, group = "scope")]
    grant_id: Option<GrantId>,
    /// Pause everything that this person may do.
    #[arg(long, group = "scope")]
    user_id: Option<UserId>,
    /// Pause everything that people may do with this car.
    #[arg(long, group = "scope")]
    vehicle_id: Option<VehicleId>,
    /// Pause everything that people may do with cars of the organization.
    #[arg(long, group = "scope")]
    organization: bool,
    /// Why, for people.
    #[arg(long)]
    reason: String,
    /// The first moment in which it no longer stands, such as `+2h`; until it is lifted if not given.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    until: Option<Timestamp>,
    /// Whether cars can be locked all the same; `false` is for a car that must not move at all.
    #[arg(long)]
    allow_lock: Option<bool>,
    /// Answer when none of the commands that were in flight can still leave.
    #[arg(long, value_parser = ["drain"])]
    wait: Option<String>,
}

pub(super) const SHAPE: Shape = Shape {
    id: "hold_id",
    members: &[
        "hold_id",
        "stands",
        "rank",
        "scope/grant_id",
        "scope/user_id",
        "scope/vehicle_id",
        "scope/organization",
        "reason",
        "allow_lock",
        "until",
        "placed_at",
        "lifted_at",
        "in_flight",
    ],
};
pub(super) const LISTED: Shape = Shape {
    id: "hold_id",
    members: &[
        "hold_id",
        "stands",
        "rank",
        "scope/grant_id",
        "scope/user_id",
        "scope/vehicle_id",
        "scope/organization",
        "until",
        "reason",
    ],
};

/// Asks about holds.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: HoldsArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    match args.verb {
        HoldsVerb::Place(args) => {
            let answer = api.call(args.into_asked()).await?;
            print::one(api.view(), &answer.body, SHAPE)
        }
        HoldsVerb::List { standing, grant_id, vehicle_id, user_id, limit } => {
            let asked = Asked::get("/v1/holds")
                .with("standing", standing)
                .with("grant_id", grant_id)
                .with("vehicle_id", vehicle_id)
                .with("user_id", user_id);
            let list = collect(&mut api, &asked, "cursor", limit).await?;
            print::list(api.view(), &list, LISTED)
        }
        HoldsVerb::Lift { hold_id } => {
            api.call(Asked::delete(format!("/v1/holds/{hold_id}"))).await.map(drop)
        }
    }
}

impl PlaceArgs {
    fn into_asked(self) -> Asked {
        let scope = body([
            ("grant_id", self.grant_id.and_then(text)),
            ("user_id", self.user_id.and_then(text)),
            ("vehicle_id", self.vehicle_id.and_then(text)),
            ("organization", self.organization.then_some(true.into())),
        ]);
        let members = [
            ("scope", Some(scope)),
            ("reason", text(self.reason)),
            ("until", self.until.and_then(text)),
            ("allow_lock", self.allow_lock.map(Into::into)),
        ];
        Asked::post("/v1/holds", body(members)).with("wait", self.wait)
    }
}

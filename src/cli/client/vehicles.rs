//! `keylend vehicles`: cars, how they come to their owner, and what they say.

use clap::{Args, Subcommand};

use super::answer::required;
use super::api::Api;
use super::arguments::{CallArgs, View};
use super::asked::{Asked, body, text};
use super::lists::{LimitArg, collect};
use super::print;
use super::table::Shape;
use super::{connections, times, words};
use crate::cli::Failure;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::time::Timestamp;

/// Which cars.
#[derive(Debug, Args)]
pub(in crate::cli) struct VehiclesArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: VehiclesVerb,
}

#[derive(Debug, Subcommand)]
enum VehiclesVerb {
    /// List cars, newest first: one's own and those that are lent to one, or all for administrators.
    #[command(after_help = "Example:
  keylend vehicles list --plate 'B-KL 1234'")]
    List {
        /// Only cars of this owner.
        #[arg(long)]
        owner_id: Option<UserId>,
        /// Only the car with your own name for it.
        #[arg(long)]
        external_ref: Option<String>,
        /// Only the car with this number plate.
        #[arg(long)]
        plate: Option<String>,
        #[command(flatten)]
        limit: LimitArg,
    },
    /// Show a car.
    #[command(after_help = "Example:
  keylend vehicles get veh_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Get { vehicle_id: VehicleId },
    /// Begin to connect cars: print the page of the vehicle cloud at which their owner consents.
    /// The page gives them a code, and `keylend connections complete` takes it.
    #[command(after_help = "Example:
  keylend vehicles connect --entitlements unlock,lock,read_location")]
    Connect(ConnectArgs),
    /// Read something from a car.
    #[command(after_help = "Example:
  keylend vehicles read veh_01k0a6v8w5e3tb3q6m1x9r7yzn battery")]
    Read {
        vehicle_id: VehicleId,
        #[arg(value_parser = words::observables())]
        observable: String,
        /// The grant to read by; not needed for one's own car.
        #[arg(long)]
        grant_id: Option<GrantId>,
    },
    /// Say who had a car at a moment.
    #[command(after_help = "Example:
  keylend vehicles holders veh_01k0a6v8w5e3tb3q6m1x9r7yzn --at -2h")]
    Holders {
        vehicle_id: VehicleId,
        /// The moment, such as `-2h`; now if not given.
        #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
        at: Option<Timestamp>,
    },
}

/// What the owner is asked for.
#[derive(Debug, Args)]
struct ConnectArgs {
    /// What the owner wants to be able to grant, separated by commas; decides what the vehicle
    /// cloud asks them for.
    #[arg(long, value_delimiter = ',', value_parser = words::entitlements())]
    entitlements: Vec<String>,
    /// What of it the owner cannot leave out.
    #[arg(long, value_delimiter = ',', value_parser = words::entitlements())]
    required: Vec<String>,
    /// Only cars of this maker.
    #[arg(long)]
    make: Option<String>,
    /// Which cars are offered; `live` if not given.
    #[arg(long, value_parser = words::modes())]
    mode: Option<String>,
    /// Where the browser is sent when the owner has consented.
    #[arg(long, value_name = "URL")]
    return_url: Option<String>,
    /// Only one car can be shared.
    #[arg(long)]
    single_vehicle: bool,
    /// Only the car with this vehicle identification number can be shared.
    #[arg(long)]
    vin: Option<String>,
}

impl ConnectArgs {
    fn into_asked(self) -> Asked {
        let words = |words: Vec<String>| (!words.is_empty()).then(|| words.into());
        let members = [
            ("entitlements", words(self.entitlements)),
            ("required", words(self.required)),
            ("make", self.make.and_then(text)),
            ("mode", self.mode.and_then(text)),
            ("return_url", self.return_url.and_then(text)),
            ("single_vehicle", self.single_vehicle.then_some(true.into())),
            ("vin", self.vin.and_then(text)),
        ];
        Asked::post("/v1/connections", body(members))
    }
}

pub(super) const LISTED: Shape = Shape {
    id: "vehicle_id",
    members: &[
        "vehicle_id",
        "make",
        "model",
        "year",
        "label",
        "plate",
        "sharing",
        "suspended_reason",
        "removed_at",
    ],
};
pub(super) const SHAPE: Shape = Shape {
    id: "vehicle_id",
    members: &[
        "vehicle_id",
        "owner_id",
        "connection_id",
        "make",
        "model",
        "year",
        "label",
        "plate",
        "colour",
        "vin",
        "external_ref",
        "sharing",
        "permissions",
        "suspended_reason",
        "connected_at",
        "removed_at",
    ],
};
pub(super) const HOLDERS: Shape = Shape {
    id: "holder/user_id",
    members: &[
        "at",
        "holder/user_id",
        "holder/grant_id",
        "holder/since",
        "holder/locked_at",
        "holder/status",
        "holder/entry_id",
        "complete",
    ],
};

/// Asks about cars.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn run(args: VehiclesArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    let (asked, shape) = match args.verb {
        VehiclesVerb::List { owner_id, external_ref, plate, limit } => {
            let asked = Asked::get("/v1/vehicles").with("owner_id", owner_id);
            let asked = asked.with("external_ref", external_ref).with("plate", plate);
            let list = collect(&mut api, &asked, "cursor", limit).await?;
            return print::list(api.view(), &list, LISTED);
        }
        VehiclesVerb::Connect(args) => return connect(&mut api, args).await,
        VehiclesVerb::Get { vehicle_id } => {
            (Asked::get(format!("/v1/vehicles/{vehicle_id}")), SHAPE)
        }
        VehiclesVerb::Read { vehicle_id, observable, grant_id } => {
            let asked = Asked::get(format!("/v1/vehicles/{vehicle_id}/{observable}"));
            return read(&mut api, asked.with("grant_id", grant_id)).await;
        }
        VehiclesVerb::Holders { vehicle_id, at } => {
            (Asked::get(format!("/v1/vehicles/{vehicle_id}/holders")).with("at", at), HOLDERS)
        }
    };
    let answer = api.call(asked).await?;
    print::one(api.view(), &answer.body, shape)
}

async fn connect(api: &mut Api, args: ConnectArgs) -> Result<(), Failure> {
    let answer = api.call(args.into_asked()).await?;
    print::one(api.view(), &answer.body, connections::STARTED)?;
    if api.view() == View::Table {
        let id = required(&answer.body, "connection_id")?;
        print::hint(&format!(
            "open the page; with the code that it gives: keylend connections complete {}",
            crate::cli::printable::printable(id)
        ));
    }
    Ok(())
}

/// What was read has members of its own for each observable; all are shown.
async fn read(api: &mut Api, asked: Asked) -> Result<(), Failure> {
    let answer = api.call(asked).await?;
    let members: Vec<&str> =
        answer.body.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
    match api.view() {
        View::Json => print::json(&answer.body),
        View::Table | View::Id => print::out(&super::table::one(&answer.body, &members)),
    }
}

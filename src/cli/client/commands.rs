//! `keylend commands`: requests to cars. The status of the program follows what became of them.

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, required};
use super::api::Api;
use super::arguments::CallArgs;
use super::asked::{Asked, body, text};
use super::lists::{LimitArg, collect};
use super::table::Shape;
use super::{print, times, words};
use crate::cli::printable::printable;
use crate::cli::{Failure, Unmet};
use crate::domain::id::{CommandId, GrantId, VehicleId};
use crate::domain::time::Timestamp;

/// Which commands.
#[derive(Debug, Args)]
pub(in crate::cli) struct CommandsArgs {
    #[command(flatten)]
    call: CallArgs,
    #[command(subcommand)]
    verb: CommandsVerb,
}

#[derive(Debug, Subcommand)]
enum CommandsVerb {
    /// Ask a car to do something, and wait for the outcome.
    #[command(after_help = "The status is 0 if it was done, 4 if it was refused, and 8 if it did \
not happen or is not known yet.

Example:
  keylend commands send unlock --vehicle-id veh_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Send(SendArgs),
    /// Show a command as it is now.
    #[command(after_help = "Example:
  keylend commands get cmd_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    Get { command_id: CommandId },
    /// List the commands of a car, newest first.
    #[command(after_help = "Example:
  keylend commands list --vehicle-id veh_01k0a6v8w5e3tb3q6m1x9r7yzn --from -1d")]
    List {
        /// The car.
        #[arg(long)]
        vehicle_id: VehicleId,
        /// Only commands by this grant.
        #[arg(long)]
        grant_id: Option<GrantId>,
        /// Only commands with this status.
        #[arg(long)]
        status: Option<String>,
        /// Only commands from this time on, such as `-1d`.
        #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
        from: Option<Timestamp>,
        /// Only commands before this time.
        #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
        until: Option<Timestamp>,
        #[command(flatten)]
        rows: LimitArg,
    },
}

/// What to ask of which car.
#[derive(Debug, Args)]
struct SendArgs {
    #[arg(value_parser = words::actions())]
    action: String,
    /// The car.
    #[arg(long)]
    vehicle_id: VehicleId,
    /// The grant to use; the best of one's grants if not given.
    #[arg(long)]
    grant_id: Option<GrantId>,
    /// For `set_charge_limit`: the level at which charging ends, from 0.5 to 1.
    #[arg(long)]
    limit: Option<f64>,
    /// For `set_destination`: degrees, positive to the north.
    #[arg(long, allow_hyphen_values = true, requires = "longitude")]
    latitude: Option<f64>,
    /// For `set_destination`: degrees, positive to the east.
    #[arg(long, allow_hyphen_values = true, requires = "latitude")]
    longitude: Option<f64>,
    /// How many seconds to wait for the outcome; 60 at most.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u8).range(0..=60))]
    wait: Option<u8>,
}

pub(super) const SHAPE: Shape = Shape {
    id: "command_id",
    members: &[
        "command_id",
        "action",
        "status",
        "evidence",
        "reasons",
        "user_message",
        "vehicle_id",
        "grant_id",
        "user_id",
        "created_at",
        "observed_at",
    ],
};
pub(super) const SENT: Shape = Shape {
    id: "command_id",
    members: &["command_id", "action", "status", "evidence", "reasons", "user_message"],
};
pub(super) const LISTED: Shape = Shape {
    id: "command_id",
    members: &["command_id", "created_at", "action", "status", "reasons", "user_id"],
};

/// Asks about commands.
///
/// # Errors
/// As [`Api::call`]; [`Unmet::NotDone`] if what became of a command is not known.
pub(super) async fn run(args: CommandsArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    match args.verb {
        CommandsVerb::Send(args) => {
            let answer = api.call(args.into_asked()).await?;
            print::one(api.view(), &answer.body, SENT)?;
            known(&answer)
        }
        CommandsVerb::Get { command_id } => {
            let answer = api.call(Asked::get(format!("/v1/commands/{command_id}"))).await?;
            print::one(api.view(), &answer.body, SHAPE)
        }
        CommandsVerb::List { vehicle_id, grant_id, status, from, until, rows } => {
            let asked = Asked::get(format!("/v1/vehicles/{vehicle_id}/commands"))
                .with("grant_id", grant_id)
                .with("status", status)
                .with("from", from)
                .with("until", until);
            let list = collect(&mut api, &asked, "cursor", rows).await?;
            print::list(api.view(), &list, LISTED)
        }
    }
}

impl SendArgs {
    fn into_asked(self) -> Asked {
        let number = |number: Option<f64>| number.map(|number| json!(number));
        let members = [
            ("vehicle_id", text(self.vehicle_id)),
            ("action", text(self.action)),
            ("grant_id", self.grant_id.and_then(text)),
            ("limit", number(self.limit)),
            ("latitude", number(self.latitude)),
            ("longitude", number(self.longitude)),
        ];
        let prefer = self.wait.map(|seconds| format!("wait={seconds}"));
        let asked = Asked::post("/v1/commands", body(members)).header("prefer", prefer);
        // The car may have opened.
        Asked { if_lost: Unmet::NotDone, ..asked }
    }
}

/// Whether it is known what became of a command: 202 says that it is not.
fn known(answer: &Answer) -> Result<(), Failure> {
    if answer.status != 202 {
        return Ok(());
    }
    let command_id = printable(required(&answer.body, "command_id")?);
    let said = "it is not known whether it happened; do not repeat it by itself".to_owned();
    let notes = vec![format!("look again: keylend commands get {command_id}")];
    Err(Failure::Unmet { why: Unmet::NotDone, said, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_that_is_not_known_is_no_success() {
        let body = |status: u16| Answer { status, body: json!({ "command_id": "cmd_\u{1b}" }) };
        assert!(known(&body(200)).is_ok());
        let Err(Failure::Unmet { why, notes, .. }) = known(&body(202)) else { panic!() };
        assert_eq!(why, Unmet::NotDone);
        assert_eq!(notes, ["look again: keylend commands get cmd_\\u{1b}"]);
    }

    #[test]
    fn a_number_that_json_has_not_is_no_number() {
        let args = |limit| SendArgs {
            action: "set_charge_limit".to_owned(),
            vehicle_id: "veh_01k0a6v8w5e3tb3q6m1x9r7yzn".parse().unwrap(),
            grant_id: None,
            limit: Some(limit),
            latitude: None,
            longitude: None,
            wait: Some(0),
        };
        let content = |limit| format!("{:?}", args(limit).into_asked().content);
        assert!(content(0.8).contains("0.8"));
        assert!(content(f64::NAN).contains("Null"), "the server says that a number is missing");
    }
}

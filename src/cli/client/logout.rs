//! `keylend logout`: ends the session at the server, and forgets the login here whatever the server
//! says.

use clap::Args;

use super::api::Api;
use super::arguments::CallArgs;
use super::asked::Asked;
use super::keeper::{Keeper, Renewal};
use super::print;
use crate::cli::{Failure, Unmet};

pub(super) const EXAMPLE: &str = "Example:
  keylend logout --profile olga";

/// Which login.
#[derive(Debug, Args)]
pub(in crate::cli) struct LogoutArgs {
    #[command(flatten)]
    call: CallArgs,
}

/// Signs out.
///
/// # Errors
/// [`Failure`] if the login cannot be forgotten, or if it is forgotten and the server could not be
/// told.
pub(super) async fn run(args: LogoutArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    let ended = match api.login().renewal {
        Renewal::Session { .. } => api.call(Asked::delete("/v1/sessions/current")).await.map(drop),
        // The access token of an API client ends by itself within minutes.
        Renewal::ApiClient { .. } => Ok(()),
    };
    let keeper = Keeper::of(&args.call.profile)?;
    keeper.hold().await?.remove()?;
    match ended {
        // The session was over already.
        Ok(()) | Err(Failure::Unmet { why: Unmet::SignedOut, .. }) => {
            print::out(&format!("signed out of profile {}\n", keeper.profile()))
        }
        Err(failure) => {
            print::hint("the login is forgotten here, but the session goes on at the server");
            Err(failure)
        }
    }
}

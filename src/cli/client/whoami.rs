//! `keylend whoami`: who is signed in, as the server says.

use clap::Args;
use serde_json::json;

use super::api::Api;
use super::arguments::CallArgs;
use super::asked::Asked;
use super::keeper::Renewal;
use super::print;
use super::table::Shape;
use super::users;
use crate::cli::Failure;

pub(super) const EXAMPLE: &str = "Example:
  keylend whoami -o json";

/// Which login.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhoamiArgs {
    #[command(flatten)]
    call: CallArgs,
}

/// An API client that acts for nobody has no account that could be shown.
pub(super) const API_CLIENT: Shape = Shape { id: "client_id", members: &["client_id", "server"] };

/// Shows who is signed in.
///
/// # Errors
/// [`Failure`] if nobody is, or the server does not answer.
pub(super) async fn run(args: WhoamiArgs) -> Result<(), Failure> {
    let mut api = Api::open(&args.call)?;
    if let (Renewal::ApiClient { client_id, .. }, None) = (&api.login().renewal, api.acting_for()) {
        let shown = json!({ "client_id": client_id, "server": api.login().server });
        return print::one(api.view(), &shown, API_CLIENT);
    }
    let answer = api.call(Asked::get("/v1/users/me")).await?;
    print::one(api.view(), &answer.body, users::SHAPE)
}

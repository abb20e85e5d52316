//! How a grant ends before its time: taken back or given back.

use clap::Args;
use serde_json::json;

use crate::cli::client::asked::{Asked, body, text};
use crate::domain::id::GrantId;

pub(super) const REVOKE_EXAMPLE: &str = "Example:
  keylend grants revoke grt_01k0a6v8w5e3tb3q6m1x9r7yzn --reason 'the trip is over' --wait drain";
pub(super) const RELINQUISH_EXAMPLE: &str = "Example:
  keylend grants relinquish grt_01k0a6v8w5e3tb3q6m1x9r7yzn";

/// Which grant to take back.
#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    grant_id: GrantId,
    /// Why, for people.
    #[arg(long)]
    reason: Option<String>,
    /// Let the car be locked with it for as long as its `grace_minutes`.
    #[arg(long)]
    leave_lock: bool,
    /// Answer when none of the commands that were in flight can still leave.
    #[arg(long, value_parser = ["drain"])]
    wait: Option<String>,
}

/// Which grant to give back.
#[derive(Debug, Args)]
pub(super) struct RelinquishArgs {
    grant_id: GrantId,
    /// Answer when none of the commands that were in flight can still leave.
    #[arg(long, value_parser = ["drain"])]
    wait: Option<String>,
}

impl RevokeArgs {
    pub(super) fn into_asked(self) -> Asked {
        let members = [
            ("reason", self.reason.and_then(text)),
            ("leave_lock", self.leave_lock.then_some(true.into())),
        ];
        let asked = Asked::post(format!("/v1/grants/{}/revoke", self.grant_id), body(members));
        asked.with("wait", self.wait)
    }
}

impl RelinquishArgs {
    pub(super) fn into_asked(self) -> Asked {
        let asked = Asked::post(format!("/v1/grants/{}/relinquish", self.grant_id), json!({}));
        asked.with("wait", self.wait)
    }
}

//! What a grant allows and what describes it, when it is issued and when it is amended.

use clap::Args;
use serde_json::Value;

use crate::cli::client::asked::{Asked, body, text};
use crate::cli::client::{times, words};
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::time::Timestamp;

pub(super) const ISSUE_EXAMPLE: &str = "Example:
  keylend grants issue --vehicle-id veh_01k0a6v8w5e3tb3q6m1x9r7yzn \\
    --grantee-id usr_01k0a6v8w5e3tb3q6m1x9r7yzn --entitlements unlock,lock --not-after +2h";
pub(super) const AMEND_EXAMPLE: &str = "Example:
  keylend grants amend grt_01k0a6v8w5e3tb3q6m1x9r7yzn --not-after +4h --if-match 1";

/// What a new grant allows.
#[derive(Debug, Args)]
pub(super) struct IssueArgs {
    /// The car; one's own.
    #[arg(long)]
    vehicle_id: VehicleId,
    /// The grantee, who may use it.
    #[arg(long)]
    grantee_id: UserId,
    /// What the grantee may do, separated by commas.
    #[arg(long, required = true, value_delimiter = ',', value_parser = words::entitlements())]
    entitlements: Vec<String>,
    /// The first moment in which it can be used, such as `now` or `+1d`.
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = times::time,
        allow_hyphen_values = true)]
    not_before: Timestamp,
    /// The first moment in which it can no longer be used, such as `+2h`.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    not_after: Timestamp,
    #[command(flatten)]
    described: DescribedArgs,
}

/// What to change of a grant.
#[derive(Debug, Args)]
pub(super) struct AmendArgs {
    grant_id: GrantId,
    /// Change it only if this is its version still; whatever its version is, if not given.
    #[arg(long, value_name = "VERSION")]
    if_match: Option<u64>,
    /// Answer when none of the commands that were in flight can still leave.
    #[arg(long, value_parser = ["drain"])]
    wait: Option<String>,
    /// What the grantee may do, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = words::entitlements())]
    entitlements: Vec<String>,
    /// The first moment in which it can be used.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    not_before: Option<Timestamp>,
    /// The first moment in which it can no longer be used.
    #[arg(long, value_name = "TIME", value_parser = times::time, allow_hyphen_values = true)]
    not_after: Option<Timestamp>,
    #[command(flatten)]
    described: DescribedArgs,
}

/// What both can say.
#[derive(Debug, Args)]
struct DescribedArgs {
    /// How many minutes the car can still be locked after `not_after`.
    #[arg(long, value_name = "COUNT")]
    grace_minutes: Option<u32>,
    /// How many times it may open the car, or `none` for no limit.
    #[arg(long, value_name = "COUNT", value_parser = words::count_or_none)]
    max_uses: Option<Value>,
    /// A short text for people.
    #[arg(long)]
    label: Option<String>,
    /// Your own name for what it belongs to, such as a booking number.
    #[arg(long)]
    external_ref: Option<String>,
    /// What the person at the car should know.
    #[arg(long)]
    instructions: Option<String>,
    /// What the person at the car should do when it does not open.
    #[arg(long)]
    fallback_text: Option<String>,
    /// Read the car at both ends of the grant, for its statement.
    #[arg(long)]
    statement: bool,
    /// How the car is to be given back, as the API's `return_terms`.
    #[arg(long, value_name = "JSON", value_parser = words::object)]
    return_terms: Option<Value>,
    /// Your own data: at most 4 KiB.
    #[arg(long, value_name = "JSON", value_parser = words::object)]
    metadata: Option<Value>,
}

impl IssueArgs {
    pub(super) fn into_asked(self) -> Asked {
        let members = [
            ("vehicle_id", text(self.vehicle_id)),
            ("grantee_id", text(self.grantee_id)),
            ("entitlements", Some(self.entitlements.into())),
            ("not_before", text(self.not_before)),
            ("not_after", text(self.not_after)),
        ];
        Asked::post("/v1/grants", self.described.added_to(body(members)))
    }
}

impl AmendArgs {
    pub(super) fn into_asked(self) -> Asked {
        let entitlements = (!self.entitlements.is_empty()).then(|| self.entitlements.into());
        let members = [
            ("entitlements", entitlements),
            ("not_before", self.not_before.and_then(text)),
            ("not_after", self.not_after.and_then(text)),
        ];
        let body = self.described.added_to(body(members));
        let version =
            self.if_match.map_or_else(|| "*".to_owned(), |version| format!("\"{version}\""));
        let asked = Asked::patch(format!("/v1/grants/{}", self.grant_id), body);
        asked.with("wait", self.wait).header("if-match", Some(version))
    }
}

impl DescribedArgs {
    fn added_to(self, mut terms: Value) -> Value {
        let described = body([
            ("grace_minutes", self.grace_minutes.map(Value::from)),
            ("max_uses", self.max_uses),
            ("label", self.label.and_then(text)),
            ("external_ref", self.external_ref.and_then(text)),
            ("instructions", self.instructions.and_then(text)),
            ("fallback_text", self.fallback_text.and_then(text)),
            ("statement", self.statement.then_some(true.into())),
            ("return_terms", self.return_terms),
            ("metadata", self.metadata),
        ]);
        if let (Value::Object(terms), Value::Object(described)) = (&mut terms, described) {
            terms.extend(described);
        }
        terms
    }
}

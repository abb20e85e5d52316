//! Lists, which the API answers a page at a time: pages are asked for until there are as many rows
//! as somebody wants to see.

use clap::Args;
use serde_json::Value;

use super::api::Api;
use super::asked::Asked;
use super::table::member;
use crate::cli::{Failure, Unmet};

/// What one page of the API has at most.
const PAGE_ROWS_MAX: u32 = 100;

/// How much of a list.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct LimitArg {
    /// At most so many rows.
    #[arg(long, value_name = "COUNT", default_value = "100",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
}

/// All rows of a list up to the limit, in one body like that of a page. `parameter` is what takes
/// the cursor of the page before.
///
/// # Errors
/// As [`Api::call`].
pub(super) async fn collect(
    api: &mut Api,
    asked: &Asked,
    parameter: &'static str,
    limit: LimitArg,
) -> Result<Value, Failure> {
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let wanted = limit.limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let mut page = asked.clone().with("limit", Some(wanted.min(PAGE_ROWS_MAX)));
        if let Some(cursor) = &cursor {
            page.query.retain(|(name, _)| *name != parameter);
            page = page.with(parameter, Some(cursor));
        }
        let mut list = api.call(page).await?.body;
        let Some(Value::Array(data)) = list.get_mut("data").map(Value::take) else {
            let said = "the list cannot be read; the server is of another version";
            return Err(Failure::unmet(Unmet::Unreachable, said));
        };
        rows.extend(data);
        let next = member(&list, "next_cursor").as_str().map(ToOwned::to_owned);
        let is_last = next.is_none() || member(&list, "has_more") == false || next == cursor;
        if is_last || rows.len() >= limit.limit as usize {
            return Ok(with_rows(list, rows));
        }
        cursor = next;
    }
}

/// The last page with the rows of all of them.
fn with_rows(mut list: Value, rows: Vec<Value>) -> Value {
    if let Some(members) = list.as_object_mut() {
        members.insert("data".to_owned(), Value::Array(rows));
    }
    list
}

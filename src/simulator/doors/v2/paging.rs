//! The parts of a query that lists understand: which page, which period.

use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Call;
use crate::smartcar::ErrorKind;
use crate::smartcar::v2::{self, Paging};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One page of a list.
pub(super) fn cut<T>(
    all: &[T],
    query: &[(String, String)],
    show: impl Fn(&T) -> Option<String>,
) -> Result<(Vec<String>, Paging), Failure> {
    let number = |name: &str| {
        let mut found = query.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.parse::<u32>()).transpose().map_err(|_| {
            Failure::new(ErrorKind::ValidationParameter)
                .describing("`limit` and `offset` must be whole numbers.")
        })
    };
    let limit = number("limit")?.unwrap_or(v2::PAGE_LIMIT_DEFAULT);
    let limit = limit.clamp(1, v2::PAGE_LIMIT_MAX);
    let offset = number("offset")?.unwrap_or(0);
    let paging = Paging { count: u32::try_from(all.len()).unwrap_or(u32::MAX), offset };
    let from = all.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
    let shown = from.take(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((shown.filter_map(show).collect(), paging))
}

/// An end of a period, in either spelling of its name: a day or a time. One SDK sends the word
/// `undefined` for a date that was not given. The last day of a period belongs to it.
pub(super) fn date(
    call: &Call,
    names: [&str; 2],
    is_end: bool,
) -> Result<Option<Timestamp>, Failure> {
    let given = names.into_iter().find_map(|name| call.parameter(name));
    let Some(text) = given.filter(|text| !matches!(*text, "" | "undefined" | "None")) else {
        return Ok(None);
    };
    let day = || {
        let day: Timestamp = format!("{text}T00:00:00Z").parse().ok()?;
        Some(if is_end { day.plus(DAY) } else { day })
    };
    let [name, _] = names;
    text.parse().ok().or_else(day).map(Some).ok_or_else(|| {
        Failure::new(ErrorKind::ValidationParameter)
            .describing(format!("`{name}` must be a date such as 2026-07-01."))
    })
}

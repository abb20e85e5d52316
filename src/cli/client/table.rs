//! Bodies of the API as a person wants to see them: a few members, as rows or one below the other.

use std::borrow::Cow;
use std::iter::repeat_n;

use serde_json::Value;

use crate::cli::printable::printable;

/// In a list longer texts are cut, so that one long name cannot break all rows.
const CELL_CHARACTERS_MAX: usize = 60;

/// Which members of a body are shown. A member of a member is named `scope/grant_id`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The member that identifies it, for `-o id`.
    pub(super) id: &'static str,
    /// The members of a table.
    pub(super) members: &'static [&'static str],
}

/// A member of a body; null if it is not there.
pub(super) fn member<'a>(body: &'a Value, path: &str) -> &'a Value {
    path.split('/').fold(body, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// A value on one line, harmless for a terminal.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(&in_seconds(text)),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().map(cell).collect::<Vec<_>>().join(",")
        }
        other => printable(&other.to_string()),
    }
}

/// A time in UTC without what is less than a second; any other text as it is.
fn in_seconds(text: &str) -> Cow<'_, str> {
    let (seconds, rest) = text.split_once('.').unwrap_or((text, ""));
    let fraction = rest.strip_suffix('Z').unwrap_or_default();
    let is_time = seconds.len() == "2026-07-01T12:00:00".len()
        && seconds.parse::<jiff::civil::DateTime>().is_ok()
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if is_time { Cow::Owned(format!("{seconds}Z")) } else { Cow::Borrowed(text) }
}

/// The members of one body, one below the other, without those that have no value.
pub(super) fn one(body: &Value, members: &[&str]) -> String {
    let lines = members.iter().map(|path| (*path, cell(member(body, path))));
    let lines: Vec<(&str, String)> = lines.filter(|(_, text)| !text.is_empty()).collect();
    let width = lines.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    lines.iter().map(|(path, text)| format!("{path:width$}  {text}\n")).collect()
}

/// The members of several bodies: one row each, below the names. Members that no body has are left
/// out; no bodies are no rows.
pub(super) fn rows(bodies: &[Value], members: &[&str]) -> String {
    if bodies.is_empty() {
        return String::new();
    }
    let columns = members.iter().filter_map(|path| {
        let cells: Vec<String> = bodies.iter().map(|body| cut(cell(member(body, path)))).collect();
        let title = title(path);
        cells.iter().any(|cell| !cell.is_empty()).then_some((title, cells))
    });
    let columns: Vec<(String, Vec<String>)> = columns.collect();
    let width = |(title, cells): &(String, Vec<String>)| {
        let widths = cells.iter().chain([title]).map(|cell| cell.chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let line = |cells: Vec<&str>| {
        let mut line = String::new();
        for (cell, width) in cells.into_iter().zip(&widths) {
            line.push_str(cell);
            line.extend(repeat_n(' ', width + 2 - cell.chars().count().min(*width)));
        }
        format!("{}\n", line.trim_end())
    };
    let head = line(columns.iter().map(|(title, _)| title.as_str()).collect());
    let below = (0..bodies.len()).map(|row| {
        let cells = columns.iter().map(|(_, cells)| cells.get(row).map_or("", String::as_str));
        line(cells.collect())
    });
    [head].into_iter().chain(below).collect()
}

/// The name of a column: a member's own name, and with that of the member it is in if it says
/// little by itself.
fn title(path: &str) -> String {
    let own = path.rsplit('/').next().unwrap_or(path);
    let name = if own.contains('_') { own } else { path };
    name.replace('/', "_").to_uppercase()
}

fn cut(text: String) -> String {
    if text.chars().count() <= CELL_CHARACTERS_MAX {
        return text;
    }
    let kept = text.chars().take(CELL_CHARACTERS_MAX - 1);
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_stand_below_the_names_of_their_members() {
        let bodies = [
            json!({ "vehicle_id": "veh_1", "make": "BMW", "label": null, "year": 2020 }),
            json!({ "vehicle_id": "veh_22", "make": "VOLKSWAGEN", "year": 2023 }),
        ];
        assert_eq!(
            (title("scope/grant_id"), title("actor/id")),
            ("GRANT_ID".into(), "ACTOR_ID".into())
        );
        assert_eq!(
            rows(&bodies, &["vehicle_id", "make", "label", "year"]),
            "VEHICLE_ID  MAKE        YEAR\n\
             veh_1       BMW         2020\n\
             veh_22      VOLKSWAGEN  2023\n"
        );
        assert_eq!(rows(&[], &["vehicle_id"]), "");
    }

    #[test]
    fn members_of_one_body_stand_below_each_other() {
        let body = json!({ "hold_id": "hld_1", "scope": { "grant_id": "grt_1" }, "until": null });
        assert_eq!(
            one(&body, &["hold_id", "scope/grant_id", "until", "none"]),
            "hold_id         hld_1\nscope/grant_id  grt_1\n"
        );
    }

    #[test]
    fn each_value_is_on_one_harmless_line() {
        for (value, expected) in [
            (json!(null), ""),
            (json!("a\nb"), "a\\u{a}b"),
            (json!(["unlock", "lock"]), "unlock,lock"),
            (json!(["\u{1b}[1m"]), "\\u{1b}[1m"),
            (json!({ "\u{9b}": [1, "x"] }), "{\"\\u{9b}\":[1,\"x\"]}"),
            (json!(true), "true"),
            (json!("2026-07-01T12:00:00.123456Z"), "2026-07-01T12:00:00Z"),
            (json!("2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z"),
            (json!("2026-07-01Té:00:00.é3456Z"), "2026-07-01Té:00:00.é3456Z"),
        ] {
            assert_eq!(cell(&value), expected, "{value}");
        }
        let long = [json!({ "name": "ä".repeat(500) })];
        let shown = rows(&long, &["name"]);
        assert!(shown.ends_with("ä…\n"), "{shown}");
        assert_eq!(shown.lines().nth(1).unwrap().chars().count(), CELL_CHARACTERS_MAX);
    }
}

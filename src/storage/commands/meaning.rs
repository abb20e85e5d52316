//! What the statements of this noun mean to a rehearsed database.

use crate::domain::cause::Cause;
use crate::domain::command::CommandStatus;
use crate::storage::db::Value;
use crate::storage::db::rehearsal::insertion_columns;
use crate::storage::db::rehearsal::{
    Bound, Meaning, RehearsalRow, Sampler, Seen, Spoken, Table, Update,
};

pub(crate) const WRITE_OUTCOMES: &str = super::WRITE_OUTCOMES;
pub(crate) const IN_FLIGHT_OF_GRANT: &str = super::IN_FLIGHT_OF_GRANT;
pub(crate) const MARK_ABANDONED: &str = super::MARK_ABANDONED;

/// The columns that tell commands apart.
const UNIQUE: &[&[&str]] = &[&["command_id"], &["principal_id", "idempotency_key"]];

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![
        (super::INSERT, Meaning::Insert { unique: UNIQUE }, |sampler| {
            sampler.inserted(Table::Commands, &insertion_columns(super::INSERT))
        }),
        (super::REPLAYS, Meaning::Select(replays), |sampler| {
            let key = ["0", "1", "2", "3", "a"];
            sampler.rows(|sampler| vec![sampler.id(Table::Users), sampler.word(&key)])
        }),
        (super::WRITE_OUTCOMES, Meaning::Update(outcome()), |sampler| {
            sampler.rows_of(Table::Commands, step)
        }),
        (super::FIND, Meaning::Select(find), |sampler| {
            let values = vec![sampler.organization(), sampler.id(Table::Commands)];
            sampler.values(values)
        }),
        (super::IN_FLIGHT_OF_GRANT, Meaning::Select(in_flight_of_grant), |sampler| {
            let grant_id = sampler.id(Table::Grants);
            sampler.values(vec![grant_id])
        }),
        (super::IN_FLIGHT_OF_USER, Meaning::Select(in_flight_of_user), |sampler| {
            let user_id = sampler.id(Table::Users);
            sampler.values(vec![user_id])
        }),
        (super::IN_FLIGHT_OF_VEHICLE, Meaning::Select(in_flight_of_vehicle), |sampler| {
            let vehicle_id = sampler.id(Table::Vehicles);
            sampler.values(vec![vehicle_id])
        }),
        (super::IN_FLIGHT_OF_ORGANIZATION, Meaning::Select(in_flight_of_organization), |sampler| {
            let organization_id = sampler.organization();
            sampler.values(vec![organization_id])
        }),
        (super::MARK_ABANDONED, Meaning::Update(mark_abandoned()), |sampler| {
            let now = sampler.few();
            sampler.values(vec![now, Value::from(256), Cause::Abandoned.stored().as_str().into()])
        }),
        (super::DUE, Meaning::Select(due_to_check), |sampler| {
            let now = sampler.few();
            sampler.values(vec![now, Value::from(256)])
        }),
        (super::LEASE, Meaning::Update(lease()), |sampler| {
            sampler.rows_of(Table::Commands, |sampler| vec![sampler.few(), sampler.few()])
        }),
        (super::CHECK_AGAIN, Meaning::Update(check_again()), |sampler| {
            let values = vec![sampler.id(Table::Commands), sampler.few()];
            sampler.values(values)
        }),
        (super::NEWEST_OF_VEHICLES, Meaning::Select(newest_of_vehicles), |sampler| {
            sampler.rows_of(Table::Vehicles, |_| Vec::new())
        }),
    ]
}

/// A random step, after the command's id.
fn step(sampler: &mut Sampler) -> Vec<Value> {
    vec![
        sampler.status(),
        sampler.status(),
        sampler.evidence(),
        sampler.few_or_none(),
        sampler.word(&["", "unseen:overtaken"]),
        sampler.word_or_none(&["Please wait."]),
        sampler.few_or_none(),
        sampler.few(),
        sampler.few_or_none(),
    ]
}

fn replays(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let commands = seen.rows(Table::Commands);
    let by_key = bound.rows().iter().filter_map(|key| {
        let same = |row: &&std::sync::Arc<RehearsalRow>| {
            *row.value("principal_id") == key[0] && *row.value("idempotency_key") == key[1]
        };
        commands.iter().find(same).map(|row| row.as_ref().clone())
    });
    by_key.collect()
}

fn outcome() -> Update {
    const SET: [&str; 8] = [
        "status",
        "evidence",
        "observed_at",
        "causes",
        "user_message",
        "retry_after_ms",
        "changed_at",
        "check_at",
    ];
    Update {
        table: Table::Commands,
        finds: |_, bound| bound.named(),
        if_still: |row, bound, place| row.value("status") == bound.column(place, 2),
        sets: |row, bound, place| {
            for (column, number) in SET.iter().zip(3..) {
                row.set(column, bound.column(place, number).clone());
            }
        },
    }
}

fn find(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let is_meant = |row: &RehearsalRow| {
        row.value("organization_id") == bound.value(1) && row.value("command_id") == bound.value(2)
    };
    chosen(seen, is_meant)
}

fn chosen(seen: &Seen<'_>, is_meant: impl Fn(&RehearsalRow) -> bool) -> Vec<RehearsalRow> {
    let rows = seen.rows(Table::Commands);
    rows.iter().filter(|row| is_meant(row)).map(|row| row.as_ref().clone()).collect()
}

fn is_sending(row: &RehearsalRow) -> bool {
    row.text("status") == Some(CommandStatus::Sending.as_str())
}

fn in_flight(seen: &Seen<'_>, column: &str, bound: &Bound) -> Vec<RehearsalRow> {
    let found = chosen(seen, |row| row.value(column) == bound.value(1) && is_sending(row));
    found.iter().map(|row| row.only(&["command_id"])).collect()
}

fn in_flight_of_grant(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    in_flight(seen, "grant_id", bound)
}

fn in_flight_of_user(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    in_flight(seen, "user_id", bound)
}

fn in_flight_of_vehicle(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    in_flight(seen, "vehicle_id", bound)
}

fn in_flight_of_organization(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    in_flight(seen, "organization_id", bound)
}

/// The first rows by this column up to a limit, of those where it is at most `until`.
fn due(seen: &Seen<'_>, column: &str, until: i64, limit: i64) -> Vec<(uuid::Uuid, usize)> {
    let at = |row: &RehearsalRow| row.integer(column).unwrap_or(i64::MAX);
    let mut rows = chosen(seen, |row| at(row) <= until);
    rows.sort_by_key(|row| (at(row), row.id("command_id")));
    rows.truncate(usize::try_from(limit).unwrap());
    rows.iter().map(|row| (row.id("command_id").unwrap(), 0)).collect()
}

fn mark_abandoned() -> Update {
    Update {
        table: Table::Commands,
        finds: |seen, bound| {
            let sending = chosen(seen, is_sending);
            let mut found = due(seen, "abandon_at", bound.integer(1), i64::from(u16::MAX));
            let is_sending =
                |id: &uuid::Uuid| sending.iter().any(|row| row.id("command_id") == Some(*id));
            found.retain(|(id, _)| is_sending(id));
            found.truncate(usize::try_from(bound.integer(2)).unwrap());
            found
        },
        if_still: |row, _, _| is_sending(row),
        sets: |row, bound, _| {
            let (now, changed_at) = (bound.integer(1), row.integer("changed_at").unwrap());
            row.set("status", CommandStatus::Unknown.as_str());
            row.set("causes", bound.value(3).clone());
            row.set("check_at", now);
            row.set("changed_at", if changed_at < now { now } else { changed_at + 1 });
        },
    }
}

fn due_to_check(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let due = due(seen, "check_at", bound.integer(1), bound.integer(2));
    let rows = due.iter().filter_map(|&(id, _)| seen.find(Table::Commands, id));
    let judged = rows.map(|row| {
        let newest = newest_of(seen, row.value("vehicle_id"));
        let newest = newest.and_then(|newest| newest.id("command_id"));
        let is_overtaken = newest > row.id("command_id");
        row.as_ref().clone().with("is_overtaken", is_overtaken.into())
    });
    judged.collect()
}

fn lease() -> Update {
    Update {
        table: Table::Commands,
        finds: |_, bound| bound.named(),
        if_still: |row, bound, place| {
            row.integer("check_at").is_some_and(|check_at| check_at <= bound.integer_at(place, 2))
        },
        sets: |row, bound, place| {
            row.set("check_at", bound.column(place, 3).clone());
            row.set("checks", row.integer("checks").unwrap() + 1);
        },
    }
}

fn check_again() -> Update {
    Update {
        table: Table::Commands,
        finds: |_, bound| {
            if let Value::Uuid(Some(id)) = bound.value(1) { vec![(*id, 0)] } else { Vec::new() }
        },
        if_still: |row, _, _| row.integer("check_at").is_some(),
        sets: |row, bound, _| row.set("check_at", bound.value(2).clone()),
    }
}

/// The newest command of a car that may have moved it.
fn newest_of(seen: &Seen<'_>, vehicle_id: &Value) -> Option<RehearsalRow> {
    let never_left = ["refused", "failed", "cancelled", "expired"];
    let may_have_moved = |row: &RehearsalRow| {
        row.value("vehicle_id") == vehicle_id && !never_left.contains(&row.text("status").unwrap())
    };
    chosen(seen, may_have_moved).pop()
}

fn newest_of_vehicles(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    bound.rows().iter().filter_map(|vehicle| newest_of(seen, &vehicle[0])).collect()
}

//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{
    Bound, Hold, Meaning, Mode, RehearsalRow, Sampler, Seen, Spoken, Table, Update,
};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    let lock_vehicle_rows = Hold {
        finds: vehicles,
        holds: &[
            (Table::Organizations, "organization_id", Mode::Shared),
            (Table::Users, "owner_id", Mode::Shared),
            (Table::Connections, "connection_id", Mode::Shared),
            (Table::Vehicles, "vehicle_id", Mode::Alone),
        ],
    };
    let lock_grant_rows = Hold {
        finds: grants,
        holds: &[
            (Table::Users, "grantee_id", Mode::Shared),
            (Table::Grants, "grant_id", Mode::Alone),
        ],
    };
    vec![
        (super::VEHICLES, Meaning::Select(vehicles), some_vehicles),
        (super::LOCK_VEHICLE_ROWS, Meaning::Hold(lock_vehicle_rows), some_vehicles),
        (super::GRANTS, Meaning::Select(grants), some_grants),
        (super::GRANTS_OF, Meaning::Select(grants_of), |sampler| {
            let values =
                vec![sampler.organization(), sampler.id(Table::Vehicles), sampler.id(Table::Users)];
            sampler.values(values)
        }),
        (super::LOCK_GRANT_ROWS, Meaning::Hold(lock_grant_rows), some_grants),
        (super::SPEND_USES, Meaning::Update(spend_uses()), |sampler| {
            sampler.rows_of(Table::Grants, |sampler| vec![sampler.few()])
        }),
        (super::NOTE_UNLOCKS, Meaning::Update(note_unlocks()), |sampler| {
            sampler.rows_of(Table::Vehicles, |sampler| vec![sampler.id(Table::Users)])
        }),
    ]
}

fn some_vehicles(sampler: &mut Sampler) -> Bound {
    sampler.rows_of(Table::Vehicles, |_| Vec::new())
}

fn some_grants(sampler: &mut Sampler) -> Bound {
    sampler.rows_of(Table::Grants, |_| Vec::new())
}

const VEHICLE_COLUMNS: &[&str] = &[
    "vehicle_id",
    "organization_id",
    "owner_id",
    "removed_at",
    "suspended_reason",
    "permissions",
    "connection_id",
    "provider_vehicle_id",
    "owner_recoveries",
    "consents",
    "last_unlocked_by",
    "holds",
    "ends",
    "revision",
];

fn vehicles(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let is_asked = |row: &RehearsalRow| asked(bound, row.value("vehicle_id"));
    let found = seen.rows(Table::Vehicles).into_iter().filter(|row| is_asked(row));
    let joined = found.filter_map(|row| {
        let organization = seen.find(Table::Organizations, row.id("organization_id")?)?;
        let owner = seen.find(Table::Users, row.id("owner_id")?)?;
        let connection = seen.find(Table::Connections, row.id("connection_id")?)?;
        let row = row.only(VEHICLE_COLUMNS);
        let row = row.with("owner_disabled_at", owner.value("disabled_at").clone());
        let row = row.with("recoveries", owner.value("recoveries").clone());
        let row = row.with("owner_holds", owner.value("holds").clone());
        let row = row.with("organization_holds", organization.value("holds").clone());
        let row = row.with("owner_revision", owner.value("revision").clone());
        let row = row.with("connection_revision", connection.value("revision").clone());
        let row = row.with("organization_revision", organization.value("revision").clone());
        let row = row.with("organization_ends", organization.value("ends").clone());
        Some(row.with("connection_status", connection.value("status").clone()))
    });
    joined.collect()
}

fn grants(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    with_grantees(seen, |row| asked(bound, row.value("grant_id")))
}

/// The newest first, and no more of them than a rehearsal has.
fn grants_of(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let columns = ["organization_id", "vehicle_id", "grantee_id"];
    let is_asked = |row: &RehearsalRow| {
        columns
            .into_iter()
            .zip(1..)
            .all(|(column, number)| row.value(column) == bound.value(number))
    };
    let mut found = with_grantees(seen, is_asked);
    found.reverse();
    found
}

fn with_grantees(seen: &Seen<'_>, is_meant: impl Fn(&RehearsalRow) -> bool) -> Vec<RehearsalRow> {
    let found = seen.rows(Table::Grants).into_iter().filter(|row| is_meant(row));
    let joined = found.filter_map(|row| {
        let grantee = seen.find(Table::Users, row.id("grantee_id")?)?;
        let disabled_at = grantee.value("disabled_at").clone();
        let row = row.as_ref().clone().with("grantee_disabled_at", disabled_at);
        let row = row.with("grantee_holds", grantee.value("holds").clone());
        let row = row.with("grantee_revision", grantee.value("revision").clone());
        let row = row.with("grantee_ends", grantee.value("ends").clone());
        Some(row.with("recoveries", grantee.value("recoveries").clone()))
    });
    joined.collect()
}

fn asked(bound: &Bound, id: &Value) -> bool {
    bound.rows().iter().any(|row| row[0] == *id)
}

fn note_unlocks() -> Update {
    Update {
        table: Table::Vehicles,
        finds: |_, bound| bound.named(),
        if_still: |_, _, _| true,
        sets: |row, bound, place| row.set("last_unlocked_by", bound.rows()[place][1].clone()),
    }
}

fn spend_uses() -> Update {
    Update {
        table: Table::Grants,
        finds: |_, bound| bound.named(),
        if_still: |row, bound, place| {
            let uses = row.integer("uses").unwrap() + bound.integer_at(place, 2);
            row.integer("uses_max").is_none_or(|uses_max| uses <= uses_max)
        },
        sets: |row, bound, place| {
            row.set("uses", row.integer("uses").unwrap() + bound.integer_at(place, 2));
        },
    }
}

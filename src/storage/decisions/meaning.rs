//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{Bound, Meaning, RehearsalRow, Seen, Spoken, Table, Update};

pub(crate) const CLAIM_GRANTS: &str = super::CLAIM_GRANTS;

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![
        (super::VEHICLES, Meaning::Select(vehicles), |sampler| {
            sampler.rows_of(Table::Vehicles, |_| Vec::new())
        }),
        (super::GRANTS, Meaning::Select(grants), |sampler| {
            sampler.rows_of(Table::Grants, |_| Vec::new())
        }),
        (super::CLAIM_GRANTS, Meaning::Update(claim_grants()), |sampler| {
            sampler.rows_of(Table::Grants, |sampler| vec![sampler.few(), sampler.few()])
        }),
        (super::CLAIM_VEHICLES, Meaning::Update(claim_vehicles()), |sampler| {
            sampler.rows_of(Table::Vehicles, |sampler| vec![sampler.few()])
        }),
        (super::REPLAYS, Meaning::Select(replays), |sampler| {
            let key = ["0", "1", "2", "3", "a"];
            sampler.rows(|sampler| vec![sampler.id(Table::Users), sampler.word(&key)])
        }),
    ]
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
    "revision",
];

fn vehicles(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let is_asked = |row: &RehearsalRow| asked(bound, row.value("vehicle_id"));
    let found = seen.rows(Table::Vehicles).into_iter().filter(|row| is_asked(row));
    let joined = found.filter_map(|row| {
        let owner = seen.find(Table::Users, row.id("owner_id")?)?;
        let connection = seen.find(Table::Connections, row.id("connection_id")?)?;
        let row = row.only(VEHICLE_COLUMNS);
        let row = row.with("owner_disabled_at", owner.value("disabled_at").clone());
        Some(row.with("connection_status", connection.value("status").clone()))
    });
    joined.collect()
}

fn grants(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let is_asked = |row: &RehearsalRow| asked(bound, row.value("grant_id"));
    let found = seen.rows(Table::Grants).into_iter().filter(|row| is_asked(row));
    let joined = found.filter_map(|row| {
        let grantee = seen.find(Table::Users, row.id("grantee_id")?)?;
        let disabled_at = grantee.value("disabled_at").clone();
        Some(row.as_ref().clone().with("grantee_disabled_at", disabled_at))
    });
    joined.collect()
}

fn asked(bound: &Bound, id: &Value) -> bool {
    bound.rows().iter().any(|row| row[0] == *id)
}

fn claim_grants() -> Update {
    Update {
        table: Table::Grants,
        finds: |_, bound| bound.named(),
        if_still: |row, bound, place| {
            let uses = row.integer("uses").unwrap() + bound.integer_at(place, 3);
            row.value("revision") == bound.column(place, 2)
                && row.integer("ended_at").is_none()
                && row.integer("uses_max").is_none_or(|uses_max| uses <= uses_max)
        },
        sets: |row, bound, place| {
            row.set("uses", row.integer("uses").unwrap() + bound.integer_at(place, 3));
        },
    }
}

fn claim_vehicles() -> Update {
    Update {
        table: Table::Vehicles,
        finds: |_, bound| bound.named(),
        if_still: |row, bound, place| row.value("revision") == bound.column(place, 2),
        // It takes the row's lock and changes nothing.
        sets: |_, _, _| {},
    }
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

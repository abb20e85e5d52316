//! What the statements of this file mean to a rehearsed database.

use crate::storage::db::rehearsal::{Bound, Meaning, RehearsalRow, Sampler, Seen, Spoken, Table};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![
        (super::ORGANIZATIONS, Meaning::Select(organizations), |sampler| {
            let organization = sampler.organization();
            sampler.rows(move |_| vec![organization.clone()])
        }),
        (super::USERS, Meaning::Select(users), |sampler| some(sampler, Table::Users)),
        (super::CONNECTIONS, Meaning::Select(connections), |sampler| {
            some(sampler, Table::Connections)
        }),
        (super::VEHICLES, Meaning::Select(vehicles), |sampler| some(sampler, Table::Vehicles)),
        (super::GRANTS, Meaning::Select(grants), |sampler| some(sampler, Table::Grants)),
    ]
}

fn some(sampler: &mut Sampler, table: Table) -> Bound {
    sampler.rows_of(table, |_| Vec::new())
}

fn organizations(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let columns = ["organization_id", "revision", "holds", "ends"];
    named(seen, bound, Table::Organizations).map(|row| row.only(&columns)).collect()
}

fn users(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let columns = ["user_id", "revision", "disabled_at", "recoveries", "holds", "ends"];
    named(seen, bound, Table::Users).map(|row| row.only(&columns)).collect()
}

fn connections(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let columns = ["connection_id", "revision", "status"];
    named(seen, bound, Table::Connections).map(|row| row.only(&columns)).collect()
}

fn vehicles(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let columns = [
        "vehicle_id",
        "revision",
        "owner_id",
        "connection_id",
        "removed_at",
        "suspended_reason",
        "permissions",
        "owner_recoveries",
        "consents",
        "holds",
        "ends",
    ];
    named(seen, bound, Table::Vehicles).map(|row| row.only(&columns)).collect()
}

fn grants(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    named(seen, bound, Table::Grants).collect()
}

fn named<'s>(
    seen: &'s Seen<'_>,
    bound: &'s Bound,
    table: Table,
) -> impl Iterator<Item = RehearsalRow> + 's {
    let ids = bound.named().into_iter();
    ids.filter_map(move |(id, _)| seen.find(table, id)).map(|row| row.as_ref().clone())
}

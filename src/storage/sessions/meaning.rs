//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::rehearsal::{Meaning, Spoken, Table, Update};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![(super::END_OF_USER, Meaning::Update(end_of_user()), |sampler| {
        let values = vec![
            sampler.id(Table::Users),
            sampler.id(Table::Sessions),
            sampler.few(),
            sampler.word(&["ended_by_admin", "recovered"]),
        ];
        sampler.values(values)
    })]
}

fn end_of_user() -> Update {
    Update {
        table: Table::Sessions,
        finds: |seen, bound| {
            let all = seen.rows(Table::Sessions).into_iter();
            let of_user = all.filter(|row| row.value("user_id") == bound.value(1));
            of_user.filter_map(|row| Some((row.id("session_id")?, 0))).collect()
        },
        if_still: |row, bound, _| {
            row.value("session_id") != bound.value(2) && row.integer("ended_at").is_none()
        },
        sets: |row, bound, _| {
            row.set("ended_at", bound.value(3).clone());
            row.set("end_reason", bound.value(4).clone());
        },
    }
}

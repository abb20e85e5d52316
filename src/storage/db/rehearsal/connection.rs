//! A connection to a rehearsed database: running statements, waiting for rows that others change,
//! and committing with everything that can happen to a commit.

use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::meaning::{self, Bound, Hold, Meaning, Mode, Update};
use super::row::RehearsalRow;
use super::state::{Claimed, Key};
use super::surroundings::{Defect, Moment, Trouble};
use super::{
    Answer, DbSession, IDLE_MAX, Kind, LOCK_WAIT_MAX, Query, RehearsalDb, Row, StorageError,
    Transaction, Value, conflict, now, unavailable,
};

/// A connection, with or without a transaction; dropping it undoes the transaction.
#[derive(Debug)]
pub struct RehearsalConnection {
    pub(super) db: RehearsalDb,
    pub(super) transaction: Option<u64>,
}

impl Drop for RehearsalConnection {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            self.db.roll_back(transaction);
        }
    }
}

#[async_trait]
impl DbSession for RehearsalConnection {
    async fn run(&mut self, query: Query) -> Result<Answer, StorageError> {
        let (count, rows) = self.act_out(query).await?;
        Ok(Answer { count, rows: rows.into_iter().map(Row::from).collect() })
    }
}

#[async_trait]
impl Transaction for RehearsalConnection {
    async fn commit(mut self: Box<Self>) -> Result<(), StorageError> {
        let Some(number) = self.transaction else { return Err(unavailable()) };
        let db = self.db.clone();
        // Whether it is durable is not known from here on, as long as nothing was answered.
        db.state().set_committing(number);
        db.surroundings.pass().await;
        // The server may have lost patience meanwhile.
        if self.was_idle_too_long() {
            return Err(db.unheard());
        }
        self.transaction = None;
        match db.surroundings.trouble(Moment::Commit(number)) {
            Some(trouble) => {
                match trouble {
                    // A file is written by this process: there is no answer to lose.
                    Trouble::KeptUnheard if db.shared.kind == Kind::Concurrent => {
                        db.make_durable_later(number);
                    }
                    _ => db.roll_back(number),
                }
                db.surroundings.pass().await;
                return Err(if trouble == Trouble::Conflict { conflict() } else { db.unheard() });
            }
            None => match db.shared.defect {
                Some(Defect::CommitsLost) if db.surroundings.choose(4) == 0 => db.roll_back(number),
                Some(Defect::CommitsLate) => db.make_durable_later(number),
                _ => db.make_durable(number),
            },
        }
        db.surroundings.pass().await;
        Ok(())
    }
}

impl RehearsalConnection {
    async fn act_out(&mut self, query: Query) -> Result<(u64, Vec<RehearsalRow>), StorageError> {
        let Query { sql, values, rows, .. } = query;
        if rows.as_ref().is_some_and(|rows| rows.len() == 0) {
            return Ok((0, Vec::new()));
        }
        let rows = rows.map_or_else(Vec::new, |rows| {
            rows.values.chunks(rows.width).map(<[Value]>::to_vec).collect()
        });
        let bound = Bound { values, rows };
        self.db.surroundings.pass().await;
        let trouble = self.db.surroundings.trouble(Moment::Statement);
        let outcome = match trouble {
            None if self.was_idle_too_long() => Err(unavailable()),
            None => self.act(sql, &bound).await,
            Some(Trouble::Conflict) if self.transaction.is_some() => Err(conflict()),
            Some(_) => Err(unavailable()),
        };
        if let Some(number) = self.transaction {
            self.db.state().is_active(number, now());
        }
        // An error ends the transaction, as on PostgreSQL.
        if outcome.is_err()
            && let Some(transaction) = self.transaction.take()
        {
            self.db.roll_back(transaction);
        }
        self.db.surroundings.pass().await;
        outcome
    }

    fn was_idle_too_long(&self) -> bool {
        let Some(number) = self.transaction else { return false };
        self.db.shared.kind == Kind::Concurrent
            && self.db.state().idle_since(number).is_none_or(|since| now() - since > IDLE_MAX)
    }

    async fn act(
        &self,
        sql: &'static str,
        bound: &Bound,
    ) -> Result<(u64, Vec<RehearsalRow>), StorageError> {
        let shared = &self.db.shared;
        let found = shared.meanings.iter().find(|(text, ..)| *text == sql);
        let Some((_, meaning, _)) = found else {
            panic!("a rehearsal does not know what this statement means; say it beside it: {sql}");
        };
        if shared.defect == Some(Defect::Blind(sql)) {
            return Ok((0, Vec::new()));
        }
        match (meaning, self.transaction) {
            (Meaning::Select(select), transaction) => {
                let mut found = select(&self.db.state().seen(transaction), bound);
                if let Some(number) = transaction {
                    self.db.surroundings.told(number, &mut found);
                }
                Ok((found.len() as u64, found))
            }
            (Meaning::Insert { unique }, Some(number)) => {
                self.insert(number, sql, unique, bound).await
            }
            (Meaning::Update(update), Some(number)) => {
                self.update(number, sql, update, bound).await
            }
            (Meaning::Hold(hold), Some(number)) => self.hold(number, hold, bound).await,
            (_, None) => panic!("a reader cannot write: {sql}"),
        }
    }

    async fn insert(
        &self,
        number: u64,
        sql: &'static str,
        unique: &[&[&'static str]],
        bound: &Bound,
    ) -> Result<(u64, Vec<RehearsalRow>), StorageError> {
        let insert = meaning::insertion(sql);
        let (mut count, mut returned) = (0, Vec::new());
        let alone = std::slice::from_ref(&bound.values);
        for values in if insert.may_be_taken { &bound.rows } else { alone } {
            let row = RehearsalRow::insert(insert.table, &insert.columns, values);
            for (place, columns) in unique.iter().enumerate() {
                let key = Key::unique(insert.table, place, &row, columns);
                self.lock(number, key, Mode::Alone).await?;
            }
            let mut state = self.db.state();
            let is_taken = state.is_taken(number, insert.table, unique, &row);
            if is_taken && self.db.shared.defect != Some(Defect::KeysRepeat) {
                if insert.may_be_taken {
                    continue;
                }
                return Err(StorageError::Duplicate("acted out".into()));
            }
            count += 1;
            if self.db.shared.defect == Some(Defect::Forgets(sql)) {
                continue;
            }
            returned.extend(row.returning(insert.returning));
            state.write(number, insert.table, Arc::new(row));
        }
        Ok((count, returned))
    }

    async fn update(
        &self,
        number: u64,
        sql: &'static str,
        update: &Update,
        bound: &Bound,
    ) -> Result<(u64, Vec<RehearsalRow>), StorageError> {
        let defect = self.db.shared.defect;
        let mut left: Vec<(Uuid, usize)> = {
            let state = self.db.state();
            let seen = state.seen(Some(number));
            let mut found = (update.finds)(&seen, bound);
            if defect != Some(Defect::Unchecked(sql)) {
                found.retain(|&(key, place)| {
                    seen.find(update.table, key)
                        .is_some_and(|row| (update.if_still)(&row, bound, place))
                });
            }
            found
        };
        let (mut count, mut returned) = (0, Vec::new());
        while !left.is_empty() {
            // The order in which a statement comes by its rows is the database's own.
            let (key, place) = left.swap_remove(self.db.surroundings.choose(left.len()));
            self.lock(number, Key::Row(update.table, key), Mode::Alone).await?;
            let mut state = self.db.state();
            let Some(newest) = state.seen(Some(number)).find(update.table, key) else { continue };
            if defect != Some(Defect::Unchecked(sql)) && !(update.if_still)(&newest, bound, place) {
                continue;
            }
            let mut row = newest.as_ref().clone();
            (update.sets)(&mut row, bound, place);
            count += 1;
            returned.extend(row.returning(meaning::returning(sql)));
            if defect == Some(Defect::Forgets(sql)) {
                continue;
            }
            state.write(number, update.table, Arc::new(row));
        }
        Ok((count, returned))
    }

    /// Reads rows once they are held. What a row was joined with when the statement began, it is
    /// joined with at its end, or it is left out.
    async fn hold(
        &self,
        number: u64,
        hold: &Hold,
        bound: &Bound,
    ) -> Result<(u64, Vec<RehearsalRow>), StorageError> {
        let find = || (hold.finds)(&self.db.state().seen(Some(number)), bound);
        let joined = |row: &RehearsalRow| {
            let ids = hold.holds.iter().map(|(_, column, _)| row.id(column));
            ids.collect::<Vec<Option<Uuid>>>()
        };
        let began: Vec<_> = find().iter().map(joined).collect();
        for ids in &began {
            for (&(table, _, mode), id) in hold.holds.iter().zip(ids) {
                if let Some(id) = *id
                    && self.db.shared.defect != Some(Defect::NotHeld(table))
                {
                    self.lock(number, Key::Row(table, id), mode).await?;
                }
            }
        }
        let mut found = find();
        found.retain(|row| began.contains(&joined(row)));
        self.db.surroundings.told(number, &mut found);
        Ok((found.len() as u64, found))
    }

    /// Waits until the transaction has this lock. Who would wait in a circle is told that others
    /// are in the way, and who waits for too long, that the database is away.
    pub(super) async fn lock(&self, number: u64, key: Key, mode: Mode) -> Result<(), StorageError> {
        let waiting = async {
            loop {
                let ended = self.db.shared.ended.notified();
                let claimed = self.db.claim(number, &key, mode);
                match claimed {
                    Claimed::Held => return Ok(()),
                    Claimed::WouldWaitForItself => return Err(conflict()),
                    Claimed::ByAnother => {
                        ended.await;
                        self.db.surroundings.pass().await;
                    }
                }
            }
        };
        let waited = tokio::time::timeout(LOCK_WAIT_MAX, waiting).await;
        self.db.state().waits_no_longer(number);
        waited.unwrap_or_else(|_| Err(unavailable()))
    }
}

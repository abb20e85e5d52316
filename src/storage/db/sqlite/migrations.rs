//! Bringing the schema of a file to the newest version, in the table and by the rules of sqlx's
//! migrations, which are run on servers.

use rusqlite::{Connection, Transaction, TransactionBehavior};
use sqlx::migrate::{MigrateError, Migration};

use super::super::error::DriverError;
use super::super::migrations::MIGRATIONS;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";
const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
const INSERT: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
    VALUES (?1, ?2, TRUE, ?3, 0)";

pub(super) const STATEMENTS: &[&str] = &[APPLIED, INSERT];

/// Applies each migration that is missing, in a transaction of its own.
pub(super) fn run(on: &mut Connection) -> Result<(), DriverError> {
    on.execute_batch(TABLE)?;
    applied(on)?;
    for migration in MIGRATIONS.iter() {
        let tx = on.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may be applying them too.
        if !applied(&tx)?.contains(&migration.version) {
            apply(&tx, migration)?;
        }
        tx.commit()?;
    }
    Ok(())
}

/// The versions that were applied, if all are this program's.
fn applied(on: &Connection) -> Result<Vec<i64>, DriverError> {
    let mut statement = on.prepare(APPLIED)?;
    let mut rows = statement.query([])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        let (version, checksum): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let known = MIGRATIONS.iter().find(|migration| migration.version == version);
        let known = known.ok_or(MigrateError::VersionMissing(version))?;
        if *known.checksum != *checksum {
            return Err(MigrateError::VersionMismatch(version).into());
        }
        versions.push(version);
    }
    Ok(versions)
}

fn apply(tx: &Transaction<'_>, migration: &Migration) -> Result<(), DriverError> {
    tx.execute_batch(migration.sql.as_str())?;
    tx.execute(INSERT, (migration.version, &*migration.description, &*migration.checksum))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let mut on = Connection::open_in_memory().unwrap();
        run(&mut on).unwrap();
        on
    }

    #[test]
    fn a_file_is_migrated_once() {
        let mut on = migrated();
        let expected: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(applied(&on).unwrap(), expected);
        run(&mut on).unwrap();
        assert_eq!(applied(&on).unwrap(), expected);
    }

    #[test]
    fn a_newer_file_and_a_changed_step_are_refused() {
        for (change, expected) in [
            ("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1", "modified"),
            (
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'newer', TRUE, x'00', 0)",
                "missing",
            ),
        ] {
            let mut on = migrated();
            on.execute_batch(change).unwrap();
            let refused = run(&mut on).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        let mut on = Connection::open_in_memory().unwrap();
        // The first step makes a table of this name.
        on.execute_batch("CREATE TABLE users (a)").unwrap();
        run(&mut on).unwrap_err();
        assert!(on.is_autocommit());
        assert!(applied(&on).unwrap().is_empty());
        assert!(on.prepare("SELECT 1 FROM organizations").is_err());
    }
}

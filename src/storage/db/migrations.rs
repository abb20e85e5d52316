//! The migrations, as part of the program.

use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::error::DriverError;
use super::open::{OpenError, SchemaFault};

/// The files of the one folder, for both databases: version, name, text. sqlx has a macro that lists
/// them by itself; it builds sqlx, SQLite and the TLS library a second time, for the compiler.
const FILES: &[(i64, &str, &str)] =
    &[(1, "schema", include_str!("../../../migrations/0001_schema.sql"))];

pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(FILES.iter().map(migration).collect())
});

/// What is wrong with a schema of these versions.
pub(super) fn fault(applied: &[i64]) -> Option<SchemaFault> {
    let known = MIGRATIONS.iter().map(|migration| migration.version);
    if applied.iter().copied().eq(known.clone()) {
        return None;
    }
    let (found, known) = (applied.iter().copied().max(), known.max().unwrap_or_default());
    let newer = found.filter(|found| *found > known);
    Some(newer.map_or(SchemaFault::Outdated, |found| SchemaFault::Newer { found, known }))
}

/// Why migrations were not applied, if the schema is at fault.
///
/// # Errors
/// The cause, if something else is.
pub(super) fn refused(cause: DriverError) -> Result<OpenError, DriverError> {
    match cause.downcast_ref() {
        Some(MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _)) => {
            Ok(fault(&[*version]).unwrap_or(SchemaFault::Other(*version)).into())
        }
        Some(MigrateError::VersionMismatch(version)) => Ok(SchemaFault::Other(*version).into()),
        _ => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_older_newer_or_ours() {
        let ours: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let known = ours.iter().copied().max().unwrap();
        assert_eq!(fault(&ours), None);
        assert_eq!(fault(&[]), Some(SchemaFault::Outdated));
        let newer = Some(SchemaFault::Newer { found: known + 1, known });
        assert_eq!(fault(&[&ours[..], &[known + 1]].concat()), newer);
    }

    #[test]
    fn every_file_of_the_folder_is_listed_with_its_version_and_text() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_owned(), std::fs::read(&path).unwrap()))
            .collect();
        found.sort();
        let listed: Vec<_> = FILES
            .iter()
            .map(|(version, name, sql)| {
                (format!("{version:04}_{name}.sql").into(), sql.as_bytes().to_vec())
            })
            .collect();
        assert_eq!(found, listed);
    }
}

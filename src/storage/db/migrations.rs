//! The migrations, as part of the program.

use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

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

#[cfg(test)]
mod tests {
    use super::*;

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

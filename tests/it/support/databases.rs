//! Databases for the whole service: fresh ones, copies, and everything that one holds.

use std::path::Path;

use keylend::storage::{Db, Location, PostgresSettings};

use super::postgres::cluster;

/// Which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// The template of all PostgreSQL databases: migrated once.
async fn migrated_template() -> String {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let url = tokio::task::spawn_blocking(|| cluster().create_database(None)).await;
            let url = url.unwrap();
            let limits = PostgresSettings::default();
            let location = url.parse().unwrap();
            let db = Db::open(&location, limits, false).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
            url
        })
        .await
        .clone()
}

/// A new database with the newest schema; an SQLite file is migrated by its opener.
pub(crate) async fn fresh(database: Database, folder: &Path) -> Location {
    match database {
        Database::Sqlite => Location::Sqlite(folder.join("keylend.db")),
        Database::Postgres => {
            let template = migrated_template().await;
            copy(&Location::Postgres(template)).await
        }
    }
}

/// A copy of a database that nobody uses.
pub(crate) async fn copy(location: &Location) -> Location {
    match location {
        Location::Sqlite(path) => {
            let copy = path.with_extension("backup");
            std::fs::copy(path, &copy).unwrap();
            Location::Sqlite(copy)
        }
        Location::Postgres(url) => {
            let url = url.clone();
            let copied = tokio::task::spawn_blocking(move || cluster().create_database(Some(&url)));
            copied.await.unwrap().parse().unwrap()
        }
    }
}

/// Everything that a database holds: the bytes of the file and of its log, or the server's own dump.
pub(crate) async fn dump(location: &Location) -> Vec<u8> {
    match location {
        Location::Sqlite(path) => {
            let log = path.with_extension("db-wal");
            [std::fs::read(path).unwrap(), std::fs::read(log).unwrap_or_default()].concat()
        }
        Location::Postgres(url) => {
            let url = url.clone();
            let dump = tokio::task::spawn_blocking(move || cluster().dump(&url));
            dump.await.unwrap().into_bytes()
        }
    }
}

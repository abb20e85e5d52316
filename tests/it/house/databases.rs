//! The databases differ behind one interface: each driver is named in the files of its database alone,
//! and nothing that is shipped has an arm for tests.

use super::sources::{Source, src};

/// Each driver, and the files that may name it.
const DRIVERS: &[(&str, &[&str])] = &[
    (
        "sqlx",
        &[
            "src/storage/db/postgres.rs",
            "src/storage/db/postgres/",
            // They embed and apply the one folder of migrations.
            "src/storage/db/migrations.rs",
            "src/storage/db/sqlite/migrations.rs",
        ],
    ),
    ("rusqlite", &["src/storage/db/sqlite.rs", "src/storage/db/sqlite/"]),
];

fn drivers_out_of_place(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (driver, homes) in DRIVERS {
            let is_home = |home: &&str| source.path == *home || source.path.starts_with(*home);
            if homes.iter().any(is_home) {
                continue;
            }
            for token in source.tokens().iter().filter(|token| token.ident() == Some(driver)) {
                let (path, line) = (&source.path, token.line);
                found.push(format!("{path}:{line}: {driver} is not named here"));
            }
        }
    }
    found
}

/// `#[cfg(test)]` in storage before anything but a module. Formatting gives it a line of its own.
fn arms_for_tests(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let shipped = sources.iter().filter(|source| !source.is_test);
    for source in shipped.filter(|source| source.path.starts_with("src/storage/")) {
        let mut lines = source.text.lines().map(str::trim).enumerate().peekable();
        while let Some((at, line)) = lines.next() {
            let next = lines.peek().map_or("", |(_, next)| *next);
            let is_module = next.split_whitespace().take(2).any(|word| word == "mod");
            if line == "#[cfg(test)]" && !is_module {
                found.push(format!("{}:{}: an arm for tests", source.path, at + 1));
            }
        }
    }
    found
}

#[test]
fn each_driver_is_named_by_its_database_alone() {
    super::assert_none(&drivers_out_of_place(src()));
}

#[test]
fn storage_has_no_arm_for_tests() {
    super::assert_none(&arms_for_tests(src()));
}

#[test]
fn a_driver_out_of_place_is_flagged() {
    for (path, text) in [
        ("src/storage/grants.rs", "use sqlx::SqlitePool;"),
        ("src/storage/db.rs", "use sqlx;"),
        ("src/storage/db/row.rs", "fn a(_: sqlx::postgres::PgRow) {}"),
        ("src/service/a.rs", "#[derive(A)] #[sqlx(transparent)] struct B;"),
    ] {
        let violations = drivers_out_of_place(&[Source::parse(path, text)]);
        super::assert_flagged(&violations, "sqlx is not named here");
    }
    let text = "use sqlx::PgPool;";
    super::assert_none(&drivers_out_of_place(&[Source::parse(
        "src/storage/db/postgres/a.rs",
        text,
    )]));
}

#[test]
fn an_arm_for_tests_is_flagged() {
    for text in [
        "enum A {\n    B,\n    #[cfg(test)]\n    C,\n}",
        "fn a() {\n    match b {\n        #[cfg(test)]\n        B::C => {}\n    }\n}",
        "#[cfg(test)]\npub fn a() {}",
    ] {
        let violations = arms_for_tests(&[Source::parse("src/storage/db.rs", text)]);
        super::assert_flagged(&violations, "an arm for tests");
    }
    for text in ["#[cfg(test)]\nmod tests {}", "#[cfg(test)]\npub(crate) mod tests;"] {
        super::assert_none(&arms_for_tests(&[Source::parse("src/storage/db.rs", text)]));
    }
}

//! A PostgreSQL server that cannot be used.

use keylend::storage::Location;

use super::sqlite::{NOT_MIGRATED, OF_A_NEWER_PROGRAM, make_newer};
use super::{ALL, SERVE_AND_DOCTOR, all_say, installed};
use crate::support::Terminal;
use crate::support::postgres::{Cluster, cluster};

/// A terminal with keys, and the URL of an empty database over TCP.
async fn with_server() -> (Terminal, String) {
    let terminal = installed().await;
    let url = blocking(|cluster| cluster.over_tcp(&cluster.create_database(None)));
    (terminal, url)
}

fn blocking<T>(ask: impl FnOnce(&Cluster) -> T) -> T {
    tokio::task::block_in_place(|| ask(cluster()))
}

async fn all_say_of(mut terminal: Terminal, url: &str, commands: &[&str], expected: &[&str]) {
    terminal.export("KEYLEND_DATABASE_URL", url);
    all_say(&terminal, commands, expected).await;
}

/// The name of the database in a URL.
fn name(url: &str) -> &str {
    url.rsplit_once('/').unwrap().1.split('?').next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_is_named_and_started() {
    let terminal = installed().await;
    let expected = [
        "the PostgreSQL server at 127.0.0.1:9 cannot be reached: start it, or correct its address",
        "refused",
    ];
    all_say_of(terminal, "postgres://me:hunter2@127.0.0.1:9/keys", ALL, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_with_the_user() {
    let (terminal, url) = with_server().await;
    let (user, rest) = url
        .split_once(':')
        .map(|(scheme, rest)| (scheme, rest.split_once('@').unwrap().1))
        .unwrap();
    let wrong = format!("{user}://keylend:hunter2@{rest}");
    let expected = [
        "does not let the user keylend in: correct the user and the password in KEYLEND_DATABASE_URL",
    ];
    all_say_of(terminal, &wrong, ALL, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_made() {
    let (terminal, url) = with_server().await;
    let nowhere = url.replace(name(&url), "nowhere");
    let expected = ["has no database nowhere: make it (CREATE DATABASE)"];
    all_say_of(terminal, &nowhere, ALL, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_not_asked_for_less_than_was_asked_for() {
    let (terminal, url) = with_server().await;
    let required = url.replace("sslmode=disable", "sslmode=require");
    let expected =
        ["would not be protected: turn TLS on at the server (ssl = on)", "sslmode=disable"];
    all_say_of(terminal, &required, ALL, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_server_is_told_from_one_that_is_down() {
    let (terminal, url) = with_server().await;
    blocking(|cluster| {
        let name = name(&url);
        cluster.admin(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"))
    });
    let expected = [
        "a standby or read-only",
        "name the primary in KEYLEND_DATABASE_URL",
        "default_transaction_read_only = off",
    ];
    all_say_of(terminal, &url, ALL, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_another_encoding_is_refused_before_a_name_is() {
    let (terminal, url) = with_server().await;
    let latin = format!("{}_latin", name(&url));
    blocking(|cluster| {
        cluster.admin(&format!("CREATE DATABASE {latin} ENCODING 'LATIN1' TEMPLATE template0"))
    });
    let expected = ["the encoding of the database is LATIN1", "ENCODING 'UTF8' TEMPLATE template0"];
    all_say_of(terminal, &url.replace(name(&url), &latin), ALL, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_not_migrated_and_one_of_a_newer_program_are_told_apart() {
    let (mut terminal, url) = with_server().await;
    terminal.export("KEYLEND_DATABASE_URL", &url);
    all_say(&terminal, SERVE_AND_DOCTOR, &NOT_MIGRATED).await;
    terminal.run(&["migrate"]).await.well();
    make_newer(&url.parse::<Location>().unwrap()).await;
    all_say(&terminal, ALL, &OF_A_NEWER_PROGRAM).await;
}

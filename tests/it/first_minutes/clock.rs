//! A clock that is two hours off.

use std::path::Path;

use super::installed;
use crate::support::people::PASSWORD;
use crate::support::postgres::cluster;
use crate::support::{Terminal, preloaded};

/// Shows the program a clock that is so many hours from the machine's.
fn set_clock(terminal: &mut Terminal, hours: i64) {
    let path = terminal.folder().join("clock");
    std::fs::write(&path, (hours * 60 * 60 * 1_000_000).to_ne_bytes()).unwrap();
    let library: &Path = preloaded::clock();
    terminal.export("LD_PRELOAD", library.to_str().unwrap());
    terminal.export("KEYLEND_TEST_CLOCK", path.to_str().unwrap());
}

async fn is_told(terminal: &Terminal, expected: &[&str]) {
    let mut service = terminal.start(&["serve"]);
    let logged = service.logged_after("nothing is authorized any more").await;
    assert!(service.terminate().await.success());
    let examined = terminal.run(&["doctor"]).await.ended(1);
    let found = examined.lines().find(|line| line.starts_with("✗ clock: ")).expect(&examined);
    for text in expected {
        assert!(logged.contains(text), "serve does not say {text:?}: {logged}");
        assert!(found.contains(text), "doctor does not say {text:?}: {found}");
    }
}

/// Makes the first entry of the record.
async fn with_an_entry() -> Terminal {
    let terminal = installed().await;
    make_administrator(&terminal).await;
    terminal
}

async fn make_administrator(terminal: &Terminal) {
    let admin = ["admin", "create", "--organization", "Cars", "--email", "ada@example.com"];
    terminal.run_with(&[&admin[..], &["--password-stdin"]].concat(), PASSWORD).await.well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_behind_the_record_is_put_right_or_vouched_for() {
    let mut terminal = with_an_entry().await;
    set_clock(&mut terminal, -2);
    let expected = ["behind the newest entry of the record: put it right", "--accept-clock"];
    is_told(&terminal, &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_not_the_servers_is_put_right() {
    for hours in [-2, 2] {
        let mut terminal = installed().await;
        let made = tokio::task::spawn_blocking(|| cluster().create_database(None)).await.unwrap();
        terminal.export("KEYLEND_DATABASE_URL", &made);
        terminal.run(&["migrate"]).await.well();
        make_administrator(&terminal).await;
        set_clock(&mut terminal, hours);
        let expected =
            ["the clock and the database server's differ by 7", "put right the one that is wrong"];
        is_told(&terminal, &expected).await;
    }
}

//! The throwaway server itself, put to the test.

use std::os::unix::process::ExitStatusExt as _;

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use super::*;

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the database is there")
}

#[tokio::test]
async fn a_copy_has_what_its_template_had_and_goes_its_own_way() {
    let template = cluster().create_database(None);
    let mut connection = connect(&template).await;
    connection.execute("CREATE TABLE cars (name TEXT)").await.expect("a table");
    connection.close().await.expect("a clean end");

    let (one, other) =
        (cluster().create_database(Some(&template)), cluster().create_database(Some(&template)));
    let mut one = connect(&one).await;
    one.execute("INSERT INTO cars VALUES ('bus')").await.expect("a row");
    let mut other = connect(&other).await;
    let row = other.fetch_one("SELECT COUNT(*) FROM cars").await.expect("a count");
    assert_eq!(row.get::<i64, _>(0), 0);
}

#[tokio::test]
async fn both_ways_lead_to_the_same_database() {
    let url = cluster().create_database(None);
    for way in [url.clone(), cluster().over_tcp(&url)] {
        let mut connection = connect(&way).await;
        let row = connection.fetch_one("SELECT current_database()").await.expect("a name");
        assert_eq!(row.get::<String, _>(0), database_name(&url));
    }
}

#[tokio::test]
async fn the_tcp_port_asks_for_the_password() {
    let url = cluster().over_tcp(&cluster().create_database(None));
    let wrong = url.replace(&cluster().password, "guess");
    assert_ne!(url, wrong);
    let refusal = PgConnection::connect(&wrong).await.expect_err("a guess is refused");
    assert!(refusal.to_string().contains("password authentication failed"), "{refusal}");
}

#[test]
fn a_process_ends_with_the_thread_that_started_it() {
    let owner = Owner::of(tempfile::tempdir().expect("a folder").path());
    let start = move || {
        let mut command = owner.command(Path::new("cat"));
        let mut cat = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat");
        // Idempotency it answers, its last will is made.
        let mut line = String::new();
        writeln!(cat.stdin.as_mut().expect("a pipe"), "ready").expect("cat reads");
        let answers = cat.stdout.as_mut().expect("a pipe");
        BufReader::new(answers).read_line(&mut line).expect("cat writes");
        assert_eq!(line, "ready\n");
        cat
    };
    let mut cat = thread::spawn(start).join().expect("the thread ends, its child is running");
    let stdin = cat.stdin.take();
    let status = cat.wait().expect("it ends");
    drop(stdin);
    assert_eq!(status.signal(), Some(2), "{status}");
}

#[test]
fn what_is_left_of_processes_that_are_gone_is_swept_and_nothing_else() {
    let parent = tempfile::tempdir().expect("a folder");
    // Process 1 is always there; beyond 2^22 Linux gives no process ids.
    let names = ["keylend-pg-4194305", "keylend-pg-1", "keylend-pg-mine", "other-4194305"];
    for name in names {
        fs::create_dir(parent.path().join(name)).expect("a folder");
    }
    sweep(parent.path());
    let left = names.map(|name| parent.path().join(name).exists());
    assert_eq!(left, [false, true, true, true]);
}

//! Somebody else with an account on the machine of the service, who reads whatever files he may.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Terminal;

#[tokio::test]
async fn files_of_the_database_are_nobody_elses_whatever_the_umask_is() {
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:9");
    terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
    terminal.export("KEYLEND_PUBLIC_URL", "http://127.0.0.1:8080");
    let mut service = terminal.start_after("umask 000", &["serve", "--create"]);
    service.logged_after("public_url=").await;
    for file in ["keylend.db", "keylend.db-wal", "keylend.db-shm", "keylend.keys"] {
        let metadata = std::fs::metadata(terminal.folder().join(file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
    assert!(service.terminate().await.success());
}

//! Settings with which anybody could do what only some may: the service does not start on them.

use crate::support::Terminal;

/// A service that would start.
fn terminal() -> Terminal {
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:9");
    terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
    terminal
}

#[tokio::test]
async fn a_service_that_anybody_could_enter_does_not_start_and_says_why() {
    for (setting, value, why) in [
        ("KEYLEND_RECORD_READER_TOKEN", "x", "at least 16 characters"),
        ("KEYLEND_SMARTCAR_MANAGEMENT_TOKEN", "x", "at least 16 characters"),
        ("KEYLEND_PUBLIC_URL", "http://keys.example.com", "KEYLEND_PUBLIC_URL_INSECURE"),
    ] {
        let mut terminal = terminal();
        // What is exported last counts.
        terminal.export("KEYLEND_PUBLIC_URL", "https://keys.example.com");
        terminal.export(setting, value);
        for command in [&["serve", "--create"][..], &["doctor"]] {
            let said = terminal.run(command).await.failed();
            assert!(said.contains(setting) && said.contains(why), "{said}");
        }
    }
}

#[tokio::test]
async fn whoever_wants_an_address_in_clear_says_so_and_is_reminded() {
    let mut terminal = terminal();
    terminal.export("KEYLEND_PUBLIC_URL", "http://keys.example.com");
    terminal.export("KEYLEND_PUBLIC_URL_INSECURE", "true");
    let mut service = terminal.start(&["serve", "--create"]);
    service.logged_after("passwords and tokens cross the network in clear").await;
    assert!(service.terminate().await.success());
}

#[tokio::test]
async fn a_secret_can_be_kept_out_of_the_environment() {
    let mut terminal = terminal();
    terminal.export("KEYLEND_PUBLIC_URL", "https://keys.example.com");
    let file = terminal.folder().join("database-url");
    std::fs::write(&file, "sqlite:of-the-file.db\n").unwrap();
    terminal.export("KEYLEND_DATABASE_URL_FILE", file.to_str().unwrap());
    terminal.run(&["migrate"]).await.well();
    assert!(terminal.folder().join("of-the-file.db").exists());
    terminal.export("KEYLEND_DATABASE_URL", "sqlite:other.db");
    let said = terminal.run(&["migrate"]).await.failed();
    assert!(said.contains("KEYLEND_DATABASE_URL and KEYLEND_DATABASE_URL_FILE"), "{said}");
}

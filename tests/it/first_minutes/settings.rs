//! Settings that cannot be: each is named with its value, what happened and what to do, all at once.

use super::{installed, terminal};

#[tokio::test]
async fn a_number_with_a_unit_is_told_which_unit_is_meant() {
    let cases = [
        (
            "KEYLEND_SMARTCAR_TIMEOUT_S",
            "10 minutes",
            "whole number of seconds without a unit, such as 30",
        ),
        ("KEYLEND_SMARTCAR_TIMEOUT_S", "5s", "whole number of seconds without a unit, such as 30"),
        ("KEYLEND_SMARTCAR_TIMEOUT_S", "600", "in 1..=60, such as 30"),
        ("KEYLEND_KEPT_DAYS", "90d", "whole number of days without a unit, such as 90"),
        ("KEYLEND_PASSWORD_HASHES_MAX", "two", "whole number, such as 2"),
    ];
    for (setting, value, remedy) in cases {
        let mut terminal = terminal();
        terminal.export(setting, value);
        for command in ["serve", "doctor"] {
            let printed = terminal.run(&[command]).await;
            assert_eq!(printed.status.code(), Some(2), "{printed:?}");
            assert!(
                printed.stderr.contains(&format!("keylend: {setting}={value}: ")),
                "{printed:?}"
            );
            assert!(printed.stderr.contains(remedy), "{printed:?}");
        }
    }
}

#[tokio::test]
async fn a_public_address_without_scheme_or_in_clear_is_refused_with_an_example() {
    for (value, remedy) in [
        (
            "keys.example.org",
            "must be an http:// or https:// address, such as https://keys.example.org",
        ),
        (
            "http://keys.example.org",
            "is not encrypted: give an https:// address, or say KEYLEND_PUBLIC_URL_INSECURE=true",
        ),
    ] {
        let mut terminal = terminal();
        terminal.export("KEYLEND_PUBLIC_URL", value);
        for command in ["serve", "doctor"] {
            let printed = terminal.run(&[command]).await;
            assert!(!printed.status.success(), "{printed:?}");
            assert!(printed.stderr.contains(&format!("KEYLEND_PUBLIC_URL={value}")), "{printed:?}");
            assert!(printed.stderr.contains(remedy), "{printed:?}");
        }
    }
}

#[tokio::test]
async fn every_setting_that_is_wrong_is_named_in_one_message() {
    let mut terminal = installed().await;
    let wrong = [
        // Cannot be read.
        ("KEYLEND_LISTEN", "localhost:8080"),
        ("KEYLEND_SMARTCAR_TIMEOUT_S", "5s"),
        ("KEYLEND_DATABASE_URL", "mysql://me:hunter2@db/keys"),
        // Can be read, and cannot be.
        ("KEYLEND_PUBLIC_URL", "http://keys.example.org"),
        ("KEYLEND_RECORD_READER_TOKEN", "short"),
        ("KEYLEND_SMARTCAR_V3_CLIENT_ID", "half"),
    ];
    for (setting, value) in wrong {
        terminal.export(setting, value);
    }
    for command in ["serve", "doctor"] {
        let printed = terminal.run(&[command]).await;
        assert_eq!(printed.status.code(), Some(2), "{printed:?}");
        let said = printed.stderr;
        assert!(said.starts_with("keylend: 6 settings are wrong:\n"), "{said}");
        for (setting, _) in wrong {
            let named = setting.replace("V3_CLIENT_ID", "V3_CLIENT_SECRET");
            assert!(said.contains(&format!("\n  {named}")), "{named}: {said}");
        }
        assert!(
            !said.contains("hunter2") && !said.contains("short\n"),
            "a secret is shown: {said}"
        );
    }
}

#[tokio::test]
async fn an_address_that_the_simulator_cannot_have_is_told_with_the_flag() {
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let said = terminal().run(&["simulate", "--listen", &taken]).await.failed();
    let expected = format!(
        "cannot listen at {taken}: another program does; stop it, or give another address as --listen"
    );
    assert!(said.contains(&expected), "{said}");
}

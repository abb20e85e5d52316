//! Logins that are kept: whose they are, how long they last, and what ends them.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::desk::Desk;
use crate::support::on_both;
use crate::support::people::PASSWORD;
use crate::support::{Database, Terminal, TestApp};

const REFRESHES: &str = "SELECT count(*) FROM audit_entries WHERE event = 'session.refreshed'";
/// Longer than an access token lives.
const LONG: Duration = Duration::from_secs(11 * 60);

on_both! {
    async fn a_login_that_has_expired_is_refreshed_once_by_however_many_commands(app) {
        let member = app.member("olga").await;
        let desk = Desk::at(app.url());
        desk.sign_in("olga", "olga@story.example").await;
        assert_eq!(desk.line("olga", "whoami -o id").await, member.id);
        let before = desk.kept("olga");
        app.advance(LONG);
        let together = (0..5).map(|_| desk.run("olga", "whoami -o id"));
        for printed in join_all(together).await {
            assert_eq!(printed.well().trim(), member.id);
        }
        assert_eq!(app.count(REFRESHES).await, 1);
        assert_ne!(desk.kept("olga")["renewal"], before["renewal"]);
        let mode = std::fs::metadata(desk.file("olga")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        // And by this machine's clock, before the server is asked.
        let mut old = desk.kept("olga");
        old["expires_at"] = json!("2026-01-01T00:00:00Z");
        std::fs::write(desk.file("olga"), old.to_string()).unwrap();
        desk.run("olga", "vehicles list").await.well();
        assert_eq!(app.count(REFRESHES).await, 2);
    }

    async fn a_session_that_is_over_says_what_to_do(app) {
        let member = app.member("olga").await;
        let desk = Desk::at(app.url());
        desk.sign_in("olga", "olga@story.example").await;
        let sessions = format!("/v1/users/{}/sessions", member.id);
        app.admin().await.delete(&sessions).await.expect(204);
        let said = desk.run("olga", "vehicles list").await.unmet(3);
        assert!(said.starts_with("keylend: the login of profile olga is over; run `keylend login --profile olga`\n"), "{said}");
        assert!(said.contains("  code: token_invalid\n"), "{said}");
        desk.run("olga", "logout").await.well();
        assert!(!desk.file("olga").exists());

        desk.sign_in("olga", "olga@story.example").await;
        desk.run("olga", "logout").await.well();
        desk.run("olga", "whoami").await.unmet(3);
    }

    async fn a_claim_with_a_pin_needs_both(app) {
        let desk = Desk::at(app.url());
        desk.sign_in("ada", "admin@story.example").await;
        let create = "users create --email olga@story.example --with-pin -o json";
        let made = desk.run("ada", create).await.json();
        let text = |name: &str| made[name].as_str().unwrap();
        let login = "login --claim --password-stdin";
        let without = format!("{}\n{PASSWORD}\n", text("claim_url"));
        let said = desk.run_with("olga", login, &without).await.unmet(4);
        assert!(said.contains("code: pin_missing") && !said.contains(text("claim_token")), "{said}");
        let with = format!("{}\n{}\n{PASSWORD}\n", text("claim_token"), text("claim_pin"));
        desk.run_with("olga", &format!("{login} --pin"), &with).await.well();
        assert_eq!(desk.line("olga", "whoami -o id").await, text("user_id"));
    }

    async fn an_api_client_acts_for_whom_it_may(app) {
        let owner = app.owner().await;
        let admin = app.admin().await;
        let body = json!({ "name": "Backend", "scopes": ["users:read", "vehicles:read"] });
        let made = admin.post("/v1/api-clients", body).await.expect(201);
        let allow = format!("/v1/users/me/allowed-clients/{}", made.text("api_client_id"));
        owner.put(&allow, json!({})).await.expect(200);
        let desk = Desk::at(app.url());
        let login = format!("login --client-id {} --client-secret-stdin", made.text("client_id"));
        let said = desk.run_with("bot", &login, "not its secret").await.unmet(3);
        assert!(said.contains("credentials of an API client"), "{said}");
        desk.run_with("bot", &login, &made.text("client_secret")).await.well();
        assert_eq!(desk.line("bot", "whoami -o id").await, made.text("client_id"));
        let cars = format!("vehicles list --acting-for {} -o id", owner.id);
        assert_eq!(desk.run("bot", &cars).await.well().lines().count(), 3);
        app.advance(LONG);
        assert_eq!(desk.run("bot", &cars).await.well().lines().count(), 3);

        let login = format!("{login} --acting-for {}", owner.id);
        desk.run_with("bot", &login, &made.text("client_secret")).await.well();
        assert_eq!(desk.run("bot", "vehicles list -o id").await.well().lines().count(), 3);
        let shown = desk.run("bot", "whoami").await.well();
        assert!(!shown.contains(&made.text("client_secret")), "{shown}");
        desk.run("bot", "logout").await.well();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_stands_where_the_system_wants_it_and_is_its_owners_alone() {
    let app = TestApp::start(Database::Sqlite).await;
    app.member("olga").await;
    let mut terminal = Terminal::open();
    let login =
        ["login", "--email", "olga@story.example", "--password-stdin", "--server", app.url()];
    let said = terminal.run_with(&login, PASSWORD).await.unmet(2);
    assert!(said.contains("KEYLEND_CONFIG or HOME"), "{said}");
    let home = terminal.folder().to_str().unwrap().to_owned();
    terminal.export("HOME", &home);
    let printed = terminal.run_with(&login, PASSWORD).await.well();
    assert_eq!(printed, format!("signed in at {} as profile default\n", app.url()));
    let folder = terminal.folder().join(".config/keylend/profiles");
    let file = folder.join("default.json");
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));

    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let said = terminal.run(&["whoami"]).await.failed();
    assert!(said.contains("chmod 600"), "{said}");
    std::fs::write(&file, "{}").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let said = terminal.run(&["whoami"]).await.unmet(3);
    assert!(said.contains("no login that this version can read; run `keylend login`"), "{said}");
    app.finish().await;
}

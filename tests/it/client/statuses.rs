//! With which status the program ends, and what it says, when something is not done.

use super::desk::Desk;

const NOBODY: &str = "01k0a6v8w5e3tb3q6m1x9r7yzn";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_fail_has_a_status_of_its_own() {
    let (desk, served) = Desk::served().await;
    let said = desk.run("ada", "grants list").await.unmet(3);
    assert_eq!(
        said,
        "keylend: not signed in as profile ada; run `keylend login --profile ada` first\n"
    );
    let wrong = "login --email ada@example.com --password-stdin";
    let said = desk.run_with("ada", wrong, "not her password").await.unmet(3);
    assert!(said.contains("code: credentials_invalid"), "{said}");
    assert!(!desk.file("ada").exists());
    let said = desk.run("ada", "login --email ada@example.com").await.unmet(2);
    assert!(said.contains("give --password-stdin"), "{said}");
    desk.sign_in("ada", "ada@example.com").await;
    desk.invite("ada", "gus").await;

    desk.run("ada", "grants get grt_1").await.unmet(2);
    let said = desk.run("gus", "users create --email x@example.com").await.unmet(4);
    assert!(said.contains("code: admin_only"), "{said}");
    let said = desk.run("ada", &format!("grants get grt_{NOBODY}")).await.unmet(5);
    assert!(said.contains("code: not_found"), "{said}");
    let said = desk.run("ada", "users create --email gus@example.com").await.unmet(6);
    assert!(said.contains("request: "), "{said}");
    let said = desk.run("ada", "users create --email nowhere").await.unmet(6);
    assert!(said.contains("/email "), "{said}");

    desk.connect("ada").await;
    let car = desk.run("ada", "vehicles list --limit 1 -o id").await.well().trim().to_owned();
    assert!(served.cloud.terminate().await.success());
    let said = desk.run("ada", &format!("commands send unlock --vehicle-id {car}")).await.unmet(8);
    assert!(said.contains("command: cmd_") && said.contains(", failed"), "{said}");

    assert!(served.service.terminate().await.success());
    let said = desk.run("ada", "whoami").await.unmet(7);
    assert!(said.starts_with(&format!("keylend: no answer from {}: ", desk.server)), "{said}");
    let said = desk.run("gus", "logout").await.unmet(7);
    assert!(said.contains("forgotten here") && !desk.file("gus").exists(), "{said}");
}

#[tokio::test]
async fn secrets_do_not_leave_in_clear_and_are_not_taken_as_arguments() {
    let desk = Desk::at("http://keys.example.com");
    let said = desk.run("ada", "login --email a@example.com --password-stdin").await.unmet(2);
    assert!(said.contains("not encrypted") && said.contains("--insecure"), "{said}");
    for line in ["login --email a@example.com --password x", "login --claim kl_claim_x"] {
        desk.run("ada", line).await.unmet(2);
    }
}

#[tokio::test]
async fn completions_are_printed_for_each_shell() {
    let desk = Desk::at("http://127.0.0.1:1");
    for (shell, mark) in
        [("bash", "complete -F"), ("zsh", "#compdef keylend"), ("fish", "complete -c keylend")]
    {
        let script = desk.terminal.run(&["completions", shell]).await.well();
        assert!(script.contains(mark) && script.contains("set_charge_limit"), "{shell}");
    }
}

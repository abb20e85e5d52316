//! The program's commands beside the demo, as an operator types them.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::app::http_client;
use crate::support::people::PASSWORD;
use crate::support::program::Running;
use crate::support::{Reply, Terminal};

const ADMIN: [&str; 7] = [
    "admin",
    "create",
    "--organization",
    "Example Cars",
    "--email",
    "ada@example.com",
    "--password-stdin",
];
const DATABASE: &str = "KEYLEND_DATABASE_URL";

/// A terminal in whose folder `keylend migrate` was run.
async fn migrated() -> Terminal {
    let terminal = Terminal::open();
    terminal.run(&["migrate"]).await.well();
    terminal
}

/// A running service, and its address.
async fn serving() -> (Terminal, Running, String) {
    let mut terminal = migrated().await;
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:8090");
    terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
    terminal.export("KEYLEND_PUBLIC_URL", "https://keys.example.com");
    let mut service = terminal.start(&["serve"]);
    let address = service.logged_after("address=").await;
    let address = address.split_whitespace().next().unwrap().to_owned();
    (terminal, service, address)
}

#[tokio::test]
async fn migrate_makes_a_database_and_a_key_file_that_is_its_owners_alone() {
    let terminal = Terminal::open();
    let printed = terminal.run(&["migrate"]).await.well();
    assert_eq!(printed, "migrated; made the key file keylend.keys\n");
    let key_file = terminal.folder().join("keylend.keys");
    assert!(terminal.folder().join("keylend.db").exists());
    let keys = std::fs::read(&key_file).unwrap();
    let mode = std::fs::metadata(&key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);

    let printed = terminal.run(&["migrate", "-o", "json"]).await.json();
    let there = json!({ "migrated": true, "key_file": "keylend.keys", "key_file_created": false });
    assert_eq!(printed, there);
    assert_eq!(std::fs::read(&key_file).unwrap(), keys, "the keys were replaced");
}

#[tokio::test]
async fn an_administrator_is_made_with_a_password_from_standard_input() {
    let terminal = migrated().await;
    let arguments = [&ADMIN[..], &["-o", "json"]].concat();
    let made = terminal.run_with(&arguments, &format!("{PASSWORD}\n")).await.json();
    let ids = made.as_object().unwrap();
    assert_eq!(ids.keys().collect::<Vec<_>>(), ["organization_id", "user_id"]);
    assert!(made["organization_id"].as_str().unwrap().starts_with("org_"), "{made}");
    assert!(made["user_id"].as_str().unwrap().starts_with("usr_"), "{made}");

    let again = terminal.run_with(&ADMIN, PASSWORD).await.failed();
    assert_eq!(again, "keylend: the organization has an account with this address\n");
}

#[tokio::test]
async fn what_cannot_be_an_administrator_is_refused_with_a_sentence() {
    let terminal = migrated().await;
    for weak in ["", "short", "password1password1"] {
        let said = terminal.run_with(&ADMIN, weak).await.failed();
        assert!(said.starts_with("keylend: password "), "{weak:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{weak:?}: {said}");
        assert!(weak.is_empty() || !said.contains(weak), "the password is repeated: {said}");
    }
    let unnamed = ["admin", "create", "--organization", " ", "--email", "a@example.com"];
    let said = terminal.run(&[&unnamed[..], &["--password-stdin"]].concat()).await.failed();
    assert!(said.contains("organization's name must have"), "{said}");
    let nowhere = ["admin", "create", "--organization", "x", "--email", "nowhere"];
    let said = terminal.run(&[&nowhere[..], &["--password-stdin"]].concat()).await.failed();
    assert!(said.contains("address"), "{said}");
    // Where others could see it, a password is not taken at all.
    let without = ["admin", "create", "--organization", "x", "--email", "a@example.com"];
    assert_eq!(terminal.run(&without).await.status.code(), Some(2));
}

/// The arguments of a service of the composition, with its volume in this folder.
fn composed(terminal: &Terminal, service: &str) -> Vec<String> {
    let composition = include_str!("../../compose.yaml");
    let (_, service) = composition.split_once(&format!("\n  {service}:\n")).expect(service);
    let command = service.lines().find_map(|line| line.trim().strip_prefix("command: ")).unwrap();
    let arguments: Vec<String> = serde_json::from_str(command).unwrap();
    let folder = terminal.folder().to_str().unwrap();
    arguments.iter().map(|argument| argument.replace("/data", folder)).collect()
}

#[tokio::test]
async fn the_composition_ends_with_an_administrator_whose_link_nobody_else_can_read() {
    let mut terminal = Terminal::open();
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:8090");
    let run = async |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        terminal.run(&arguments).await
    };
    run(&composed(&terminal, "migrate")).await.well();
    let admin = composed(&terminal, "admin");
    let said = run(&admin).await.well();
    let path = terminal.folder().join("first-administrator");
    assert!(
        said.ends_with(&format!("the link to the account is in {}\n", path.display())),
        "{said}"
    );
    let link = std::fs::read_to_string(&path).unwrap();
    assert!(
        link.starts_with("http://127.0.0.1:8080/c#kl_claim_") && link.ends_with('\n'),
        "{link}"
    );
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!said.contains(link.trim()), "{said}");

    // The next start makes nothing, and leaves the link as it is.
    let again = run(&admin).await.well();
    assert!(again.starts_with("nothing was made"), "{again}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), link);
    // Without being told that it may, it replaces no link.
    let (_, careful) = admin.split_last().unwrap();
    let said = run(careful).await.failed();
    assert!(said.contains("it is there already; move it away, or name another"), "{said}");
    let files = std::fs::read_dir(terminal.folder()).unwrap();
    assert!(
        !files
            .map(|file| file.unwrap().path())
            .any(|path| path.extension() == Some("new".as_ref()))
    );
}

#[tokio::test]
async fn serve_makes_no_database_by_accident_and_says_what_to_do() {
    let mut terminal = Terminal::open();
    let said = terminal.run(&["serve"]).await.failed();
    assert!(said.contains("KEYLEND_SMARTCAR_CLIENT_ID is not set"), "{said}");
    assert!(said.contains("KEYLEND_SIMULATOR_URL"), "{said}");
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:8090");
    let said = terminal.run(&["serve"]).await.failed();
    assert!(
        said.contains("there is no database at keylend.db; `keylend migrate` makes one"),
        "{said}"
    );
    assert!(!terminal.folder().join("keylend.db").exists());
    assert!(!terminal.folder().join("keylend.keys").exists());

    terminal.run(&["migrate"]).await.well();
    let key_file = terminal.folder().join("keylend.keys");
    std::fs::set_permissions(&key_file, PermissionsExt::from_mode(0o644)).unwrap();
    let said = terminal.run(&["serve"]).await.failed();
    assert!(said.contains("keylend.keys") && said.contains("chmod 600"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_serves_the_description_that_openapi_prints_until_it_is_asked_to_end() {
    let (terminal, mut service, address) = serving().await;
    let served = http_client().get(format!("http://{address}/openapi.yaml")).send().await.unwrap();
    assert_eq!(served.status(), 200);
    let printed = terminal.run(&["openapi"]).await.well();
    assert!(printed.starts_with("openapi: 3.1"), "{printed:.40}");
    assert_eq!(served.text().await.unwrap(), printed);

    let kid = terminal.run(&["keys", "rotate", "-o", "json"]).await.json()["grant_key"].clone();
    service.hang_up().await;
    service.logged_after("the key file was read again").await;
    let jwks = http_client().get(format!("http://{address}/.well-known/jwks.json")).send().await;
    let jwks = Reply::read(jwks.unwrap()).await.expect(200).body;
    let kids: Vec<&Value> =
        jwks["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert!(kids.contains(&&kid), "{jwks}");

    assert_eq!(service.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn each_rotation_signs_with_a_new_key() {
    let terminal = migrated().await;
    let first = terminal.run(&["keys", "rotate", "-o", "json"]).await.json();
    let second = terminal.run(&["keys", "rotate", "-o", "json"]).await.json();
    assert!(first["grant_key"].is_string(), "{first}");
    assert_ne!(first, second);
    let printed = terminal.run(&["keys", "rotate"]).await.well();
    assert!(printed.ends_with(" from now on\n"), "{printed}");
    let mode = std::fs::metadata(terminal.folder().join("keylend.keys")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o7777, 0o600);

    let said = terminal.run(&["keys", "rotate", "--key-file", "none.keys"]).await.failed();
    assert!(said.contains("none.keys"), "{said}");
}

/// The checks in order, and whether each is well.
fn findings(printed: &str) -> Vec<(String, bool)> {
    let findings = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    findings
        .map(|finding| {
            assert!(!finding["finding"].as_str().unwrap().is_empty(), "{finding}");
            (finding["check"].as_str().unwrap().to_owned(), finding["well"].as_bool().unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_is_well_and_what_is_not() {
    let mut terminal = migrated().await;
    let mut simulator = terminal.start(&["simulate", "--listen", "127.0.0.1:0"]);
    let url = simulator.after("simulated vehicle cloud at ").await;
    terminal.export("KEYLEND_SIMULATOR_URL", &url);
    let well = terminal.run(&["doctor", "-o", "json"]).await.well();
    let expected = ["keys", "database", "statements", "clock", "record", "vehicle cloud"];
    assert_eq!(findings(&well), expected.map(|check| (check.to_owned(), true)));
    let well = terminal.run(&["doctor"]).await.well();
    assert!(well.lines().all(|line| line.starts_with("✓ ")), "{well}");

    assert_eq!(simulator.terminate().await.code(), Some(0));
    terminal.export(DATABASE, "sqlite:elsewhere.db");
    std::fs::remove_file(terminal.folder().join("keylend.keys")).unwrap();
    let unwell = terminal.run(&["doctor", "-o", "json"]).await;
    let expected = ["keys", "database", "vehicle cloud"];
    assert_eq!(findings(&unwell.stdout), expected.map(|check| (check.to_owned(), false)));
    assert_eq!(unwell.failed(), "keylend: 3 of the checks failed\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulator_takes_its_cars_from_a_file() {
    let terminal = Terminal::open();
    let cars = json!({ "vehicles": [
        { "make": "Audi", "model": "e-tron", "year": 2022, "id": "family-car" },
        { "make": "Renault", "model": "Zoe", "year": 2019, "is_locked": false,
            "powertrain": "BEV", "battery_level": 0.25, "charge_limit": 0.9 },
    ]});
    std::fs::write(terminal.folder().join("cars.json"), cars.to_string()).unwrap();
    let simulate =
        ["simulate", "--listen", "127.0.0.1:0", "--state-fixed", "--seed", "5", "--fleet"];
    let mut simulator = terminal.start(&[&simulate[..], &["cars.json"]].concat());
    let url = simulator.after("simulated vehicle cloud at ").await;
    let shown = http_client().get(format!("{url}/_sim/vehicles")).send().await.unwrap();
    let shown = Reply::read(shown).await.expect(200).body;
    let cars = shown["vehicles"].as_array().unwrap();
    let audi = cars.iter().find(|car| car["id"] == "family-car").unwrap();
    assert_eq!((&audi["make"], &audi["model"]), (&json!("AUDI"), &json!("e-tron")));
    assert_eq!((cars.len(), &audi["is_locked"]), (2, &json!(true)));
    let zoe = cars.iter().find(|car| car["model"] == "Zoe").unwrap();
    assert_eq!((&zoe["year"], &zoe["is_locked"]), (&json!(2019), &json!(false)));
    assert_eq!((&zoe["battery"]["percentRemaining"], &zoe["fuel"]), (&json!(0.25), &json!(null)));
    assert_eq!(simulator.terminate().await.code(), Some(0));

    std::fs::write(terminal.folder().join("cars.json"), r#"{"vehicles":[]}"#).unwrap();
    let said = terminal.run(&[&simulate[..], &["cars.json"]].concat()).await.failed();
    assert!(said.contains("between 1 and 100000 vehicles"), "{said}");
    let said = terminal.run(&[&simulate[..], &["none.json"]].concat()).await.failed();
    assert!(said.contains("none.json"), "{said}");
}

#[tokio::test]
async fn what_is_wrong_with_the_settings_is_said_with_what_to_do() {
    let mut terminal = migrated().await;
    terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:8090");
    // An address that somebody else listens at.
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let said = terminal
        .run(&["serve", "--listen", &taken, "--public-url", "http://localhost"])
        .await
        .failed();
    let expected = format!(
        "keylend: cannot listen at {taken}: another program does; stop it, or give another address as KEYLEND_LISTEN"
    );
    assert!(said.contains(&expected), "{said}");
    // One that is a name.
    let said = terminal.run(&["serve", "--listen", "localhost:8080"]).await;
    assert!(
        said.stderr.contains("must be an address in numbers and a port, such as 127.0.0.1:8080"),
        "{}",
        said.stderr
    );
    // A setting that is misspelt, and one that is nobody's.
    terminal.export("KEYLEND_DATABSE_URL", "sqlite:elsewhere.db");
    terminal.export("KEYLEND_COLOUR", "red");
    let said = terminal.run(&["keys", "show"]).await;
    let log = format!("{}{}", said.stdout, said.stderr);
    assert!(log.contains("KEYLEND_DATABSE_URL is set, but there is no such setting; did you mean KEYLEND_DATABASE_URL?"), "{log}");
    assert!(log.contains("KEYLEND_COLOUR is set, but there is no such setting"), "{log}");
    assert!(!log.contains("KEYLEND_SIMULATOR_URL is set"), "{log}");
}

#[tokio::test]
async fn every_refusal_is_a_line_of_the_log_with_the_name_of_its_request() {
    let (_terminal, mut service, address) = serving().await;
    let url = format!("http://{address}");
    let answer = http_client().get(format!("{url}/v1/grants")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let line = service.logged_after(&request_id).await;
    assert!(line.contains("status=401") && line.contains("token_missing"), "{line}");
    assert!(service.terminate().await.success());
}

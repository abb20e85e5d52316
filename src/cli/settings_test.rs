//! Settings from flags.

use clap::{CommandFactory, Parser};

use super::*;
use crate::config::{KEPT, Limits, Origins};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    log: LogSettings,
}

fn checked(line: &[&str]) -> Result<Config, InvalidSettings> {
    let line = ["keylend"].iter().chain(line);
    Line::try_parse_from(line).unwrap().settings.into_config()
}

/// The same of a line with at most one mistake.
fn config(line: &[&str]) -> Result<Config, InvalidSetting> {
    checked(line).map_err(|wrong| match wrong.all() {
        [only] => only.clone(),
        several => panic!("{several:?}"),
    })
}

#[test]
fn every_setting_is_a_flag_and_a_variable_of_the_same_name() {
    let command = Line::command();
    command.clone().debug_assert();
    for argument in command.get_arguments() {
        let flag = argument.get_long().unwrap();
        if flag == "help" {
            continue;
        }
        let variable = format!("KEYLEND_{}", flag.to_uppercase().replace('-', "_"));
        assert_eq!(argument.get_env().unwrap(), &*variable);
    }
}

#[test]
fn a_simulator_plays_all_parts_and_needs_no_credentials() {
    let config = config(&["--simulator-url", "http://127.0.0.1:9000/"]).unwrap();
    let origin = "http://127.0.0.1:9000".parse().unwrap();
    assert_eq!(config.smartcar.origins, Origins::all_at(&origin));
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080");
}

#[test]
fn an_origin_that_is_set_wins_over_the_simulator() {
    let simulator = ["--simulator-url", "http://simulator:8090"];
    let browser = ["--smartcar-connect-origin", "http://localhost:8090"];
    let config = config(&[simulator, browser].concat()).unwrap();
    assert_eq!(config.smartcar.origins.connect.as_str(), "http://localhost:8090");
    assert_eq!(config.smartcar.origins.api.as_str(), "http://simulator:8090");
    assert_eq!(config.smartcar.origins.auth.as_str(), "http://simulator:8090");
}

#[test]
fn without_a_simulator_the_parts_are_smartcars_own() {
    let application = ["--smartcar-client-id", "x", "--smartcar-client-secret", "y"];
    let config = config(&application).unwrap();
    assert_eq!(config.smartcar.origins, Origins::of_smartcar());
}

#[test]
fn without_simulator_or_application_the_missing_setting_is_named() {
    let missing = checked(&[]).unwrap_err();
    let both = ["KEYLEND_SMARTCAR_CLIENT_ID", "KEYLEND_SMARTCAR_CLIENT_SECRET"];
    assert_eq!(missing.all(), both.map(InvalidSetting::Missing));
    let missing = config(&["--smartcar-client-id", "x"]).unwrap_err();
    assert_eq!(missing, InvalidSetting::Missing("KEYLEND_SMARTCAR_CLIENT_SECRET"));
}

#[test]
fn limits_have_defaults_and_can_be_set() {
    let simulator = ["--simulator-url", "http://s:1"];
    let installed = config(&simulator).unwrap();
    assert_eq!((installed.limits, installed.kept), (Limits::default(), KEPT));
    let limits = ["--commands-waiting-max", "7", "--password-hashes-max", "3"];
    let limits = config(&[&simulator[..], &limits[..]].concat()).unwrap().limits;
    assert_eq!((limits.commands_waiting_max, limits.password_hashes_max.get()), (7, 3));
    for none in [["--commands-waiting-max", "0"], ["--password-hashes-max", "0"]] {
        assert!(Line::try_parse_from(["keylend"].iter().chain(&none)).is_err(), "{none:?}");
    }
}

#[test]
fn a_service_that_listens_everywhere_must_be_told_its_name() {
    let error = config(&["--simulator-url", "http://s:1", "--listen", "0.0.0.0:80"]).unwrap_err();
    assert!(matches!(error, InvalidSetting::PublicUrl(_)));
}

#[test]
fn a_secret_that_could_be_guessed_does_not_start_a_service() {
    let simulator = ["--simulator-url", "http://s:1"];
    for flag in ["--record-reader-token", "--smartcar-management-token"] {
        let error = config(&[&simulator[..], &[flag, "x"]].concat()).unwrap_err();
        assert!(matches!(error, InvalidSetting::ShortSecret { .. }), "{flag}");
    }
}

#[test]
fn an_address_in_clear_has_to_be_asked_for_by_name() {
    for elsewhere in [["--public-url", "http://keys.example"], ["--listen", "10.0.0.5:80"]] {
        let line = [&["--simulator-url", "http://s:1"][..], &elsewhere].concat();
        let error = config(&line).unwrap_err();
        assert!(matches!(error, InvalidSetting::PublicUrlInClear(_)), "{elsewhere:?}");
        config(&[&line[..], &["--public-url-insecure"]].concat()).unwrap();
    }
}

#[test]
fn every_secret_can_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let url = file("url", "postgres://me:hunter2@db/keys\n");
    let secret = file("secret", "a-long-enough-secret\n");
    let by_files = config(&[
        "--database-url-file",
        &url,
        "--record-reader-token-file",
        &secret,
        "--smartcar-client-id",
        "x",
        "--smartcar-client-secret-file",
        &secret,
        "--smartcar-v3-client-id",
        "y",
        "--smartcar-v3-client-secret-file",
        &secret,
        "--smartcar-management-token-file",
        &secret,
    ])
    .unwrap();
    let expected = "postgres://me:hunter2@db/keys".parse().unwrap();
    assert_eq!(by_files.database.location, expected);
    let smartcar = by_files.smartcar;
    let others = [by_files.record.reader_token, smartcar.management_token];
    let v3 = smartcar.v3_credentials.map(|own| own.client_secret);
    for read in others.into_iter().chain([Some(smartcar.client_secret), v3]) {
        assert_eq!(read.unwrap().expose_secret(), "a-long-enough-secret");
    }
    let nonsense = ["--simulator-url", "http://s:1", "--database-url-file", &secret];
    let wrong = config(&nonsense).unwrap_err();
    assert!(matches!(wrong, InvalidSetting::DatabaseUrl(_)), "{wrong:?}");
    let twice = [&nonsense[..], &["--database-url", "sqlite:x"]].concat();
    assert_eq!(config(&twice).unwrap_err(), InvalidSetting::Both("KEYLEND_DATABASE_URL"));
}

#[test]
fn half_of_the_credentials_for_v3_are_not_passed_over() {
    let simulator = ["--simulator-url", "http://127.0.0.1:9000", "--smartcar-v3-client-id", "x"];
    let missing = InvalidSetting::Missing("KEYLEND_SMARTCAR_V3_CLIENT_SECRET");
    assert_eq!(config(&simulator).unwrap_err(), missing);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = ["--public-url", "http://keys.example", "--record-reader-token", "x"];
    let said = checked(&wrong).unwrap_err().to_string();
    assert!(said.starts_with("4 settings are wrong:\n"), "{said}");
    for name in
        ["PUBLIC_URL", "RECORD_READER_TOKEN", "SMARTCAR_CLIENT_ID", "SMARTCAR_CLIENT_SECRET"]
    {
        assert!(said.contains(&format!("\n  KEYLEND_{name}")), "{name}: {said}");
    }
}

//! Settings from flags.

use clap::{CommandFactory, Parser};

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    log: LogSettings,
}

fn config(line: &[&str]) -> Result<Config, InvalidSettings> {
    let line = ["keylend"].iter().chain(line);
    Line::try_parse_from(line).unwrap().settings.into_config()
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
fn without_simulator_or_application_the_missing_setting_is_named() {
    let missing = config(&[]).unwrap_err();
    assert_eq!(missing, InvalidSettings::Missing("KEYLEND_SMARTCAR_CLIENT_ID"));
    let missing = config(&["--smartcar-client-id", "x"]).unwrap_err();
    assert_eq!(missing, InvalidSettings::Missing("KEYLEND_SMARTCAR_CLIENT_SECRET"));
}

#[test]
fn a_service_that_listens_everywhere_must_be_told_its_name() {
    let error = config(&["--simulator-url", "http://s:1", "--listen", "0.0.0.0:80"]).unwrap_err();
    assert!(matches!(error, InvalidSettings::PublicUrl(_)));
}

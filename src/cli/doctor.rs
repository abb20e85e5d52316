//! `keylend doctor`: is everything there that the service needs? Each check says what it found,
//! and what to do if it found nothing good.

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::failure::with_causes;
use super::settings::Settings;
use super::{Failure, Output};
use crate::config::Config;
use crate::signing::keyring_file;
use crate::storage::{Db, PostgresSettings, statements};

/// What to examine.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    pub(super) settings: Settings,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

struct Finding {
    check: &'static str,
    result: Result<String, String>,
}

/// Examines the installation.
///
/// # Errors
/// [`Failure::Unwell`] if a check failed.
pub(super) async fn run(args: DoctorArgs) -> Result<(), Failure> {
    let config = args.settings.into_config()?;
    let mut findings = vec![keys(&config)];
    findings.extend(database(&config).await);
    findings.push(vehicle_cloud(&config).await);
    for Finding { check, result } in &findings {
        let (well, text) = match result {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        match args.output {
            Output::Json => {
                println!("{}", json!({ "check": check, "well": well, "finding": text }))
            }
            Output::Text => println!("{} {check}: {text}", if well { "✓" } else { "✗" }),
        }
    }
    match findings.iter().filter(|finding| finding.result.is_err()).count() {
        0 => Ok(()),
        unwell => Err(Failure::Unwell(unwell)),
    }
}

fn keys(config: &Config) -> Finding {
    let result = keyring_file::load(&config.key_file)
        .map(|keyring| format!("grants are signed with {}", keyring.grants().active().kid()))
        .map_err(|error| with_causes(&error));
    Finding { check: "keys", result }
}

async fn database(config: &Config) -> Vec<Finding> {
    let db = match Db::open(&config.database.location, PostgresSettings::default(), false).await {
        Ok(db) => db,
        Err(error) => {
            return vec![Finding { check: "database", result: Err(with_causes(&error)) }];
        }
    };
    let migrated = match db.schema_fault().await {
        Ok(None) => Ok("the schema is this program's".to_owned()),
        Ok(Some(fault)) => Err(fault.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let statements = [statements(), db.own_statements()].concat();
    let mut understood = Ok(format!("all {} are understood", statements.len()));
    for sql in statements {
        if let Err(error) = db.prepare(sql).await {
            understood = Err(format!("{error}: {sql}"));
            break;
        }
    }
    db.close().await;
    vec![
        Finding { check: "database", result: migrated },
        Finding { check: "statements", result: understood },
    ]
}

/// Whether the vehicle cloud's address answers at all: a code that cannot be valid must be
/// refused, which shows that somebody is there who understands the question.
async fn vehicle_cloud(config: &Config) -> Finding {
    use crate::connector::VehicleConnector;
    use crate::domain::fault::Fault;
    let result = match crate::app::connector(config, Arc::new(crate::clock::SystemClock::start())) {
        Err(error) => Err(error.to_string()),
        Ok(connector) => match connector.exchange_code("doctor", "http://localhost/").await {
            Err(error) if error.fault == Fault::ConsentLost => Ok("it answers".to_owned()),
            Err(error) => Err(error.to_string()),
            Ok(_) => Err("it accepted a code that nobody gave out".to_owned()),
        },
    };
    Finding { check: "vehicle cloud", result }
}

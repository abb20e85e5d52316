//! `keylend doctor`: is everything there that the service needs? Each check says what it found,
//! and what to do if it found nothing good.

use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::failure::with_causes;
use super::settings::Settings;
use super::{Failure, Output};
use crate::app::{App, Parts, vehicle_cloud};
use crate::config::Config;
use crate::service::{agreement, record};
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
    if findings.iter().all(|finding| finding.result.is_ok()) {
        findings.extend(service(&config).await);
    }
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
    if migrated.is_err() {
        db.close().await;
        return vec![Finding { check: "database", result: migrated }];
    }
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

/// What the service would find when it starts: whether its clock may be trusted, and whether the database
/// continues the record that was signed.
async fn service(config: &Config) -> Vec<Finding> {
    let parts = Parts::of_the_system();
    let app = match App::assemble(config, parts, CancellationToken::new()).await {
        Ok(app) => app,
        Err(error) => {
            return vec![Finding { check: "service", result: Err(with_causes(&error)) }];
        }
    };
    let findings = vec![
        Finding { check: "clock", result: clock(&app).await },
        Finding { check: "record", result: record(&app).await },
    ];
    app.close().await;
    findings
}

async fn clock(app: &App) -> Result<String, String> {
    let base = &app.service.base;
    agreement::compare(base).await.map_err(|error| with_causes(&error))?;
    let agreed = "nothing that it is compared with speaks against it".to_owned();
    base.clock.dispute().map_or(Ok(agreed), |dispute| Err(dispute.to_string()))
}

async fn record(app: &App) -> Result<String, String> {
    let record = &app.service.record;
    match record::examine(record).await {
        Ok(None) => Ok(format!("{} continues what was signed", record.origin())),
        Ok(Some(rolled_back)) => Err(rolled_back.to_string()),
        Err(error) => Err(error.for_operator()),
    }
}

async fn vehicle_cloud(config: &Config) -> Finding {
    let wrong = vehicle_cloud::examine(config).await;
    let well = || "it answers, and accepts the application".to_owned();
    let result = if wrong.is_empty() { Ok(well()) } else { Err(wrong.join("; ")) };
    Finding { check: "vehicle cloud", result }
}

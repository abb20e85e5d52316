//! The command line: one file per command. Everything it does besides talking to the terminal is
//! done by the modules below.

mod admin;
mod arguments;
mod audit;
mod client;
mod completions;
mod demo;
mod doctor;
mod environment;
mod failure;
mod keys;
mod migrate;
mod openapi;
mod printable;
mod serve;
pub mod settings;
mod simulate;
mod webhooks;
mod witness;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub use failure::{Failure, Unmet};

use crate::telemetry;

/// Lends car keys: signed, time-bounded grants, honest commands, a complete record.
#[derive(Debug, Parser)]
#[command(name = "keylend", version, about)]
struct Arguments {
    #[command(flatten)]
    log: settings::LogSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(Box<serve::ServeArgs>),
    /// Tell the main job on a fresh SQLite file and the simulator, then stay up.
    Demo(demo::DemoArgs),
    /// Run a Smartcar-compatible vehicle cloud with cars of its own.
    Simulate(simulate::SimulateArgs),
    /// Make or update the database, and make the key file if there is none.
    Migrate(Box<migrate::MigrateArgs>),
    /// Administer organizations.
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Administer the keys of the service.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Copy, verify, prove and archive the record.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Administer the vehicle cloud's webhooks.
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// Watch logs, and cosign their checkpoints (C2SP tlog-witness).
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    /// Print the API's description (OpenAPI 3.1, YAML).
    Openapi,
    /// Check settings, database, keys and the vehicle cloud, and say what is wrong.
    Doctor(Box<doctor::DoctorArgs>),
    #[command(flatten)]
    Client(Box<client::ClientCommand>),
    /// Print what lets a shell complete this program's commands and flags.
    #[command(after_help = completions::EXAMPLE)]
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// What is wrong with the settings of this command beyond single values, as sentences. It is asked only
    /// to tell more than one mistake at once, so commands that rarely have one may have nothing to say.
    fn invalid_settings(self) -> Vec<String> {
        let wrong = match self {
            Self::Serve(args) => args.settings.into_config().err(),
            Self::Doctor(args) => args.settings.into_config().err(),
            _ => None,
        };
        let sentences = |wrong: settings::InvalidSettings| {
            wrong.all().iter().map(ToString::to_string).collect()
        };
        wrong.map(sentences).unwrap_or_default()
    }
}

/// How to print a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match arguments::read(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(unreadable) => return unreadable.print(),
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| {
            let otherwise = match arguments.command {
                Command::Demo(_) => "warn",
                _ => "info",
            };
            telemetry::log(&arguments.log.into_config(otherwise))?;
            name_unknown_variables();
            runtime.block_on(run(arguments.command))
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            failure.status()
        }
    }
}

/// Says which variables of the environment look like settings and are none.
fn name_unknown_variables() {
    #[expect(clippy::disallowed_methods, reason = "their names alone; clap reads the values")]
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for environment::UnknownVariable { name, meant } in
        environment::unknown(&Arguments::command(), names)
    {
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
        tracing::warn!("{name} is set, but there is no such setting{meant}");
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    crate::signing::provider::install();
    match command {
        Command::Serve(args) => serve::run(*args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Simulate(args) => simulate::run(args).await,
        Command::Migrate(args) => migrate::run(*args).await,
        Command::Admin(command) => admin::run(command).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Webhooks(command) => webhooks::run(command).await,
        Command::Witness(command) => witness::run(command).await,
        Command::Openapi => openapi::run(),
        Command::Doctor(args) => doctor::run(*args).await,
        Command::Client(command) => client::run(*command).await,
        Command::Completions(args) => completions::run(&args, &mut Arguments::command()),
    }
}

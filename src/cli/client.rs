//! The command line as a client of the API: one file per noun, and in it the verbs of the API.
//!
//! What is common to them stands beside the nouns. `keeper` keeps logins in files, `transport`
//! makes one bounded exchange with a server, `answer` says what an exchange came to, `api` puts the
//! three together for somebody who is signed in, and `print` and `table` show what came back.
//! Nothing of the service is used here but the words of the API: it is a client like any other.

mod answer;
mod api;
mod arguments;
mod asked;
mod audit_entries;
mod commands;
mod connections;
mod events;
mod grants;
mod holds;
mod keeper;
mod lists;
mod login;
mod logout;
pub(super) mod print;
mod prompt;
mod table;
mod times;
mod transport;
mod users;
mod vehicles;
mod whoami;
mod words;

use clap::Subcommand;

use super::Failure;

/// What to ask a server for.
#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Sign in at a server and keep the login in a file that is its owner's alone.
    #[command(after_help = login::EXAMPLE)]
    Login(login::LoginArgs),
    /// End the session and forget the login.
    #[command(after_help = logout::EXAMPLE)]
    Logout(logout::LogoutArgs),
    /// Show who is signed in, and where.
    #[command(after_help = whoami::EXAMPLE)]
    Whoami(whoami::WhoamiArgs),
    /// Connect cars, list and read them.
    Vehicles(vehicles::VehiclesArgs),
    /// Complete and list connections: the owners' consents at the vehicle cloud.
    Connections(connections::ConnectionsArgs),
    /// Issue, change and end grants: who may use which car.
    Grants(grants::GrantsArgs),
    /// Lock and unlock cars, and see what became of it.
    Commands(commands::CommandsArgs),
    /// Administer the people of the organization.
    Users(users::UsersArgs),
    /// Pause grants, and lift the pauses.
    Holds(holds::HoldsArgs),
    /// Read what happened, or follow what happens.
    Events(events::EventsArgs),
    /// Read the record.
    AuditEntries(audit_entries::AuditEntriesArgs),
}

/// Asks a server.
///
/// # Errors
/// [`Failure`], with a status that says whether it was refused, not found or not reached.
pub(super) async fn run(command: ClientCommand) -> Result<(), Failure> {
    match command {
        ClientCommand::Login(args) => login::run(args).await,
        ClientCommand::Logout(args) => logout::run(args).await,
        ClientCommand::Whoami(args) => whoami::run(args).await,
        ClientCommand::Vehicles(args) => vehicles::run(args).await,
        ClientCommand::Connections(args) => connections::run(args).await,
        ClientCommand::Grants(args) => grants::run(args).await,
        ClientCommand::Commands(args) => commands::run(args).await,
        ClientCommand::Users(args) => users::run(args).await,
        ClientCommand::Holds(args) => holds::run(args).await,
        ClientCommand::Events(args) => events::run(args).await,
        ClientCommand::AuditEntries(args) => audit_entries::run(args).await,
    }
}

#[cfg(test)]
#[path = "client/help_test.rs"]
mod help_tests;
#[cfg(test)]
#[path = "client/shapes_test.rs"]
mod shapes_tests;

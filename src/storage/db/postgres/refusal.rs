//! Why a server cannot be used, and what to do about it.

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::super::error::DriverError;
use super::super::open::OpenError;
use super::protection::is_refused;

/// Why this server could not be reached, or did not let us in.
pub(super) fn unreachable(address: &PgConnectOptions, cause: DriverError) -> OpenError {
    if is_refused(&cause) {
        return OpenError::Unprotected { remedy: protection(address), cause };
    }
    let (why, remedy) = match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(reported)) => {
            by_state(address, &reported.code().unwrap_or_default())
        }
        Some(sqlx::Error::Io(_)) => (
            "cannot be reached".to_owned(),
            "start it, or correct its address in KEYLEND_DATABASE_URL",
        ),
        _ => ("cannot be used".to_owned(), "correct KEYLEND_DATABASE_URL"),
    };
    let what = format!("the PostgreSQL server at {} {why}", place(address));
    OpenError::Unusable { what, remedy, cause }
}

/// By SQLSTATE.
fn by_state(address: &PgConnectOptions, state: &str) -> (String, &'static str) {
    let user = address.get_username();
    match state {
        // invalid_authorization_specification, invalid_password.
        "28000" | "28P01" => (
            format!("does not let the user {user} in"),
            "correct the user and the password in KEYLEND_DATABASE_URL, or pg_hba.conf of the server",
        ),
        // invalid_catalog_name.
        "3D000" => (
            format!("has no database {}", address.get_database().unwrap_or(user)),
            "make it (CREATE DATABASE), or name another one in KEYLEND_DATABASE_URL",
        ),
        // too_many_connections.
        "53300" => (
            "has no connection left".to_owned(),
            "raise its max_connections, or lower KEYLEND_DATABASE_CONNECTIONS_MAX of the instances",
        ),
        // cannot_connect_now.
        "57P03" => ("is starting or stopping".to_owned(), "start keylend again when it is there"),
        _ => ("refuses".to_owned(), "correct KEYLEND_DATABASE_URL, or the server's settings"),
    }
}

/// How to get a connection that is protected as it must be.
fn protection(address: &PgConnectOptions) -> &'static str {
    match address.get_ssl_mode() {
        // TLS with anybody is asked for, so there is none.
        PgSslMode::Require => {
            "turn TLS on at the server (ssl = on), or, if nobody else is on the network between, \
             ask for none by name in the URL, as sslmode=disable"
        }
        _ => {
            "give the certificate of its authority in the URL as sslrootcert=PATH, or ask for less \
             by name, as sslmode=require or sslmode=disable"
        }
    }
}

/// Where a server is, for people.
fn place(address: &PgConnectOptions) -> String {
    match address.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", address.get_host(), address.get_port()),
    }
}

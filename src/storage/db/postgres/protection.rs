//! How a connection to a server is protected: as the URL asks by name, and otherwise, unless the
//! server is on this machine, by TLS with a certificate that is verified. Whoever stands between
//! could else be given the password by saying that there is no TLS.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::super::error::DriverError;

/// What names the mode in a URL.
pub(super) const MODE_NAMES: [&str; 2] = ["sslmode", "ssl-mode"];

/// The way to connect, with its protection. If the URL does not name one, a server elsewhere must
/// prove who it is, whatever the environment says (`PGSSLMODE`).
pub(super) fn protected(options: PgConnectOptions, is_named: bool) -> PgConnectOptions {
    if is_named || is_on_this_machine(&options) {
        return options;
    }
    options.ssl_mode(PgSslMode::VerifyFull)
}

fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_loopback = || match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    options.get_socket().is_some() || host.starts_with('/') || is_loopback()
}

/// Whether a connection was given up because it would not have been protected as it must be. TLS says
/// so itself, or as an error of the connection that it was spoken on.
pub(super) fn is_refused(error: &DriverError) -> bool {
    match error.downcast_ref() {
        Some(sqlx::Error::Tls(_)) => true,
        Some(sqlx::Error::Io(error)) => {
            error.get_ref().is_some_and(|cause| cause.is::<rustls::Error>())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::servers;
    use super::*;

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is_unless_the_url_asks_for_less_by_name() {
        let on_this_machine = PgConnectOptions::new().get_ssl_mode();
        let verified = PgSslMode::VerifyFull;
        for (url, expected) in [
            ("postgres://me@db.example/keys", verified),
            ("postgres://me@10.0.0.7/keys", verified),
            ("postgres://me@[2001:db8::7]:5432/keys", verified),
            ("postgres://me@[::ffff:10.0.0.7]/keys", verified),
            ("postgres://me@0.0.0.0/keys", verified),
            ("postgres://me@localhost.example/keys", verified),
            ("postgres:///keys?host=db.example", verified),
            ("postgres://me@127.0.0.1/keys?host=db.example", verified),
            ("postgres://me@db.example/keys?sslrootcert=/etc/ca.pem", verified),
            ("postgres://me@db.example/keys?sslmode=verify-ca", PgSslMode::VerifyCa),
            ("postgres://me@db.example/keys?sslmode=require", PgSslMode::Require),
            ("postgres://me@db.example/keys?ssl-mode=prefer", PgSslMode::Prefer),
            ("postgres://me@db.example/keys?a=b&sslmode=disable", PgSslMode::Disable),
            ("postgres://me@127.0.0.1/keys?sslmode=verify-full", verified),
            ("postgres://me@127.0.0.1/keys", on_this_machine),
            ("postgres://me@127.8.0.1:1/keys", on_this_machine),
            ("postgres://me@[::1]/keys", on_this_machine),
            ("postgres://me@LOCALHOST/keys", on_this_machine),
            ("postgres://me@%2Frun%2Fpostgresql/keys", on_this_machine),
            ("postgres://me@localhost/keys?host=/run/postgresql", on_this_machine),
        ] {
            let [server] = &servers(url).unwrap()[..] else { panic!("{url}") };
            let (mode, expected) = (server.get_ssl_mode(), expected);
            assert_eq!(format!("{mode:?}"), format!("{expected:?}"), "{url}");
        }
    }

    #[test]
    fn each_of_several_servers_is_judged_by_itself() {
        let modes = servers("postgres://me@127.0.0.1,db.example/keys").unwrap();
        let is_verified =
            |server: &PgConnectOptions| matches!(server.get_ssl_mode(), PgSslMode::VerifyFull);
        assert_eq!(modes.iter().map(is_verified).collect::<Vec<_>>(), [false, true]);
    }
}

//! The addresses in a PostgreSQL URL: `postgres://USER@HOST:PORT,HOST:PORT/NAME?…` names several
//! servers of one database, of which at most one takes writes at a time.

use sqlx::postgres::PgConnectOptions;

use super::protection::{MODE_NAMES, protected};

/// More servers than anybody runs of one database.
const SERVERS_MAX: usize = 16;

/// How to connect to each server that the URL names, in its order.
///
/// # Errors
/// [`sqlx::Error::Configuration`] says what is wrong with it.
pub(super) fn servers(url: &str) -> Result<Vec<PgConnectOptions>, sqlx::Error> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let rest = without_session_attributes(rest)?;
    let names_mode = names_mode(&rest);
    let hosts: Vec<&str> = hosts.split(',').collect();
    if hosts.len() > SERVERS_MAX {
        return Err(wrong("it names too many servers"));
    }
    if hosts.len() > 1 && hosts.iter().any(|host| host.is_empty()) {
        return Err(wrong("a server has no name"));
    }
    let server = |host: &&str| {
        let options: PgConnectOptions = format!("{scheme}://{user}{host}{rest}").parse()?;
        // In brackets it is an address in a URL, and nothing that could be connected to or verified.
        let host = options.get_host().trim_matches(['[', ']']).to_owned();
        let is_socket = options.get_socket().is_some();
        Ok(protected(if is_socket { options } else { options.host(&host) }, names_mode))
    };
    hosts.iter().map(server).collect()
}

/// Whether what comes after the servers asks for a mode of TLS by name.
fn names_mode(rest: &str) -> bool {
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').filter_map(|parameter| parameter.split_once('='));
    names.any(|(name, _)| MODE_NAMES.contains(&name))
}

fn wrong(why: &'static str) -> sqlx::Error {
    sqlx::Error::Configuration(why.into())
}

/// What comes after the servers, without `target_session_attrs`: only a primary is ever used, so
/// the values that ask for one are what happens anyway, and no other can be had.
fn without_session_attributes(rest: &str) -> Result<String, sqlx::Error> {
    let Some((path, query)) = rest.split_once('?') else { return Ok(rest.to_owned()) };
    let mut kept = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("target_session_attrs", "read-write" | "primary")) => {}
            Some(("target_session_attrs", _)) => {
                return Err(wrong("target_session_attrs can only be read-write or primary"));
            }
            _ => kept.push(parameter),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok(format!("{path}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> Vec<(String, u16)> {
        let servers = servers(url).unwrap();
        servers.iter().map(|server| (server.get_host().to_owned(), server.get_port())).collect()
    }

    #[test]
    fn each_server_is_named_with_its_port() {
        let url = "postgres://me:p%40ss@one:1,two,[::1]:3/keys?sslmode=disable";
        let expected = [("one", 1), ("two", 5432), ("::1", 3)];
        assert_eq!(named(url), expected.map(|(host, port)| (host.to_owned(), port)));
        for server in servers(url).unwrap() {
            assert_eq!(server.get_username(), "me");
            assert_eq!(server.get_database(), Some("keys"));
        }
    }

    #[test]
    fn one_server_is_what_it_was() {
        assert_eq!(named("postgresql://me@db/keys"), [("db".to_owned(), 5432)]);
        assert_eq!(named("postgres:///keys?host=one&port=7"), [("one".to_owned(), 7)]);
    }

    #[test]
    fn only_a_primary_can_be_asked_for() {
        let url = "postgres://one,two/keys?sslmode=disable&target_session_attrs";
        assert_eq!(named(&format!("{url}=read-write")).len(), 2);
        assert_eq!(named(&format!("{url}=primary")).len(), 2);
        assert!(servers(&format!("{url}=any")).is_err());
        assert!(servers(&format!("{url}=standby")).is_err());
    }

    #[test]
    fn lists_of_servers_have_no_gaps_and_an_end() {
        assert!(servers("postgres://one,,two/keys").is_err());
        assert!(servers(&format!("postgres://{}/keys", vec!["one"; 17].join(","))).is_err());
    }
}

//! Whose request it is: the address of the client, also behind proxies that are trusted to name it.
//!
//! A proxy writes the address of whoever it talks to at the right end of `Forwarded` (RFC 7239) or
//! `X-Forwarded-For`. What stands to the left of that came with the request and may be anything, so
//! hops are read from the right, and only as long as a trusted proxy vouches for them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str;

use axum::http::{HeaderMap, HeaderName, header};

use crate::config::Networks;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// More trusted proxies in a row than anybody has.
const HOPS_MAX: usize = 32;

/// The address of the client: what is throttled, paced and kept beside the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// The client of a request that came from `peer` over a connection.
    ///
    /// From anybody but a trusted proxy the headers mean nothing. From one, the client is the first
    /// hop from the right that is not a trusted proxy. A hop that is malformed, hidden or unknown
    /// ends the search, as if there were nothing to its left: the client is then the last hop whose
    /// address is known, which is a proxy. If both headers are there and name different clients, one of them was
    /// not written by the proxy, and nobody knows which: then the client is the proxy itself.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> Self {
        let peer = peer.to_canonical();
        if !trusted.contains(peer) {
            return Self(peer);
        }
        let named_in = |name: &HeaderName, address_in: fn(&str) -> Option<IpAddr>| {
            headers.contains_key(name).then(|| {
                let hops = hops_from_the_right(headers, name);
                first_untrusted(peer, hops.map(|hop| address_in(hop?)), trusted)
            })
        };
        let forwarded = named_in(&header::FORWARDED, |hop| address_of(value_of_for(hop)?));
        let x_forwarded_for = named_in(&X_FORWARDED_FOR, address_of);
        match (forwarded, x_forwarded_for) {
            (Some(one), Some(other)) if one != other => Self(peer),
            (one, other) => Self(one.or(other).unwrap_or(peer)),
        }
    }
}

/// The elements of a list header, over all its lines; `None` is one that is not a text. A comma
/// always ends an element, also between quotation marks: no address has one, and a mark that somebody
/// left open must not swallow what a proxy wrote after it.
fn hops_from_the_right<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Option<&'a str>> {
    let lines = headers.get_all(name).iter().rev();
    lines
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(|hop| str::from_utf8(hop).ok().map(str::trim))
}

fn first_untrusted(
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
    trusted: &Networks,
) -> IpAddr {
    let mut known = peer;
    for hop in hops.take(HOPS_MAX) {
        match hop {
            Some(proxy) if trusted.contains(proxy) => known = proxy,
            Some(client) => return client,
            None => break,
        }
    }
    known
}

/// The value of the one `for` in an element of `Forwarded` (RFC 7239 section 4). Nothing that is
/// escaped is understood: no address needs it.
fn value_of_for(element: &str) -> Option<&str> {
    let mut found = None;
    let mut rest = element;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find([';', ' ', '\t']).unwrap_or(after.len())),
        };
        if name.contains(['"', '\\']) || value.contains(['"', '\\']) {
            return None;
        }
        if name.trim().eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        match after.trim_start().strip_prefix(';') {
            Some(more) => rest = more,
            None => return found.filter(|_| after.trim_start().is_empty()),
        }
    }
}

/// The address of a hop, with or without a port. `unknown` and hidden names such as `_gateway` have none.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = || hop.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let address = bare().or_else(with_port).or_else(|| in_brackets().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

#[cfg(test)]
#[path = "client_address_test.rs"]
mod tests;

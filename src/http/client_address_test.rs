//! Who the client is, as honest and other proxies tell it.

use axum::http::HeaderValue;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::tally::Tally;

/// A proxy beside the service, whose fellows are `10.0.0.0/8` and `2001:db8:ff::/48`.
const PROXY: &str = "10.0.0.1";
const CLIENT: &str = "203.0.113.9";

fn trusted() -> Networks {
    let networks = ["10.0.0.0/8", "2001:db8:ff::/48"].map(|network| network.parse().unwrap());
    Networks::from(networks.to_vec())
}

/// The client, by these lines of headers.
fn client<V: AsRef<[u8]>>(peer: &str, lines: &[(&'static str, V)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value.as_ref()).unwrap());
    }
    ClientAddress::of(peer.parse().unwrap(), &headers, &trusted()).0.to_string()
}

#[test]
fn the_first_hop_from_the_right_that_is_no_trusted_proxy_is_the_client() {
    for (hops, expected) in [
        ("203.0.113.9", CLIENT),
        ("6.6.6.6, 203.0.113.9", CLIENT),
        ("6.6.6.6, 203.0.113.9, 10.0.0.2,10.3.4.5", CLIENT),
        ("203.0.113.9:4711", CLIENT),
        ("::ffff:203.0.113.9", CLIENT),
        ("2001:db8::7, 2001:db8:ff::1", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        // Nobody but proxies: the first of them asks for itself.
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ] {
        assert_eq!(client(PROXY, &[("x-forwarded-for", hops)]), expected, "{hops}");
    }
}

#[test]
fn the_standard_header_says_the_same_in_its_own_form() {
    for (hops, expected) in [
        ("for=203.0.113.9", CLIENT),
        ("For=\"203.0.113.9:4711\";proto=https;by=10.0.0.1", CLIENT),
        ("proto=https; for=203.0.113.9 ; host=\"keys.example\"", CLIENT),
        ("for=6.6.6.6, for=203.0.113.9, for=10.0.0.2", CLIENT),
        ("for=\"[2001:db8::7]:4711\"", "2001:db8::7"),
        ("for=\"[2001:db8::7]:4711\", for=\"[2001:db8:ff::2]\"", "2001:db8::7"),
        // A name that the client chose, in quotation marks, is no parameter.
        ("host=\"x;for=6.6.6.6\";for=203.0.113.9", CLIENT),
        ("for=\"6.6.6.6, for=203.0.113.9", CLIENT),
    ] {
        assert_eq!(client(PROXY, &[("forwarded", hops)]), expected, "{hops}");
    }
}

#[test]
fn a_hop_without_an_address_ends_the_search_at_the_proxy_that_wrote_it() {
    for hop in
        ["", "unknown", "_hidden", "6.6.6", "6.6.6.6:99999", "[6.6.6.6]", "x y", "\"6.6.6.6\""]
    {
        let hops = format!("203.0.113.9, {hop}, 10.0.0.2");
        assert_eq!(client(PROXY, &[("x-forwarded-for", &hops)]), "10.0.0.2", "{hop}");
    }
    for hop in [
        "",
        "for",
        "for=",
        "for=unknown",
        "for=_hidden",
        "for=\"_hidden:_port\"",
        "for=\"6.6.6.6",
        "for=6.6.6.6\"",
        "for=\"6.6.6.6\\\"\"",
        "for=6.6.6.6;for=6.6.6.6",
        "for=\"6.6.6.6\"x",
        "by=6.6.6.6",
        "host=\"a, for=6.6.6.6;x=\"",
        "host=\"a\\\", for=6.6.6.6;x=\\\"\"",
    ] {
        let hops = format!("for=203.0.113.9, {hop}, for=10.0.0.2");
        assert_eq!(client(PROXY, &[("forwarded", &hops)]), "10.0.0.2", "{hop}");
    }
    let unreadable = &b"203.0.113.9, \xff\xfe"[..];
    assert_eq!(client(PROXY, &[("x-forwarded-for", unreadable)]), PROXY);
}

#[test]
fn several_lines_are_one_list() {
    let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(client(PROXY, &lines), CLIENT);
}

#[test]
fn two_headers_that_disagree_name_nobody() {
    let both = |forwarded: &str| {
        client(PROXY, &[("forwarded", forwarded), ("x-forwarded-for", "203.0.113.9")])
    };
    assert_eq!(both("for=203.0.113.9"), CLIENT);
    assert_eq!(both("for=6.6.6.6"), PROXY);
    assert_eq!(both("nonsense"), PROXY);
}

#[test]
fn nobody_but_a_trusted_proxy_is_believed() {
    let lines = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "6.6.6.6")];
    assert_eq!(client("203.0.113.9", &lines), CLIENT);
    assert_eq!(client("::ffff:203.0.113.9", &lines), CLIENT);
    assert_eq!(client("::ffff:10.0.0.1", &lines), "6.6.6.6");
    assert_eq!(client::<&str>(PROXY, &[]), PROXY);
}

#[test]
fn a_thousand_hops_are_not_followed() {
    let client_first = format!("203.0.113.9{}", ", 10.0.0.2".repeat(1000));
    assert_eq!(client(PROXY, &[("x-forwarded-for", client_first)]), "10.0.0.2");
    let client_last = format!("{}203.0.113.9", "10.0.0.2, ".repeat(1000));
    assert_eq!(client(PROXY, &[("x-forwarded-for", client_last)]), CLIENT);
}

/// What a client could send: pieces of addresses and of headers, in any order, or any bytes.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "for=6.6.6.6",
        ",for=6.6.6.6",
        ", for=\"[2001:db8::6]:7\"",
        "for=",
        "host=",
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "[",
        "]",
        "unknown",
        "6.6.6.6",
        "10.0.0.2",
        "2001:db8:ff::2",
        "::ffff:10.0.0.2",
    ];
    let made_up = vec(prop::sample::select(PIECES), 0..40);
    prop_oneof![
        made_up.prop_map(|pieces| pieces.concat().into_bytes()),
        vec(prop_oneof![32..=126_u8, 128..=255_u8, Just(b'\t')], 0..200),
    ]
}

#[test]
fn nothing_that_a_client_sends_changes_who_it_is() {
    let case = (anything(), anything(), any::<bool>());
    let tally = Tally::of(4_000, case, |(first, second, on_one_line), tally| {
        let written = |by_proxy: &str| {
            let mut line = first.clone();
            line.extend_from_slice(b", ");
            line.extend_from_slice(by_proxy.as_bytes());
            if on_one_line { vec![line] } else { vec![second.clone(), by_proxy.into()] }
        };
        for (name, by_proxy) in [("x-forwarded-for", CLIENT), ("forwarded", "for=203.0.113.9")] {
            let lines: Vec<_> = written(by_proxy).into_iter().map(|line| (name, line)).collect();
            prop_assert_eq!(client(PROXY, &lines), CLIENT);
            prop_assert_eq!(client("198.51.100.1", &lines), "198.51.100.1");
        }
        // The one header from the proxy and the other from the client: at most it hides.
        let other = [("x-forwarded-for", CLIENT.as_bytes()), ("forwarded", first.as_slice())];
        let found = client(PROXY, &other);
        prop_assert!(found == CLIENT || found == PROXY, "{}", found);
        tally.count_if(found == PROXY, "hidden");
        let alone = client(PROXY, &[("forwarded", first)]);
        tally.count_if(alone != PROXY, "an address was read");
        Ok(())
    });
    tally.assert_each(50, ["hidden", "an address was read"]);
}

#[test]
fn a_name_that_a_proxy_quotes_does_not_change_who_the_client_is() {
    let names =
        vec(prop::sample::select(&["\"", "\\", ",", ";", "for=6.6.6.6", "x=", " "][..]), 0..12);
    let tally = Tally::of(4_000, names, |pieces, tally| {
        let quoted = pieces.concat().replace('\\', "\\\\").replace('"', "\\\"");
        for hop in [
            format!("for=203.0.113.9;host=\"{quoted}\""),
            format!("host=\"{quoted}\";for=203.0.113.9;by=\"[2001:db8:ff::1]\""),
        ] {
            let found = client(PROXY, &[("forwarded", hop)]);
            prop_assert!(found == CLIENT || found == PROXY, "{}", found);
            tally.count(if found == CLIENT { "named" } else { "not understood" });
        }
        Ok(())
    });
    tally.assert_each(100, ["named", "not understood"]);
}

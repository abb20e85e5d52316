//! The origin of a web app whose scripts may read answers of `/v1`. An administrator lists it, in the one form in which
//! browsers send it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// How long an origin may be, in bytes: a scheme, the longest name of a host and a port.
pub const ALLOWED_ORIGIN_LENGTH_MAX: usize = 267;
/// How many an organization may list.
pub const ALLOWED_ORIGINS_MAX: usize = 20;

/// A scheme, a host and perhaps a port, serialized (RFC 6454 section 6.2): by https, or by http on the browser's own
/// machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllowedOrigin(String);

/// Why a text is no such origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllowedOrigin {
    /// Longer than [`ALLOWED_ORIGIN_LENGTH_MAX`].
    #[error("must have at most 267 characters")]
    TooLong,
    /// It names more than one origin.
    #[error("must name one origin, without *")]
    Wildcard,
    /// It is no origin, or one that others on the way could take the place of.
    #[error("must be an https:// origin, or an http:// one of localhost, 127.0.0.1 or [::1]")]
    NotSafe,
    /// It has a path, a query or a user, or is one that can be written in several ways.
    #[error("must be written as {0}")]
    NotSerialized(String),
}

impl AllowedOrigin {
    /// The origin.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AllowedOrigin {
    type Err = InvalidAllowedOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidAllowedOrigin> {
        if text.len() > ALLOWED_ORIGIN_LENGTH_MAX {
            return Err(InvalidAllowedOrigin::TooLong);
        }
        if text.contains('*') {
            return Err(InvalidAllowedOrigin::Wildcard);
        }
        let url = Url::parse(text).map_err(|_| InvalidAllowedOrigin::NotSafe)?;
        let is_safe = match (url.scheme(), url.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Domain(name))) => name == "localhost",
            ("http", Some(Host::Ipv4(address))) => address == Ipv4Addr::LOCALHOST,
            ("http", Some(Host::Ipv6(address))) => address == Ipv6Addr::LOCALHOST,
            (_, _) => false,
        };
        if !is_safe {
            return Err(InvalidAllowedOrigin::NotSafe);
        }
        let origin = url.origin().ascii_serialization();
        if origin == text {
            Ok(Self(origin))
        } else if origin.contains('*') {
            Err(InvalidAllowedOrigin::Wildcard)
        } else {
            Err(InvalidAllowedOrigin::NotSerialized(origin))
        }
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::InvalidAllowedOrigin::{NotSafe, NotSerialized, TooLong, Wildcard};
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port_in_one_form() {
        for good in [
            "https://app.example",
            "https://app.example:8443",
            "https://xn--bcher-kva.example",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
            "http://localhost:3000",
            "http://localhost",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            let origin: AllowedOrigin = good.parse().unwrap();
            assert_eq!((origin.as_str(), origin.to_string().as_str()), (good, good));
        }
        for (other, serialized) in [
            ("https://app.example/", "https://app.example"),
            ("https://app.example/back", "https://app.example"),
            ("https://app.example?a", "https://app.example"),
            ("https://app.example#a", "https://app.example"),
            ("https://u:p@app.example", "https://app.example"),
            ("https://app.example@evil.example", "https://evil.example"),
            ("https://APP.example", "https://app.example"),
            ("HTTPS://app.example", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://127.1", "http://127.0.0.1"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
            ("https:\\\\app.example", "https://app.example"),
            (" https://app.example\n", "https://app.example"),
            ("https://app.ex\tample", "https://app.example"),
        ] {
            let why = NotSerialized(serialized.to_owned());
            assert_eq!(other.parse::<AllowedOrigin>(), Err(why), "{other:?}");
        }
    }

    #[test]
    fn what_is_no_single_safe_origin_is_refused() {
        for (bad, why) in [
            ("", NotSafe),
            ("null", NotSafe),
            ("app.example", NotSafe),
            ("http://app.example", NotSafe),
            ("http://localhost.app.example", NotSafe),
            ("http://127.0.0.2", NotSafe),
            ("file:///etc/passwd", NotSafe),
            ("data:text/html,x", NotSafe),
            ("myapp://back", NotSafe),
            ("chrome-extension://abcdefgh", NotSafe),
            ("https://a.example https://b.example", NotSafe),
            ("*", Wildcard),
            ("https://*", Wildcard),
            ("https://*.app.example", Wildcard),
            ("https://%2A.app.example", Wildcard),
            (&format!("https://{}", "a".repeat(260)), TooLong),
        ] {
            assert_eq!(bad.parse::<AllowedOrigin>(), Err(why), "{bad}");
        }
    }
}

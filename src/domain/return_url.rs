//! Where an app wants its person's browser back after a consent. The address receives a completion code, so an
//! administrator lists it, and it is compared as a whole.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url, form_urlencoded};

/// How long an address may be, in bytes.
pub const RETURN_URL_LENGTH_MAX: usize = 512;
/// How many an organization may list.
pub const RETURN_URLS_MAX: usize = 20;

/// An address of an app: by https, or on the browser's own machine, with nothing behind its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReturnUrl(String);

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReturnUrl {
    /// Longer than [`RETURN_URL_LENGTH_MAX`].
    #[error("must have at most 512 characters")]
    TooLong,
    /// It is no address, or one that others on the way could read.
    #[error("must be an https:// address, or an http:// one of localhost")]
    NotSafe,
    /// It names a user or has a query or a fragment.
    #[error("must have no user, query or fragment")]
    TooMuch,
    /// It is one that can be written in several ways.
    #[error("must be written as {0}")]
    NotCanonical(String),
}

impl ReturnUrl {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with parameters.
    #[must_use]
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{}?{query}", self.0)
    }
}

impl FromStr for ReturnUrl {
    type Err = InvalidReturnUrl;

    fn from_str(text: &str) -> Result<Self, InvalidReturnUrl> {
        if text.len() > RETURN_URL_LENGTH_MAX {
            return Err(InvalidReturnUrl::TooLong);
        }
        let url = Url::parse(text).map_err(|_| InvalidReturnUrl::NotSafe)?;
        let is_safe = match (url.scheme(), url.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Domain(name))) => name == "localhost",
            ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
            ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
            (_, _) => false,
        };
        if !is_safe {
            return Err(InvalidReturnUrl::NotSafe);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidReturnUrl::TooMuch);
        }
        if url.as_str() == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidReturnUrl::NotCanonical(url.into()))
        }
    }
}

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_safe_on_the_way_and_has_one_form() {
        for good in [
            "https://app.example/back",
            "https://app.example/",
            "https://app.example:8443/a/b",
            "http://localhost:3000/back",
            "http://127.0.0.1:3000/back",
            "http://[::1]:3000/back",
        ] {
            let url: ReturnUrl = good.parse().unwrap();
            assert_eq!((url.as_str(), url.to_string().as_str()), (good, good));
        }
        use InvalidReturnUrl::{NotSafe, TooLong, TooMuch};
        for (bad, why) in [
            ("", NotSafe),
            ("app.example/back", NotSafe),
            ("http://app.example/back", NotSafe),
            ("http://localhost.app.example/", NotSafe),
            ("http://127.0.0.1.app.example/", NotSafe),
            ("myapp://back", NotSafe),
            ("javascript:alert(1)", NotSafe),
            ("data:text/html,x", NotSafe),
            ("https://u@app.example/", TooMuch),
            ("https://u:p@app.example/", TooMuch),
            ("https://app.example/?a=b", TooMuch),
            ("https://app.example/?", TooMuch),
            ("https://app.example/#a", TooMuch),
            (&format!("https://app.example/{}", "a".repeat(500)), TooLong),
        ] {
            assert_eq!(bad.parse::<ReturnUrl>(), Err(why), "{bad}");
        }
        for (other, canonical) in [
            ("https://app.example", "https://app.example/"),
            ("https://APP.example/back", "https://app.example/back"),
            ("https://app.example:443/back", "https://app.example/back"),
            ("https://app.example/a/../back", "https://app.example/back"),
            ("https:\\\\app.example\\back", "https://app.example/back"),
            ("https://app.example/ba\tck", "https://app.example/back"),
            (" https://app.example/back\n", "https://app.example/back"),
        ] {
            let why = InvalidReturnUrl::NotCanonical(canonical.to_owned());
            assert_eq!(other.parse::<ReturnUrl>(), Err(why), "{other:?}");
        }
    }

    #[test]
    fn an_address_has_at_most_512_bytes() {
        let of_length = |length| format!("{:a<length$}", "https://app.example/");
        assert!(of_length(512).parse::<ReturnUrl>().is_ok());
        assert_eq!(of_length(513).parse::<ReturnUrl>(), Err(InvalidReturnUrl::TooLong));
    }

    #[test]
    fn parameters_are_written_so_that_they_are_read_back() {
        let url: ReturnUrl = "https://app.example/back".parse().unwrap();
        let with = url.with(&[("completion_code", "12345678"), ("error", "a b&c=d")]);
        let read = Url::parse(&with).unwrap();
        let pairs: Vec<_> = read.query_pairs().into_owned().collect();
        assert_eq!(pairs[0], ("completion_code".to_owned(), "12345678".to_owned()));
        assert_eq!(pairs[1], ("error".to_owned(), "a b&c=d".to_owned()));
    }
}

//! The keys of devices. A phone has a key pair; the service knows only the public half. The private half never leaves the
//! phone, so a token that is bound to the key cannot be used from another device (P12).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::schema;

const LENGTH: usize = 43;

/// Identifies the key of a device: the SHA-256 thumbprint of its public half (RFC 7638) in base64url, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; LENGTH]);

described!(
    Thumbprint,
    schema::text("The SHA-256 thumbprint of a device's public key (RFC 7638), in base64url.")
        .pattern(Some("^[A-Za-z0-9_-]{43}$"))
        .examples(["0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"])
);

/// Why a text is no thumbprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the thumbprint of a key: 43 letters, digits, hyphens and underscores")]
pub struct InvalidThumbprint;

impl Thumbprint {
    /// Stands for any device of a person, in questions that are asked without one.
    pub const WHICHEVER: Self = Self([b'A'; LENGTH]);

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Thumbprint {
    type Err = InvalidThumbprint;

    fn from_str(text: &str) -> Result<Self, InvalidThumbprint> {
        let letters: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidThumbprint)?;
        let is_base64url = |letter: &u8| letter.is_ascii_alphanumeric() || b"-_".contains(letter);
        if letters.iter().all(is_base64url) { Ok(Self(letters)) } else { Err(InvalidThumbprint) }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_has_43_letters_of_base64url() {
        let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        assert_eq!(text.parse::<Thumbprint>().map(|read| read.to_string()), Ok(text.to_owned()));
        for wrong in
            ["", &text[1..], &format!("{text}a"), &text.replace('-', "+"), &text.replace('0', "ä")]
        {
            assert_eq!(wrong.parse::<Thumbprint>(), Err(InvalidThumbprint), "{wrong}");
        }
    }
}

//! Under which addresses this service issues tokens, and has issued them: what `iss` and `aud` may be.

/// The issuers whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuers {
    current: String,
    /// Addresses that the service had before. Their tokens stay valid until they expire.
    earlier: Vec<String>,
}

impl Issuers {
    /// Tokens are issued under the one, and accepted under all.
    #[must_use]
    pub const fn new(current: String, earlier: Vec<String>) -> Self {
        Self { current, earlier }
    }

    /// The issuer of new tokens.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Whether it is one of them.
    pub(super) fn accept(&self, issuer: &str) -> bool {
        self.current == issuer || self.earlier.iter().any(|earlier| earlier == issuer)
    }
}

impl From<&str> for Issuers {
    fn from(only: &str) -> Self {
        Self::new(only.to_owned(), Vec::new())
    }
}

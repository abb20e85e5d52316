//! The token in `Authorization`, and by which scheme it is shown.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::service::{CredentialFault, Error};

/// A token as `Authorization` has it, by the scheme.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) enum Presented<'h> {
    /// Anyone who has it can use it (RFC 6750).
    Bearer(&'h str),
    /// It comes with a proof of the device to which it is bound (RFC 9449 section 7.1).
    Dpop(&'h str),
}

impl<'h> Presented<'h> {
    /// The token.
    pub(in crate::http) const fn text(self) -> &'h str {
        match self {
            Self::Bearer(text) | Self::Dpop(text) => text,
        }
    }
}

/// The text after `Bearer`.
pub(in crate::http) fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    match presented(headers)? {
        Presented::Bearer(text) => Ok(text),
        Presented::Dpop(_) => Err(Error::Unauthenticated(CredentialFault::Invalid)),
    }
}

/// The token in `Authorization`.
pub(in crate::http) fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Error> {
    const MISSING: Error = Error::Unauthenticated(CredentialFault::Missing);
    let invalid = || Error::Unauthenticated(CredentialFault::Invalid);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(MISSING)?;
    if values.next().is_some() {
        return Err(invalid());
    }
    let text = value.to_str().map_err(|_| invalid())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(invalid)?;
    match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Ok(Presented::Bearer(token.trim())),
        _ if scheme.eq_ignore_ascii_case("dpop") => Ok(Presented::Dpop(token.trim())),
        _ => Err(invalid()),
    }
}

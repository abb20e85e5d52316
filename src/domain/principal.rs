//! Which principal somebody is: the name under which others remember who did something.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::id::{ApiClientId, UserId};

/// Which principal somebody is, whatever they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PrincipalId {
    /// A person.
    User(UserId),
    /// A program.
    ApiClient(ApiClientId),
    /// The service itself, or its operator at the command line.
    System,
}

impl PrincipalId {
    /// The kind as the record says it, and the id.
    #[must_use]
    pub const fn parts(self) -> (&'static str, Option<Uuid>) {
        match self {
            Self::User(user_id) => ("user", Some(user_id.as_uuid())),
            Self::ApiClient(api_client_id) => ("api_client", Some(api_client_id.as_uuid())),
            Self::System => ("system", None),
        }
    }

    /// The principal with these parts, if they fit.
    #[must_use]
    pub fn from_parts(kind: &str, id: Option<Uuid>) -> Option<Self> {
        match (kind, id) {
            ("user", Some(id)) => Some(Self::User(UserId::from_uuid(id))),
            ("api_client", Some(id)) => Some(Self::ApiClient(ApiClientId::from_uuid(id))),
            ("system", None) => Some(Self::System),
            _ => None,
        }
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user_id) => user_id.fmt(f),
            Self::ApiClient(api_client_id) => api_client_id.fmt(f),
            Self::System => f.write_str("system"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_its_parts_and_nothing_else_is() {
        let id = Some(Uuid::from_u128(1));
        let person = PrincipalId::User(UserId::from_uuid(Uuid::from_u128(1)));
        let program = PrincipalId::ApiClient(ApiClientId::from_uuid(Uuid::from_u128(1)));
        for principal in [person, program, PrincipalId::System] {
            let (kind, id) = principal.parts();
            assert_eq!(PrincipalId::from_parts(kind, id), Some(principal));
        }
        for (kind, id) in [("user", None), ("api_client", None), ("system", id), ("", id)] {
            assert_eq!(PrincipalId::from_parts(kind, id), None);
        }
        assert!(person.to_string().starts_with("usr_"));
        assert!(program.to_string().starts_with("key_"));
        assert_eq!(PrincipalId::System.to_string(), "system");
    }
}

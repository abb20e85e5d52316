//! Which principal somebody is: the name under which others remember who did something.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::domain::id::{ApiClientId, InvalidId, Kind as _, UserId, kind};
use crate::domain::schema;

words! {
    /// What kind of principal somebody is.
    PrincipalKind {
        /// A person.
        User = "user",
        /// A program.
        ApiClient = "api_client",
        /// The service itself, or its operator at the command line.
        System = "system",
    }
}

/// Which principal somebody is, whatever they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalId {
    /// A person.
    User(UserId),
    /// A program.
    ApiClient(ApiClientId),
    /// The service itself, or its operator at the command line.
    System,
}

described!(
    PrincipalId,
    schema::text(
        "A user, an API client, or `system`: the service itself or its operator at the command line."
    )
    .pattern(Some(format!(
        "^(system|{}|{})$",
        schema::id_pattern(kind::User::PREFIX),
        schema::id_pattern(kind::ApiClient::PREFIX)
    )))
    .examples(["usr_01k0a6v8w5e3tb3q6m1x9r7yzn"])
);

impl PrincipalId {
    /// The kind as the record says it, and the id.
    #[must_use]
    pub const fn parts(self) -> (&'static str, Option<Uuid>) {
        match self {
            Self::User(user_id) => (PrincipalKind::User.as_str(), Some(user_id.as_uuid())),
            Self::ApiClient(api_client_id) => {
                (PrincipalKind::ApiClient.as_str(), Some(api_client_id.as_uuid()))
            }
            Self::System => (PrincipalKind::System.as_str(), None),
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

impl FromStr for PrincipalId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let user = || text.parse().map(Self::User);
        match text {
            "system" => Ok(Self::System),
            _ => text.parse().map(Self::ApiClient).or_else(|_| user()),
        }
    }
}

impl Serialize for PrincipalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PrincipalId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
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

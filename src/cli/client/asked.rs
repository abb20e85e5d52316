//! A request before it is sent.

use reqwest::Method;
use serde_json::{Map, Value};

use super::keeper::Hidden;
use crate::cli::Unmet;

/// What a request carries.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Nothing.
    None,
    /// A body for `/v1`.
    Json(Value),
    /// A form for `/oauth/token` (RFC 6749 section 4.4.2).
    ClientCredentials {
        /// Which client.
        client_id: String,
        /// Its secret, for HTTP Basic.
        client_secret: Hidden,
    },
}

/// A request before it is sent: what is asked for, without credentials.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// The path, which begins with a slash and holds only ids and words.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content: Content,
    /// What it means that no answer came, or none that can be read.
    pub(super) if_lost: Unmet,
}

impl Asked {
    fn of(method: Method, path: impl Into<String>, content: Content) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            content,
            if_lost: Unmet::Unreachable,
        }
    }

    /// A request that reads.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::of(Method::GET, path, Content::None)
    }

    /// A request that does something.
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::POST, path, Content::Json(body))
    }

    /// A request that changes something.
    pub(super) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::PATCH, path, Content::Json(body))
    }

    /// A request that takes something away.
    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::of(Method::DELETE, path, Content::None)
    }

    /// A request for an access token of an API client.
    pub(super) fn token(client_id: &str, client_secret: &Hidden) -> Self {
        let (client_id, client_secret) = (client_id.to_owned(), client_secret.clone());
        let content = Content::ClientCredentials { client_id, client_secret };
        Self::of(Method::POST, "/oauth/token", content)
    }

    /// The same with a parameter, if it is given.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// The same with a header, if it is given.
    pub(super) fn header(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.headers.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

/// A body with those members that are given.
pub(super) fn body<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<String, Value>>())
}

/// A value that is given, as a text in a body.
pub(super) fn text(value: impl ToString) -> Option<Value> {
    Some(Value::String(value.to_string()))
}

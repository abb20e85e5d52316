//! Query strings: what is not known is refused, because a filter with a typing error would
//! silently answer another question.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::field::violation;
use crate::http::problem::{Code, Problem};

/// The query's parameters as `T`, which should deny unknown fields.
#[derive(Debug, Clone, Copy)]
pub struct ApiQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        decode(&parts.uri).map(Self)
    }
}

/// Reads a query string, without its question mark.
pub(super) fn decode_text<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let uri =
        Uri::try_from(format!("/?{query}")).map_err(|_| Problem::of(Code::ValidationFailed))?;
    decode(&uri)
}

fn decode<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    match Query::<T>::try_from_uri(uri) {
        Ok(Query(value)) => Ok(value),
        Err(rejection) => {
            let text = rejection.body_text();
            // `Failed to deserialize query string: [name: ]message`
            let message = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
            let (place, message) = match message.split_once(": ") {
                Some((name, message)) if is_name(name) => (child("", name), message),
                _ => (String::new(), message),
            };
            Err(Problem::invalid(vec![violation(place, message, child)]))
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '`'])
}

/// Parameters do not nest.
fn child(_place: &str, name: &str) -> String {
    format!("?{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VehicleId;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        vehicle_id: Option<VehicleId>,
        count: u8,
    }

    fn pointer_and_code(query: &str) -> (String, &'static str) {
        let uri: Uri = format!("/things?{query}").parse().unwrap();
        let problem = decode::<Filter>(&uri).unwrap_err();
        let [only] = problem.violations() else { panic!("one violation: {problem:?}") };
        (only.pointer.clone(), only.code)
    }

    #[test]
    fn a_query_is_read_strictly() {
        let uri: Uri = "/things?count=2&vehicle_id=veh_00000000000000000000000007".parse().unwrap();
        let filter: Filter = decode(&uri).unwrap();
        assert_eq!(filter.count, 2);
        assert!(filter.vehicle_id.is_some());
        let cases = [
            ("count=2&colour=red", "?colour", "unknown_field"),
            ("", "?count", "required"),
            ("count=x", "?count", "invalid"),
            ("count=1&count=2", "?count", "duplicate_field"),
            ("count=1&vehicle_id=nonsense", "?vehicle_id", "invalid"),
        ];
        for (query, pointer, code) in cases {
            assert_eq!(pointer_and_code(query), (pointer.to_owned(), code), "{query}");
        }
    }
}

//! Ids in paths. What is no id names nothing, so it is not found.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::problem::{Code, Problem};

/// The path's parameters as `T`: one id, or a tuple of several.
#[derive(Debug, Clone, Copy)]
pub struct ApiPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for ApiPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::of(Code::NotFound)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::GrantId;
    use crate::http::test_requests::{get, status_and_code};
    use axum::Router;

    #[tokio::test]
    async fn what_is_no_id_is_not_found() {
        let grant = GrantId::from_uuid(uuid::Uuid::from_u128(7));
        let app = Router::new().route(
            "/grants/{grant_id}",
            axum::routing::get(|ApiPath(id): ApiPath<GrantId>| async move { id.to_string() }),
        );
        let ok = get(app.clone(), &format!("/grants/{grant}")).await;
        assert_eq!(ok.status(), 200);
        for wrong in ["1", "veh_00000000000000000000000007", "grt_%ff", "grt_7"] {
            let response = get(app.clone(), &format!("/grants/{wrong}")).await;
            assert_eq!(status_and_code(response).await, (404, "not_found".into()));
        }
    }
}

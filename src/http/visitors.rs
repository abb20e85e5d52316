//! Who asks without credentials: each address at a pace.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::client_address::ClientAddress;
use super::problem::{Code, Problem};
use crate::auth::Visits;

/// Lets a visitor through, or refuses it.
pub(super) async fn pace(
    State(visits): State<Arc<Visits>>,
    request: Request,
    next: Next,
) -> Response {
    // A request that came over no socket is this program's own.
    let Some(&client) = request.extensions().get() else {
        return next.run(request).await;
    };
    match admit(&visits, client) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Counts a visit.
///
/// # Errors
/// The refusal of one visit too many.
pub(super) fn admit(visits: &Visits, ClientAddress(address): ClientAddress) -> Result<(), Problem> {
    visits.admit(address).map_err(|wait| Problem::of(Code::RateLimited).retry_after(wait.0))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::routing::get;

    use super::*;
    use crate::http::test_requests::{edge, send, status_and_code};

    #[tokio::test]
    async fn a_visitor_who_comes_too_often_is_refused_and_others_are_not() {
        let visits = Arc::new(Visits::new(NonZeroU32::MIN, edge().clock));
        let app = Router::new().route("/open", get(async || "come in"));
        let app = app.layer(middleware::from_fn_with_state(visits, pace));
        let visit = |address: &str| {
            let mut request = Request::get("/open").body(Body::empty()).unwrap();
            request.extensions_mut().insert(ClientAddress(address.parse().unwrap()));
            send(app.clone(), request)
        };
        for _ in 1..=4 {
            assert_eq!(visit("192.0.2.1").await.status(), 200);
        }
        let refused = visit("192.0.2.1").await;
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(status_and_code(refused).await, (429, "rate_limited".into()));
        assert_eq!(visit("192.0.2.2").await.status(), 200);
    }
}

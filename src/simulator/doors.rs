//! The HTTP of the vehicle cloud: API v2.0 and v3 are two doors to the same cars, `oauth` is where
//! owners agree and tokens are made, `control` is for tests. A handler reads a request, asks the
//! cloud, has faults injected, and answers; what is true of a car is decided in
//! [`cloud`](super::cloud).

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use super::cloud::state::Cloud;

mod answer;
mod call;
mod control;
mod credentials;
mod execution;
mod fault_injection;
pub(super) mod listener;
mod oauth;
mod query;
mod v2;
mod v3;

/// All paths of the cloud; those of its API are there with and without a slash at the end.
pub(super) fn router(cloud: Arc<Cloud>) -> Router {
    let api = oauth::routes(&cloud).into_iter().chain(v2::routes()).chain(v3::routes());
    api.fold(control::router(), |router, (path, methods)| {
        router.route(&format!("{path}/"), methods.clone()).route(&path, methods)
    })
    .fallback(answer::no_such_path)
    .method_not_allowed_fallback(answer::no_such_path)
    .layer(DefaultBodyLimit::max(call::BODY_BYTES_MAX))
    .layer(from_fn_with_state(Arc::clone(&cloud), answer::finish))
    .with_state(cloud)
}

//! `GET /.well-known/jwks.json`: the public keys with which anybody can verify grant tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};

use super::Gateway;
use crate::signing::jwks::Jwks;

const FRESH_FOR: &str = "public, max-age=300";

/// The public keys that grant tokens are verified with (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "keys.list", tag = "keys", security(()),
    responses((status = 200, description = "The keys.", body = Jwks)))]
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
) -> ([(HeaderName, &'static str); 1], Json<Jwks>) {
    ([(header::CACHE_CONTROL, FRESH_FOR)], Json(Jwks::of(&gateway.service.base.keys())))
}

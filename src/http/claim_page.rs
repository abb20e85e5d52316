//! `GET /c`: where the link of a claim leads. The service never sees the secret of the link here: it is the
//! fragment of the address, which the page's script reads.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Html;

const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'",
);

/// The page on which a person chooses their password; for browsers.
#[utoipa::path(get, path = "/c", operation_id = "claims.page", tag = "claims", security(()),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String)))]
pub(super) async fn page() -> ([(HeaderName, HeaderValue); 1], Html<&'static str>) {
    ([(header::CONTENT_SECURITY_POLICY, CSP)], Html(include_str!("claim_page/page.html")))
}

/// The script of the page.
#[utoipa::path(get, path = "/c/claim.js", operation_id = "claims.script", tag = "claims", security(()),
    responses((status = 200, description = "The script.", content_type = "text/javascript", body = String)))]
pub(super) async fn script() -> ([(HeaderName, HeaderValue); 1], &'static str) {
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], include_str!("claim_page/claim.js"))
}

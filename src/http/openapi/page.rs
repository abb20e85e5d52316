//! The description where clients find it, and the page that shows it. Nothing is loaded from elsewhere.

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::headers::CSP_REFERENCE;

/// The routes of the description and of the page that shows it.
pub(in crate::http) fn routes<S: Clone + Send + Sync + 'static>(api: &OpenApi) -> Router<S> {
    let yaml = Bytes::from(super::yaml(api).unwrap_or_default());
    let json = Bytes::from(api.to_json().unwrap_or_default());
    let config = Config::new(["/openapi.json"]).validator_url("none").deep_linking(true);
    let reference: Router<S> = SwaggerUi::new("/docs/api").config(config).into();
    Router::new()
        .route("/openapi.yaml", served("application/yaml", yaml))
        .route("/openapi.json", served("application/json", json))
        .merge(reference.layer(middleware::from_fn(with_policy)))
}

fn served<S: Clone + Send + Sync + 'static>(
    media_type: &'static str,
    text: Bytes,
) -> axum::routing::MethodRouter<S> {
    get(async move || ([(header::CONTENT_TYPE, media_type)], text))
}

async fn with_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CSP_REFERENCE);
    response
}

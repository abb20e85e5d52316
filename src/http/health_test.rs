//! Health, measurements and the description, without any use case.

use axum::Router;

use super::*;
use crate::http::test_requests::{edge, get, problem_of, text};
use crate::telemetry;

struct Fixed(&'static str, Result<(), &'static str>);

#[async_trait]
impl HealthCheck for Fixed {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn check(&self) -> Result<(), String> {
        self.1.map_err(str::to_owned)
    }
}

fn app(checks: Vec<Box<dyn HealthCheck>>) -> Router {
    let metrics = telemetry::measurements().unwrap();
    let monitor = Monitor { checks: checks.into(), metrics };
    let routes = crate::http::open_routes().merge(crate::http::operators_routes());
    crate::http::served(routes, monitor, edge())
}

#[tokio::test]
async fn a_service_is_ready_when_every_check_passes() {
    let checks = || vec![Box::new(Fixed("database", Ok(()))) as Box<dyn HealthCheck>];
    assert_eq!(get(app(checks()), "/healthz").await.status(), 200);
    let ready = get(app(checks()), "/readyz").await;
    assert_eq!(text(ready).await, r#"{"status":"ready","checks":["database"]}"#);
}

#[tokio::test]
async fn what_is_not_ready_is_named_and_its_reason_kept() {
    let response = get(
        app(vec![
            Box::new(Fixed("database", Ok(()))),
            Box::new(Fixed("keys", Err("secret words"))),
        ]),
        "/readyz",
    )
    .await;
    assert_eq!(response.status(), 503);
    let problem = problem_of(response).await;
    assert_eq!(problem["errors"][0]["pointer"], "keys");
    assert!(!problem.to_string().contains("secret"));
}

#[tokio::test]
async fn requests_are_measured_by_route() {
    assert_eq!(get(app(Vec::new()), "/problems/token_expired").await.status(), 200);
    let metrics = text(get(app(Vec::new()), "/metrics").await).await;
    let series = metrics.lines().find(|line| {
        line.starts_with("http_server_request_duration_seconds_bucket")
            && line.contains(r#"route="/problems/{code}""#)
            && line.contains(r#"status_class="2xx""#)
    });
    assert!(series.is_some(), "{metrics}");
}

#[tokio::test]
async fn the_api_reference_works_without_the_internet() {
    let page = get(app(Vec::new()), "/docs/api/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert!(!text(page).await.contains("https://"));
    let init = text(get(app(Vec::new()), "/docs/api/swagger-initializer.js").await).await;
    assert!(init.contains("/openapi.json"), "{init}");
    let yaml = text(get(app(Vec::new()), "/openapi.yaml").await).await;
    assert!(yaml.starts_with("openapi: 3.1"), "{yaml}");
    let json = text(get(app(Vec::new()), "/openapi.json").await).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for scheme in ["session", "api_client", "grant_token"] {
        assert!(json["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
    }
    let problem = "#/components/responses/ProblemAnswer";
    assert_eq!(json["paths"]["/readyz"]["get"]["responses"]["503"]["$ref"], problem);
    let every = &json["paths"]["/healthz"]["get"]["responses"]["4XX"];
    assert_eq!(every["$ref"], problem);
    let media = &json["components"]["responses"]["ProblemAnswer"]["content"];
    assert!(media["application/problem+json"]["schema"].is_object(), "{media}");
}

//! Whether the service is alive, ready, and how it is doing: for orchestrators and monitors.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use super::problem::{Code, Problem};
use crate::measures;
use crate::service::Violation;

const CHECK_TIME_MAX: Duration = Duration::from_secs(2);

/// One thing without which the service must not take requests: the database, its migrations,
/// the keys, the clock.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// Its name in the answer.
    fn name(&self) -> &'static str;

    /// Whether it works now; the text of an error is for the log.
    async fn check(&self) -> Result<(), String>;
}

/// How the service is doing.
#[derive(Clone)]
pub struct Monitor {
    /// What must work before requests are taken.
    pub checks: Arc<[Box<dyn HealthCheck>]>,
    /// The measurements.
    pub metrics: PrometheusHandle,
}

/// How the service is doing.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HealthStatus {
    /// The process answers.
    Alive,
    /// Everything that requests need works.
    Ready,
}

/// The state of the service.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// How it is doing.
    status: HealthStatus,
    /// What was checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    checks: Vec<&'static str>,
}

/// Alive: this process answers.
#[utoipa::path(get, path = "/healthz", operation_id = "health.alive", tag = "health", security(()),
    responses((status = 200, description = "The process answers.", body = Health)))]
pub(super) async fn alive() -> Json<Health> {
    Json(Health { status: HealthStatus::Alive, checks: Vec::new() })
}

/// Ready: everything that requests need works.
#[utoipa::path(get, path = "/readyz", operation_id = "health.ready", tag = "health", security(()),
    responses(
        (status = 200, description = "Requests can be taken.", body = Health),
        (status = 503, response = super::openapi::ProblemAnswer),
    ))]
pub(super) async fn ready(State(monitor): State<Monitor>) -> Result<Json<Health>, Problem> {
    let failures = join_all(monitor.checks.iter().map(|check| failure(&**check))).await;
    let failures: Vec<Violation> = failures.into_iter().flatten().collect();
    if failures.is_empty() {
        return Ok(Json(Health {
            status: HealthStatus::Ready,
            checks: monitor.checks.iter().map(|check| check.name()).collect(),
        }));
    }
    Err(Problem::of(Code::NotReady).errors(failures))
}

async fn failure(check: &dyn HealthCheck) -> Option<Violation> {
    let name = check.name();
    let outcome = tokio::time::timeout(CHECK_TIME_MAX, check.check()).await;
    let passing = matches!(outcome, Ok(Ok(())));
    metrics::gauge!(measures::CHECK_PASSING, "check" => name).set(f64::from(u8::from(passing)));
    let why = match outcome {
        Ok(Ok(())) => return None,
        Ok(Err(why)) => why,
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(check = name, why, "not ready");
    Some(Violation::of(name, "failing", "does not work; the log says why"))
}

/// The measurements, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "health.metrics", tag = "health", security(()),
    responses((status = 200, description = "The measurements.", content_type = "text/plain",
        body = String)))]
pub(super) async fn metrics(State(monitor): State<Monitor>) -> impl IntoResponse {
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], monitor.metrics.render())
}

#[cfg(test)]
#[path = "health_test.rs"]
mod tests;

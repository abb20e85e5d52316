//! What is logged and measured: the set-up, and the one table of names.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{LogFormat, Logging};

/// Span: one HTTP request, with its id, method, route and the caller's trace.
pub const HTTP_REQUEST: &str = "http.request";

/// Histogram, seconds: HTTP requests by `route`, `method` and `status_class`.
pub const HTTP_SERVER_REQUEST_DURATION: &str = "http_server_request_duration_seconds";

/// Counter, by `reason` (`full`, `address`): connections that were closed unread because there was no
/// place for them, in all or for one more of their address.
pub const HTTP_CONNECTIONS_REFUSED: &str = "http_server_connections_refused_total";

/// Histogram, requests: how many commands were decided on in one transaction.
pub const GATE_BATCH_SIZE: &str = "keylend_gate_batch_size";

/// Histogram, seconds, by `name`: transactions of use cases, from the first begin to the last
/// commit, repetitions included. The gates' own are not in it.
pub const TRANSACTION_DURATION: &str = "keylend_transaction_duration_seconds";

/// Counter, by `name`: how often the work of a transaction was run again because another
/// transaction was in the way.
pub const TRANSACTION_REPEATS: &str = "keylend_transaction_repeats_total";

/// Counter, by `operation` and `outcome`: what callers asked for that they were `allowed` or
/// `denied`. Whether a car may be used is the policy's decision and not counted here.
pub const AUTHORIZATIONS: &str = "keylend_authorizations_total";

/// Gauge, seconds: how long the oldest entry of the record waits that no published checkpoint covers.
pub const RECORD_LAG_SECONDS: &str = "keylend_record_lag_seconds";

/// Gauge, seconds, by `witness`: how long the oldest entry waits that the witness has not cosigned.
pub const WITNESS_LAG_SECONDS: &str = "keylend_witness_lag_seconds";

/// Gauge, entries, by `witness`: how many the newest checkpoint has that the witness has not
/// cosigned.
pub const WITNESS_LAG_ENTRIES: &str = "keylend_witness_lag_entries";

/// Counter, by `witness` and `outcome`: checkpoints put before a witness that it `cosigned` or
/// `refused`, or could not be given because it was `away` or `ahead` of the record.
pub const WITNESS_REQUESTS: &str = "keylend_witness_requests_total";

/// In seconds: from a health check to the longest `Prefer: wait`.
const REQUEST_DURATION_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Why the process cannot be observed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("the log filter is not valid")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The process has a subscriber already.
    #[error("logging was set up twice")]
    Logging(#[from] TryInitError),
    /// The process has another recorder.
    #[error("measuring was set up twice")]
    Metrics(#[from] BuildError),
}

/// Sends what is logged to standard error. Once for a process.
///
/// # Errors
/// [`TelemetryError`] if the filter is not one, or if it was done already.
pub fn log(logging: &Logging) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&logging.filter)?;
    // Colours are for people; a file or a collector would keep them as garbage.
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    let lines = lines.with_writer(std::io::stderr);
    let outcome: Result<(), TryInitError> = match logging.format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    Ok(outcome?)
}

/// The process's measurements; made at the first call, the same at every other. Its owner calls
/// [`PrometheusHandle::run_upkeep`] every few seconds, or histograms grow until they are read.
///
/// # Errors
/// [`TelemetryError::Metrics`] if somebody else installed a recorder.
pub fn measurements() -> Result<PrometheusHandle, TelemetryError> {
    static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Full(HTTP_SERVER_REQUEST_DURATION.to_owned()),
            REQUEST_DURATION_BUCKETS,
        )?
        .set_buckets_for_metric(
            Matcher::Full(TRANSACTION_DURATION.to_owned()),
            REQUEST_DURATION_BUCKETS,
        )?
        .install_recorder()?;
    metrics::describe_histogram!(
        HTTP_SERVER_REQUEST_DURATION,
        metrics::Unit::Seconds,
        "How long HTTP requests took."
    );
    *installed = Some(handle.clone());
    Ok(handle)
}

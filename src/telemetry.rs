//! How it is logged and measured: the set-up. What is measured stands in `measures.rs`.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{LogFormat, Logging};
use crate::measures::{self, Form};

/// Span: one HTTP request, with its id, method, route and the caller's trace.
pub const HTTP_REQUEST: &str = "http.request";

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
    let mut builder = PrometheusBuilder::new();
    for metric in measures::ALL {
        if let Form::Histogram(bounds) = metric.form {
            builder =
                builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
        }
    }
    let handle = builder.install_recorder()?;
    describe();
    *installed = Some(handle.clone());
    Ok(handle)
}

/// Tells the recorder what each metric says.
fn describe() {
    for metric in measures::ALL {
        match metric.form {
            Form::Counter => metrics::describe_counter!(metric.name, metric.help),
            Form::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            Form::Histogram(_) => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

//! What is measured: the one table of metrics. Whatever records names one by its constant, and
//! `docs/metrics.md` shows the table. Names follow Prometheus: a unit in base units comes last, and counters
//! end in `_total`. Values of labels are bounded, and never an id.
//!
//! It knows nobody who records or exports.

/// How a metric changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Grows from the start of the process on.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts what was observed, by these upper bounds.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name, with the unit.
    pub name: &'static str,
    /// How it changes.
    pub form: Form,
    /// Its labels, each with what its values say.
    pub labels: &'static [(&'static str, &'static str)],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// In seconds: from a health check to the longest `Prefer: wait`.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Up to the largest batch.
const REQUESTS: &[f64] = &[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

macro_rules! table {
    ($($ident:ident = $name:literal: $form:expr, [$($label:literal: $values:literal),*], $help:literal;)*) => {
        $(#[doc = $help] pub const $ident: &str = $name;)*

        /// Every metric, in the order of the page.
        pub const ALL: &[Metric] =
            &[$(Metric { name: $ident, form: $form, labels: &[$(($label, $values)),*], help: $help }),*];
    };
}

table! {
    HTTP_SERVER_REQUEST_DURATION = "http_server_request_duration_seconds": Form::Histogram(SECONDS),
        ["route": "the path as the API description has it; `none` if there is no such", "method": "the method, `other` if it is unusual",
            "status_class": "`2xx`, …"],
        "How long HTTP requests took.";
    HTTP_CONNECTIONS_REFUSED = "http_server_connections_refused_total": Form::Counter,
        ["reason": "`full`: no place for them at all; `address`: none for one more of their address"],
        "Connections that were closed unread.";
    CHECK_PASSING = "keylend_check_passing": Form::Gauge,
        ["check": "a check of `/readyz`"],
        "Whether a check passed when `/readyz` was last asked: 1, or 0.";
    COMMANDS = "keylend_commands_total": Form::Counter,
        ["action": "`lock`, `unlock`, … as in the API", "status": "a status of [commands](commands.md)"],
        "Commands that reached a status; one command is counted in each that it reaches.";
    COMMAND_OVERDUE = "keylend_command_overdue_seconds": Form::Gauge, [],
        "How long the command is overdue that has waited longest to be taken over or for its car to be checked.";
    GATE_BATCH_SIZE = "keylend_gate_batch_size": Form::Histogram(REQUESTS), [],
        "How many requests for commands were decided on in one transaction; 0 if it wrote outcomes alone.";
    GATE_WAITING = "keylend_gate_waiting_requests": Form::Gauge, [],
        "Requests for commands that wait for a decision; sampled.";
    GATE_OLDEST_WAIT = "keylend_gate_oldest_wait_seconds": Form::Gauge, [],
        "How long the oldest request has waited that is being decided on, or a transaction of outcomes alone has taken; sampled, 0 if there is none.";
    VEHICLE_CLOUD_REQUEST_DURATION = "keylend_vehicle_cloud_request_duration_seconds": Form::Histogram(SECONDS),
        ["operation": "`send` is a command, `read` and `read_batch` are readings, the others are about consents and tokens",
            "outcome": "`ok`, or a cause of [commands](commands.md), such as `connector_timed_out`"],
        "How long calls to the vehicle cloud took.";
    VEHICLE_CLOUD_BUDGET_LEFT = "keylend_vehicle_cloud_budget_left_ratio": Form::Gauge, [],
        "What is left of the application's burst of requests to the vehicle cloud, from 0 to 1; sampled.";
    VEHICLE_CLOUD_BUDGET_REFUSED = "keylend_vehicle_cloud_budget_refused_total": Form::Counter,
        ["purpose": "`read`, `command`, `check` (what became of a command) or `lock`"],
        "Requests to the vehicle cloud that were not made, because the budget of the car or the application was used up.";
    DATABASE_CONNECTIONS = "keylend_database_connections": Form::Gauge,
        ["state": "`in_use` or `idle`"],
        "Connections to the database; sampled.";
    DATABASE_CONNECTIONS_MAX = "keylend_database_connections_max": Form::Gauge, [],
        "How many connections to the database there may be.";
    DATABASE_BEGIN_DURATION = "keylend_database_begin_duration_seconds": Form::Histogram(SECONDS),
        ["priority": "`urgent` for commands and the end of keys, otherwise `ordinary`"],
        "How long it took to begin a transaction: most of it is the wait for a connection.";
    TRANSACTION_DURATION = "keylend_transaction_duration_seconds": Form::Histogram(SECONDS),
        ["name": "what it does"],
        "How long transactions took, from the first begin to the last commit, repetitions included. The gate's own are not in it.";
    TRANSACTION_REPEATS = "keylend_transaction_repeats_total": Form::Counter,
        ["name": "what it does"],
        "How often a transaction was run again because another one was in the way.";
    TASK_FAILURES = "keylend_task_failures_total": Form::Counter,
        ["task": "its name in the log"],
        "Runs of background tasks that failed or panicked.";
    AUTHORIZATIONS = "keylend_authorizations_total": Form::Counter,
        ["operation": "what was asked for", "outcome": "`allowed` or `denied`"],
        "What callers asked for, by whether they may. Whether a car may be used is the policy's decision and not in it.";
    SIGN_INS_REFUSED = "keylend_sign_ins_refused_total": Form::Counter,
        ["reason": "`credentials`, or `attempts`: too many had failed before"],
        "Sign-ins with a password that were refused.";
    CLAIMS = "keylend_claims_total": Form::Counter,
        ["outcome": "`created`, `redeemed` or `refused`"],
        "Links to accounts.";
    WEBHOOK_DELIVERIES = "keylend_webhook_deliveries_total": Form::Counter,
        ["outcome": "`delivered`; `waiting`: it will be tried again; `failed`: it will not"],
        "Attempts to deliver an event to a webhook endpoint, but for tests of an endpoint.";
    WEBHOOKS_OVERDUE = "keylend_webhooks_overdue_seconds": Form::Gauge, [],
        "How long the webhook endpoint is overdue that has waited longest to be sent to. Pauses between attempts are not in it.";
    RECORD_LAG_SECONDS = "keylend_record_lag_seconds": Form::Gauge, [],
        "How long the oldest entry of the record waits that no published checkpoint covers.";
    WITNESS_LAG_SECONDS = "keylend_witness_lag_seconds": Form::Gauge,
        ["witness": "its name"],
        "How long the oldest entry waits that the witness has not cosigned.";
    WITNESS_LAG_ENTRIES = "keylend_witness_lag_entries": Form::Gauge,
        ["witness": "its name"],
        "How many entries the newest checkpoint has that the witness has not cosigned.";
    WITNESS_REQUESTS = "keylend_witness_requests_total": Form::Counter,
        ["witness": "its name", "outcome": "`cosigned`; `refused`; `away`: no answer; `ahead`: it knows a longer record"],
        "Checkpoints that were submitted to a witness.";
}

#[cfg(test)]
#[path = "measures/table_test.rs"]
mod tests;

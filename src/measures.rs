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
        ["route": "the path as in the API document; `none` if no route matches", "method": "the method, `other` if it is unusual",
            "status_class": "`2xx`, …"],
        "Duration of HTTP requests.";
    HTTP_CONNECTIONS_REFUSED = "http_server_connections_refused_total": Form::Counter,
        ["reason": "`full`: the limit of all connections; `address`: the limit of one address"],
        "Connections that were closed without reading them.";
    CHECK_PASSING = "keylend_check_passing": Form::Gauge,
        ["check": "a check of `/readyz`"],
        "Whether a check passed at the last request to `/readyz`: 1 or 0.";
    COMMANDS = "keylend_commands_total": Form::Counter,
        ["action": "`lock`, `unlock`, … as in the API", "status": "a status of [commands](commands.md)"],
        "Commands that reached a status. A command is counted once for each status that it reaches.";
    COMMAND_OVERDUE = "keylend_command_overdue_seconds": Form::Gauge, [],
        "The longest delay of a command that must be taken over from a stopped instance, or whose car must be checked.";
    GATE_BATCH_SIZE = "keylend_gate_batch_size": Form::Histogram(REQUESTS), [],
        "Requests for commands that were decided in one transaction; 0 if the transaction only wrote outcomes.";
    GATE_WAITING = "keylend_gate_waiting_requests": Form::Gauge, [],
        "Requests for commands that wait for a decision; sampled.";
    GATE_OLDEST_WAIT = "keylend_gate_oldest_wait_seconds": Form::Gauge, [],
        "The longest wait of a request whose decision is under way, or the duration of a transaction that only writes outcomes; sampled, 0 if there is none.";
    VEHICLE_CLOUD_REQUEST_DURATION = "keylend_vehicle_cloud_request_duration_seconds": Form::Histogram(SECONDS),
        ["operation": "`send` is a command, `read` and `read_batch` are readings, the others are about consents and tokens",
            "outcome": "`ok`, or a cause of [commands](commands.md), such as `connector_timed_out`"],
        "Duration of calls to the vehicle cloud.";
    VEHICLE_CLOUD_BUDGET_LEFT = "keylend_vehicle_cloud_budget_left_ratio": Form::Gauge, [],
        "The unused part of the application's burst of requests to the vehicle cloud, from 0 to 1; sampled.";
    VEHICLE_CLOUD_BUDGET_REFUSED = "keylend_vehicle_cloud_budget_refused_total": Form::Counter,
        ["purpose": "`read`, `command`, `check` (what became of a command) or `lock`"],
        "Requests to the vehicle cloud that were not sent, because the limit of the car or of the application was reached.";
    DATABASE_CONNECTIONS = "keylend_database_connections": Form::Gauge,
        ["state": "`in_use` or `idle`"],
        "Connections to the database; sampled.";
    DATABASE_CONNECTIONS_MAX = "keylend_database_connections_max": Form::Gauge, [],
        "The maximum number of connections to the database.";
    DATABASE_BEGIN_DURATION = "keylend_database_begin_duration_seconds": Form::Histogram(SECONDS),
        ["priority": "`urgent` for commands and the end of keys, otherwise `ordinary`"],
        "Time to begin a transaction; most of it is the wait for a connection.";
    TRANSACTION_DURATION = "keylend_transaction_duration_seconds": Form::Histogram(SECONDS),
        ["name": "the use case"],
        "Duration of transactions from the first begin to the last commit, including repetitions and without those of the gate.";
    TRANSACTION_REPEATS = "keylend_transaction_repeats_total": Form::Counter,
        ["name": "the use case"],
        "Repetitions of transactions after a conflict with another one.";
    TASK_FAILURES = "keylend_task_failures_total": Form::Counter,
        ["task": "the name of the task in the log"],
        "Runs of background tasks that failed or panicked.";
    AUTHORIZATIONS = "keylend_authorizations_total": Form::Counter,
        ["operation": "the requested operation", "outcome": "`allowed` or `denied`"],
        "Checks of what callers may ask the service to do. Decisions about cars are not included.";
    SIGN_INS_REFUSED = "keylend_sign_ins_refused_total": Form::Counter,
        ["reason": "`credentials`: the password or the address is wrong; `attempts`: too many attempts failed before"],
        "Sign-ins with a password that were refused.";
    CLAIMS = "keylend_claims_total": Form::Counter,
        ["outcome": "`created`, `redeemed` or `refused`"],
        "Links to accounts.";
    WEBHOOK_DELIVERIES = "keylend_webhook_deliveries_total": Form::Counter,
        ["outcome": "`delivered`; `waiting`: it will be tried again; `failed`: it will not"],
        "Attempts to deliver an event to a webhook endpoint, without tests of an endpoint.";
    WEBHOOKS_OVERDUE = "keylend_webhooks_overdue_seconds": Form::Gauge, [],
        "The longest delay of a webhook endpoint that has due events. Pauses between attempts are not included.";
    RECORD_LAG_SECONDS = "keylend_record_lag_seconds": Form::Gauge, [],
        "Age of the oldest entry of the record that no published checkpoint covers.";
    WITNESS_LAG_SECONDS = "keylend_witness_lag_seconds": Form::Gauge,
        ["witness": "the name of the witness"],
        "Age of the oldest entry that the witness has not cosigned.";
    WITNESS_LAG_ENTRIES = "keylend_witness_lag_entries": Form::Gauge,
        ["witness": "the name of the witness"],
        "Entries of the newest checkpoint that the witness has not cosigned.";
    WITNESS_REQUESTS = "keylend_witness_requests_total": Form::Counter,
        ["witness": "the name of the witness", "outcome": "`cosigned`; `refused`; `away`: no answer; `ahead`: it has cosigned more entries"],
        "Checkpoints that were submitted to a witness.";
}

#[cfg(test)]
#[path = "measures/table_test.rs"]
mod tests;

//! Background tasks: what goes on without a request. Each is idempotent, takes no input, runs on a
//! period and can be run by hand. Any number of instances may run them at the same time.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::measures;
use crate::service::commands::{reconcile, recover};
use crate::service::connections::{probe, unfinished};
use crate::service::{
    Error, Service, agreement, due, ends, grants, idempotency, measure, record, refusals,
    retention, webhook_endpoints, webhooks,
};

/// How often abandoned commands are looked for, and cars checked.
const RECONCILE_PERIOD: Duration = Duration::from_secs(1);
/// How often the primary among several servers is looked for, and the clock compared with its.
const EXAMINE_PERIOD: Duration = Duration::from_secs(1);
/// How often new entries get their positions, and the record is signed.
const SEQUENCE_PERIOD: Duration = Duration::from_millis(250);
/// How often it is looked whether a checkpoint waits for a witness.
const WITNESS_PERIOD: Duration = Duration::from_millis(250);
/// How often it is looked for webhook endpoints that have something to be sent to.
const DELIVER_PERIOD: Duration = Duration::from_millis(100);
/// How often suspended cars whose time has come are looked for.
const PROBE_PERIOD: Duration = Duration::from_secs(15);
/// How often it is looked for ends by scope that nobody carries out any more.
const GO_ON_PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked for grants that are near their end or over, and holds that ran out.
const DUE_PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked whether a minute of refusals is over.
const COUNT_REFUSALS_PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked at what is measured that way: three times between two scrapes of Prometheus.
const MEASURE_PERIOD: Duration = Duration::from_secs(5);
/// How often old answers are forgotten.
const FORGET_PERIOD: Duration = Duration::from_secs(10 * 60);

/// One task. It returns how much it did, for the log.
struct Task {
    name: &'static str,
    period: Duration,
    run: Box<dyn Fn(Service) -> BoxFuture<'static, Result<u64, Error>> + Send + Sync>,
}

fn task<F>(
    name: &'static str,
    period: Duration,
    run: impl Fn(Service) -> F + Send + Sync + 'static,
) -> Task
where
    F: Future<Output = Result<u64, Error>> + Send + 'static,
{
    Task { name, period, run: Box::new(move |service| run(service).boxed()) }
}

/// Every task.
fn all(service: &Service) -> Vec<Task> {
    let mut tasks =
        vec![
            task("examine", EXAMINE_PERIOD, |service| async move {
                service.base.store.db().find_primary().await?;
                agreement::compare(&service.base).await.map(|()| 0)
            }),
            task("recover", RECONCILE_PERIOD, |service| async move {
                recover::recover(&service).await.map(|count| count as u64)
            }),
            task("reconcile", RECONCILE_PERIOD, |service| async move {
                reconcile::reconcile(&service).await.map(|count| count as u64)
            }),
            task("measure", MEASURE_PERIOD, |service| async move {
                measure::measure(&service).await.map(|()| 0)
            }),
            task("go_on_with_ends", GO_ON_PERIOD, |service| async move {
                ends::go_on(&service.base).await
            }),
            task("record_due", DUE_PERIOD, |service| async move {
                due::record_due(&service.base).await
            }),
            task("read_for_statements", DUE_PERIOD, |service| async move {
                grants::read_for_statements(&service).await
            }),
            task("deliver", DELIVER_PERIOD, |service| async move {
                webhook_endpoints::deliver(&service).await
            }),
            task("probe", PROBE_PERIOD, |service| async move {
                probe::probe(&service).await.map(|count| count as u64)
            }),
            task("forget", FORGET_PERIOD, |service| async move {
                let answers = idempotency::forget_old(&service.base).await?;
                let events = webhooks::forget_old(&service.base).await?;
                Ok(answers + events + retention::forget_old(&service.base).await?)
            }),
            task("count_refusals", COUNT_REFUSALS_PERIOD, |service| async move {
                refusals::record_counted(&service).await
            }),
            task("forget_unfinished", PROBE_PERIOD, |service| async move {
                unfinished::forget_unfinished(&service).await
            }),
            task("sequence", SEQUENCE_PERIOD, |service| async move {
                let placed = continue_record(&service).await;
                // Also when the record was not continued: that is when it matters.
                record::measure_lag(&service.record).await?;
                placed
            }),
        ];
    // Each witness has a task of its own, so that a slow one delays no other.
    tasks.extend((0..service.record.witnesses().len()).map(|place| {
        task("witness", WITNESS_PERIOD, move |service| async move {
            record::ask_witness(&service.record, place).await.map(u64::from)
        })
    }));
    tasks
}

/// Starts every task; they end with `stop`.
pub fn start(service: &Service, stop: &CancellationToken) {
    for task in all(service) {
        service.tasks.spawn(run_periodically(task, service.clone(), stop.clone()));
    }
}

/// Runs every task once: what a test does in place of waiting.
///
/// # Errors
/// The error of the first task that fails; the tasks after it are not run.
pub async fn run_once(service: &Service) -> Result<(), Error> {
    for task in all(service) {
        (task.run)(service.clone()).await?;
    }
    Ok(())
}

/// Gives entries their positions, signs the tree, and submits the checkpoint to the witnesses;
/// returns how many entries got a position.
async fn continue_record(service: &Service) -> Result<u64, Error> {
    let placed = record::sequence(&service.base).await?;
    record::sign(&service.record).await?;
    record::open_round(&service.record).await?;
    Ok(placed)
}

async fn run_periodically(task: Task, service: Service, stop: CancellationToken) {
    let Task { name, period, run } = task;
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // A panic is logged where it happens. The task is idempotent, so it runs again in its time.
        let Ok(outcome) = AssertUnwindSafe(run(service.clone())).catch_unwind().await else {
            count_failure(name);
            tracing::error!(task = name, "a background task panicked");
            continue;
        };
        match outcome {
            Ok(0) => {}
            Ok(count) => tracing::debug!(task = name, count, "a background task did something"),
            Err(error) => {
                count_failure(name);
                tracing::error!(task = name, error = ?error, "a background task failed");
            }
        }
    }
}

fn count_failure(task: &'static str) {
    metrics::counter!(measures::TASK_FAILURES, "task" => task).increment(1);
}

//! What goes on without a request: each task is idempotent, takes no input, runs on a period and
//! can be run by hand. Any number of instances may run them at the same time.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::service::commands::{reconcile, recover};
use crate::service::connections::probe;
use crate::service::{Error, Service, agreement, idempotency, record, webhooks};

/// How often abandoned commands are looked for, and cars looked at.
const SETTLE_PERIOD: Duration = Duration::from_secs(1);
/// How often the primary among several servers is looked for, and the clock compared with its.
const EXAMINE_PERIOD: Duration = Duration::from_secs(1);
/// How often new entries get their positions, and the record is signed.
const SEQUENCE_PERIOD: Duration = Duration::from_millis(250);
/// How often it is looked whether a checkpoint waits for a witness.
const WITNESS_PERIOD: Duration = Duration::from_millis(250);
/// How often suspended cars whose time has come are looked for.
const PROBE_PERIOD: Duration = Duration::from_secs(15);
/// How often old answers are forgotten.
const FORGET_PERIOD: Duration = Duration::from_secs(10 * 60);

/// Starts every task; they end with `stop`.
pub fn start(service: &Service, stop: &CancellationToken) {
    spawn(service, stop, "examine", EXAMINE_PERIOD, |service| async move {
        service.store.db().find_primary().await?;
        agreement::compare(&service).await.map(|()| 0)
    });
    spawn(service, stop, "recover", SETTLE_PERIOD, |service| async move {
        recover::recover(&service).await.map(|count| count as u64)
    });
    spawn(service, stop, "reconcile", SETTLE_PERIOD, |service| async move {
        reconcile::reconcile(&service).await.map(|count| count as u64)
    });
    spawn(service, stop, "sequence", SEQUENCE_PERIOD, |service| async move {
        let placed = continue_record(&service).await;
        // Also when it was not continued, and because of that.
        record::measure_lag(&service).await?;
        placed
    });
    // Each by itself, so that one that is slow delays nobody.
    for place in 0..service.record.witnesses().len() {
        spawn(service, stop, "witness", WITNESS_PERIOD, move |service| async move {
            record::ask_witness(&service, place).await.map(u64::from)
        });
    }
    spawn(service, stop, "probe", PROBE_PERIOD, |service| async move {
        probe::probe(&service).await.map(|count| count as u64)
    });
    spawn(service, stop, "forget", FORGET_PERIOD, |service| async move {
        let answers = idempotency::forget_old(&service).await?;
        Ok(answers + webhooks::forget_old(&service).await?)
    });
}

/// Runs every task once: what a test does in place of waiting.
///
/// # Errors
/// The first task's error.
pub async fn run_once(service: &Service) -> Result<(), Error> {
    agreement::compare(service).await?;
    recover::recover(service).await?;
    reconcile::reconcile(service).await?;
    probe::probe(service).await?;
    idempotency::forget_old(service).await?;
    webhooks::forget_old(service).await?;
    continue_record(service).await?;
    record::measure_lag(service).await?;
    for place in 0..service.record.witnesses().len() {
        record::ask_witness(service, place).await?;
    }
    Ok(())
}

/// Gives entries their positions, signs, and puts what is signed before the witnesses; returns how many
/// entries there were.
async fn continue_record(service: &Service) -> Result<u64, Error> {
    let placed = record::sequence(service).await?;
    record::sign(service).await?;
    record::open_round(service).await?;
    Ok(placed)
}

fn spawn<F>(
    service: &Service,
    stop: &CancellationToken,
    task: &'static str,
    period: Duration,
    run: impl Fn(Service) -> F + Send + 'static,
) where
    F: Future<Output = Result<u64, Error>> + Send + 'static,
{
    let (worker, stop) = (service.clone(), stop.clone());
    service.tasks.spawn(async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match run(worker.clone()).await {
                Ok(0) => {}
                Ok(count) => tracing::debug!(task, count, "a background task did something"),
                Err(error) => tracing::error!(task, error = ?error, "a background task failed"),
            }
        }
    });
}

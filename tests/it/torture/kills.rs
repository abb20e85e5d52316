//! Killed processes: the service is ended without a word, at a failpoint or at a moment that chance
//! chooses, and started again; people go on as if nothing had happened.

use std::time::Duration;

use keylend::service::failpoint::Failpoint;

use super::installation::Installation;
use super::process::{End, Process};
use super::run::{Run, Tally};
use crate::support::databases::Database;

/// A failpoint that was not come to by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(12);
/// A moment that chance chooses comes before so many answers.
const ANSWERS_MAX: usize = 60;

/// Runs so many cycles on one database, and checks what came of all of them together.
pub(crate) async fn run(title: &str, database: Database, cycles: usize, seed: u64) -> Tally {
    let mut run = Run::prepare(title, Installation::new(database, 1).await, seed);
    let mut service = run.serve(0, None).await;
    run.begin().await;
    run.world.log.until_answered(run.world.log.answered() + 100).await;
    run.up.send_replace(false);
    service.kill().await;
    for cycle in 0..cycles {
        if cycle % 3 == 2 {
            at_random(&mut run).await;
        } else {
            at_failpoint(&mut run).await;
        }
        run.tally.cycles += 1;
    }
    let service = run.serve(0, None).await;
    run.finish(vec![service]).await
}

/// Kills the service when it has answered a few requests.
async fn at_random(run: &mut Run) {
    let mut service = run.serve(0, None).await;
    let answers = run.dice.below(ANSWERS_MAX) as u64;
    let world = std::sync::Arc::clone(&run.world);
    let enough = world.log.until_answered(world.log.answered() + answers);
    let patience = tokio::time::timeout(PATIENCE, enough);
    tokio::select! {
        _ = patience => {}
        end = service.ended() => ended_by_itself(&service, end),
    }
    run.up.send_replace(false);
    service.kill().await;
    run.tally.count_end("killed at random");
}

/// Lets the service come to the failpoint that it came to least often; one that it missed waits for
/// the others.
async fn at_failpoint(run: &mut Run) {
    let count = |end: String| run.tally.ends.get(&end).copied().unwrap_or(0);
    let so_far = |point: &&Failpoint| (count(name(**point)), count(missed(**point)));
    let point = *Failpoint::ALL.iter().min_by_key(so_far).unwrap();
    let pass = 1 + run.dice.below(3);
    let mut service = run.serve(0, Some(&format!("{point}:{pass}"))).await;
    let end = tokio::time::timeout(PATIENCE, service.ended()).await;
    run.up.send_replace(false);
    match end {
        Ok(End::Failpoint) => run.tally.count_end(name(point)),
        Ok(end) => ended_by_itself(&service, end),
        Err(_) => {
            service.kill().await;
            run.tally.count_end(missed(point));
        }
    }
}

pub(super) fn name(point: Failpoint) -> String {
    format!("ended at {point}")
}

fn missed(point: Failpoint) -> String {
    format!("killed before it came to {point}")
}

fn ended_by_itself(service: &Process, end: End) {
    panic!("the service ended by itself ({end:?}):\n{}", service.said());
}

//! Failover to a synchronous standby, again and again, with one URL that names both servers. Every
//! other time the old primary goes on running and believes to be it.

use std::time::{Duration, Instant};

use super::stage::{Stage, until_ready};
use super::traffic::Traffic;
use crate::support::postgres::own::OwnServer;

/// How many failovers are made if `KEYLEND_TEST_FAILOVERS` does not say it: one of each kind.
const FAILOVERS: usize = 2;

fn failovers() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how long to test is no setting of the service")]
    let wanted = std::env::var("KEYLEND_TEST_FAILOVERS").ok();
    wanted.map_or(FAILOVERS, |count| count.parse().expect("a number of failovers"))
}

/// What the new primary becomes one within, as the service sees it.
#[derive(Debug, Default)]
struct Times {
    away: Vec<Duration>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the test measures how long a failover takes")]
async fn a_failover_loses_nothing_and_needs_no_restart() {
    let (mut primary, mut standby) = tokio::task::spawn_blocking(|| {
        let primary = OwnServer::start();
        let standby = primary.new_standby();
        primary.wait_for_standby(true);
        (primary, standby)
    })
    .await
    .unwrap();
    let stage = Stage::open(Some(&primary.url_of_all(&[&standby]))).await;
    let service = stage.serve(&[]).await;
    let owner = stage.owner(&service).await;
    let mut times = Times::default();
    for failover in 0..failovers() {
        let old_one_lives = failover % 2 == 1;
        let traffic = Traffic::start(&stage, &owner).await;
        traffic.flows(20).await;
        let began = Instant::now();
        tokio::task::block_in_place(|| {
            if !old_one_lives {
                primary.kill();
            }
            // The copy has the setting too; it would wait for a standby that it does not have.
            standby.wait_for_nobody_once_promoted();
            standby.promote();
        });
        traffic.flows(20).await;
        times.away.push(began.elapsed());
        std::mem::swap(&mut primary, &mut standby);
        tokio::task::block_in_place(|| {
            standby.follow(&primary);
            primary.wait_for_standby(true);
        });
        traffic.flows(20).await;
        let tally = traffic.settle(&stage).await;
        println!("failover {failover}: {tally:?}, answers again after {:?}", times.away.last());
        until_ready(&service, true).await;
    }
    stage.close(vec![service]).await;
    tokio::task::block_in_place(|| standby.stop());
}

//! Failover to a synchronous standby, again and again, with one URL that names both servers. Every
//! other time the old primary goes on running and believes to be it. People use the service all the
//! while, and in the end the checker decides on all of it.

use std::time::Instant;

use super::stage::{assert_turned_away_well, until_ready};
use crate::support::balancer::Balancer;
use crate::support::postgres::own::OwnServer;
use crate::torture;
use crate::torture::installation::Installation;
use crate::torture::run::Run;

/// How many failovers are made if `KEYLEND_TEST_FAILOVERS` does not say it: one of each kind.
const FAILOVERS: u64 = 2;

/// Each finds out about the new primary by itself.
const INSTANCES: usize = 2;

/// A primary, and a standby that has everything that the primary has committed.
struct Pair {
    primary: OwnServer,
    standby: OwnServer,
}

impl Pair {
    fn start() -> Self {
        let primary = OwnServer::start();
        let standby = primary.new_standby();
        primary.wait_for_standby(true);
        Self { primary, standby }
    }

    fn promote(&mut self, old_one_lives: bool) {
        if !old_one_lives {
            self.primary.kill();
        }
        // The copy has the setting too; it would wait for a standby that it does not have.
        self.standby.wait_for_nobody_once_promoted();
        self.standby.promote();
        std::mem::swap(&mut self.primary, &mut self.standby);
    }

    /// Makes the old primary follow the new one, from nothing.
    fn repair(&mut self) {
        self.standby.follow(&self.primary);
        self.primary.wait_for_standby(true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the test measures how long a failover takes")]
async fn a_failover_loses_nothing_and_needs_no_restart() {
    let mut pair = tokio::task::spawn_blocking(Pair::start).await.unwrap();
    let url = pair.primary.url_of_all(&[&pair.standby]);
    let installation = Installation::at(&url, INSTANCES).await;
    let mut run = Run::prepare("two instances by failover", installation, torture::seed());
    let balancer = Balancer::start(run.installation.addresses.clone()).await;
    run.balance(balancer.address);
    let mut services = Vec::new();
    for instance in 0..INSTANCES {
        services.push(run.serve(instance, None).await);
    }
    run.begin().await;
    run.flows(100).await;
    for failover in 0..torture::setting("KEYLEND_TEST_FAILOVERS").unwrap_or(FAILOVERS) {
        let old_one_lives = failover % 2 == 1;
        let began = Instant::now();
        tokio::task::block_in_place(|| pair.promote(old_one_lives));
        // More than can have been under way before.
        run.flows(20).await;
        println!("failover {failover}: answers again after {:?}", began.elapsed());
        run.is_able();
        tokio::task::block_in_place(|| pair.repair());
        run.flows(20).await;
        for instance in 0..INSTANCES {
            until_ready(&run.installation.url(instance), true).await;
        }
        let old_one = if old_one_lives { "that went on" } else { "that was killed" };
        run.tally.count_end(format!("failovers from a primary {old_one}"));
        run.tally.cycles += 1;
    }
    run.finish_with(services, |history| assert_turned_away_well(history)).await;
    tokio::task::block_in_place(|| pair.standby.stop());
}

//! Several instances on one database behind a balancer: they race each other for keys, repeated
//! requests and sessions, and are killed one by one, killed all at once, and made to stand still
//! until others have taken over what they held.

use std::time::Duration;

use futures_util::future::join_all;
use keylend::clock::{Clock, SystemClock};
use keylend::domain::time::Timestamp;
use keylend::service::failpoint::Failpoint;
use keylend::storage::db::query;
use keylend::storage::{Db, Priority};

use super::gather;
use super::installation::Installation;
use super::process::{End, Process};
use super::run::{Run, Tally};
use super::workload::{self, Cast};
use crate::checker::history::Stall;
use crate::support::balancer::Balancer;
use crate::support::databases::Database;

/// How many instances there are.
const INSTANCES: usize = 3;
/// Requests at once in a race.
const AT_ONCE: usize = 12;
/// A failpoint that was not come to by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(12);
/// Nobody stands still for longer.
const STALL_MAX: Duration = Duration::from_secs(30);
/// Where an instance stands still: about to send, or with something in its hands that others need
/// — rows that it has locked, commands that it has taken to look at, a checkpoint to publish.
const STALLED_AT: &[Failpoint] = &[
    Failpoint::SendChecked,
    Failpoint::GateDecided,
    Failpoint::SendChecked,
    Failpoint::SequencePlaced,
    Failpoint::ReconcileLeased,
    Failpoint::CheckpointKept,
    Failpoint::GrantEnded,
];
/// How much of the record is signed.
const SIGNED: &str = "SELECT checkpoint_size FROM record_state";
/// What was sent before a moment and has no outcome.
const SENDING_SINCE: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM commands \
    WHERE status = 'sending' AND created_at < $1";

/// What is done to the instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Races with nobody hurt.
    pub(crate) races: usize,
    /// Times that one instance is killed.
    pub(crate) kills: usize,
    /// Times that all are killed at once.
    pub(crate) kills_of_all: usize,
    /// Times that one stands still.
    pub(crate) stalls: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    KillOne,
    KillAll,
    Stall,
}

impl Plan {
    /// Every blow, in an order that chance chooses.
    fn blows(self, run: &mut Run) -> Vec<Blow> {
        let mut blows = vec![Blow::KillOne; self.kills];
        blows.extend(vec![Blow::KillAll; self.kills_of_all]);
        blows.extend(vec![Blow::Stall; self.stalls]);
        for place in (1..blows.len()).rev() {
            blows.swap(place, run.dice.below(place + 1));
        }
        blows
    }
}

/// A run with several instances.
struct Fleet {
    run: Run,
    instances: Vec<Process>,
    stalls: Vec<Stall>,
    db: Db,
    _balancer: Balancer,
}

/// Carries a plan out on a database of its own, and checks what came of it.
pub(crate) async fn run(title: &str, plan: Plan, seed: u64) -> Tally {
    let installation = Installation::new(Database::Postgres, INSTANCES).await;
    let mut run = Run::prepare(title, installation, seed);
    let balancer = Balancer::start(run.installation.addresses.clone()).await;
    run.balance(balancer.address);
    let mut instances = Vec::new();
    for instance in 0..INSTANCES {
        instances.push(run.serve(instance, None).await);
    }
    let db = gather::open(&run.installation).await;
    let mut fleet = Fleet { run, instances, stalls: Vec::new(), db, _balancer: balancer };
    let mut cast = Cast::gather(&fleet.run.world).await;
    for _ in 0..plan.races {
        race(&mut cast).await;
        fleet.run.tally.count_end("races");
    }
    fleet.run.begin_with(cast);
    for blow in plan.blows(&mut fleet.run) {
        match blow {
            Blow::KillOne => fleet.kill_one().await,
            Blow::KillAll => fleet.kill_all().await,
            Blow::Stall => fleet.stall().await,
        }
        fleet.run.tally.cycles += 1;
    }
    let Fleet { run, instances, stalls, db, _balancer } = fleet;
    let tally = run.finish_with(instances, |history| history.stalls = stalls).await;
    db.close().await;
    tally
}

/// One key, many requests for it over all instances, and its revocation in their middle; copies of
/// one request at once; and one refresh token shown several times at once.
async fn race(cast: &mut Cast) {
    let key = workload::lend(&mut cast.owner, &cast.guests[0], &cast.vehicles[0]).await;
    let key = key.expect("nobody is hurt yet");
    let world = std::sync::Arc::clone(&cast.owner.world);
    let unlocks = (0..AT_ONCE).map(|_| {
        let (mut guest, world, key) = (cast.guests[0].clone(), world.clone(), key.clone());
        async move {
            for _ in 0..4 {
                let call = workload::command(&world, &key.vehicle_id, "unlock", Some(&key));
                guest.ask(&call).await;
            }
        }
    });
    let mut owner = cast.owner.clone();
    let revocation = async {
        // In the middle of it.
        world.log.until_answered(world.log.answered() + AT_ONCE as u64).await;
        owner.insist(&workload::revocation(&key.grant_id, true, false), 4).await
    };
    let (_, revoked) = tokio::join!(join_all(unlocks), revocation);
    assert_eq!(revoked.expect("nobody is hurt yet").status, 200);

    let call = workload::command(&world, &cast.vehicles[1], "unlock", None);
    let copies = (0..AT_ONCE).map(|_| {
        let (mut owner, call) = (cast.owner.clone(), &call);
        async move { owner.ask(call).await }
    });
    let answers = join_all(copies).await;
    let answered = answers.iter().flatten().filter(|answer| answer.is_success()).count();
    assert_eq!(answered, AT_ONCE, "a copy of a request got another answer");
    assert_eq!(cast.guests[1].refresh_in_parallel(AT_ONCE).await, 1, "one refresh wins");
}

impl Fleet {
    /// Ends one instance, at a failpoint or at once, and starts it again.
    async fn kill_one(&mut self) {
        let instance = self.run.dice.below(INSTANCES);
        let point = self.run.dice.one_of(Failpoint::ALL).copied();
        let Some(point) = point.filter(|_| self.run.dice.percent(50)) else {
            self.some_answers().await;
            self.instances[instance].kill().await;
            self.instances[instance] = self.run.serve(instance, None).await;
            self.run.tally.count_end("one of three killed at random");
            return;
        };
        // To arm it, it must be started anew.
        self.instances[instance].kill().await;
        self.instances[instance] = self.run.serve(instance, Some(point.as_str())).await;
        let end = tokio::time::timeout(PATIENCE, self.instances[instance].ended()).await;
        match end {
            Ok(End::Failpoint) => self.run.tally.count_end("one of three ended at a failpoint"),
            Ok(end) => panic!("it ended by itself ({end:?}):\n{}", self.instances[instance].said()),
            Err(_) => {
                self.instances[instance].kill().await;
                self.run.tally.count_end("one of three killed before its failpoint");
            }
        }
        self.instances[instance] = self.run.serve(instance, None).await;
    }

    /// Ends all of them at once, and starts them again.
    async fn kill_all(&mut self) {
        self.some_answers().await;
        self.run.up.send_replace(false);
        join_all(self.instances.iter_mut().map(Process::kill)).await;
        for instance in 0..INSTANCES {
            self.instances[instance] = self.run.serve(instance, None).await;
        }
        self.run.tally.count_end("all three killed at once");
    }

    /// Lets one instance stand still until others have taken over what it was sending and go on
    /// signing; then it goes on.
    async fn stall(&mut self) {
        let instance = self.run.dice.below(INSTANCES);
        let from_us;
        if self.run.dice.percent(50) {
            self.instances[instance].kill().await;
            let point = STALLED_AT[self.run.dice.below(STALLED_AT.len())];
            let failpoint = format!("{point}:1:stop");
            self.instances[instance] = self.run.serve(instance, Some(&failpoint)).await;
            from_us = self.run.world.log.now_us();
            until(PATIENCE, || async { self.instances[instance].stands_still() }).await;
        } else {
            self.some_answers().await;
            from_us = self.run.world.log.now_us();
        }
        if !self.instances[instance].stands_still() {
            self.instances[instance].signal("-STOP").await;
        }
        let stopped_at = SystemClock::start().now();
        let signed = self.number(SIGNED, None).await;
        let taken_over = until(STALL_MAX, || async {
            self.number(SENDING_SINCE, Some(stopped_at)).await == 0
                && self.number(SIGNED, None).await > signed
        });
        let taken_over = taken_over.await;
        let until_us = self.run.world.log.now_us();
        self.instances[instance].signal("-CONT").await;
        self.stalls.push(Stall { from_us, until_us });
        let how = if taken_over { "until others took over" } else { "for a while" };
        self.run.tally.count_end(format!("one of three stood still {how}"));
        self.some_answers().await;
    }

    /// A number from the database.
    async fn number(&self, sql: &'static str, bound: Option<Timestamp>) -> i64 {
        let mut reader = self.db.read(Priority::Ordinary).await.unwrap();
        let question = bound.into_iter().fold(query(sql), |question, at| question.bind(at));
        question.fetch_optional::<i64>(&mut reader).await.unwrap().unwrap_or(0)
    }

    /// Lets people get some answers.
    async fn some_answers(&mut self) {
        let log = &self.run.world.log;
        let enough = log.answered() + 10 + self.run.dice.below(50) as u64;
        // Everybody may be waiting for the one that stands still.
        let _ = tokio::time::timeout(PATIENCE, log.until_answered(enough)).await;
    }
}

/// Waits until something is so; `false` if it was not in time.
async fn until<F: Future<Output = bool>>(patience: Duration, is_so: impl Fn() -> F) -> bool {
    let seen = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while !is_so().await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(patience, seen).await.is_ok()
}

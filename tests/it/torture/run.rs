//! A run: an installation, people who use it, somebody who hurts it, and what the checker says in
//! the end. How it is hurt is not its business.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keylend::clock::{Clock, SystemClock};
use keylend::domain::time::Timestamp;
use keylend::service::record::verifier_keys;
use keylend::signing::keyring_file;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dice::Dice;
use super::gather;
use super::installation::Installation;
use super::person::World;
use super::process::{End, Process};
use super::workload::Cast;
use crate::checker::{History, Promise, Violation, check, decided_otherwise};
use crate::support::record::ORIGIN;

/// Every command has its end by then.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// Longer than people wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many violations of each promise are shown.
const SHOWN: usize = 5;

/// What happened in a run, to be printed at its end.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) title: String,
    pub(crate) seed: u64,
    pub(crate) cycles: usize,
    /// Processes that ended at a failpoint, at a moment that chance chose, and so on.
    pub(crate) ends: BTreeMap<String, usize>,
    pub(crate) requests: usize,
    pub(crate) unanswered: usize,
    pub(crate) turned_away: usize,
    pub(crate) executions: usize,
    pub(crate) entries: usize,
    pub(crate) checkpoints: usize,
    pub(crate) violations: usize,
}

impl Tally {
    pub(crate) fn count_end(&mut self, how: impl Into<String>) {
        *self.ends.entry(how.into()).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "torture of {} (TORTURE_SEED={}): {} cycles",
            self.title, self.seed, self.cycles
        )?;
        for (how, count) in &self.ends {
            writeln!(f, "  {count:6} {how}")?;
        }
        let Self { requests, unanswered, turned_away, .. } = self;
        writeln!(f, "  {requests:6} requests")?;
        writeln!(f, "  {unanswered:6} of them without an answer, {turned_away} turned away")?;
        writeln!(f, "  {:6} executions by cars", self.executions)?;
        writeln!(f, "  {:6} entries in the record", self.entries)?;
        writeln!(f, "  {:6} checkpoints kept", self.checkpoints)?;
        write!(f, "  {:6} violations", self.violations)
    }
}

/// A run under way.
pub(crate) struct Run {
    pub(crate) installation: Installation,
    pub(crate) world: Arc<World>,
    pub(crate) dice: Dice,
    pub(crate) tally: Tally,
    /// Whether people find it worth asking.
    pub(crate) up: watch::Sender<bool>,
    restarts: Vec<Timestamp>,
    people: JoinSet<()>,
}

impl Run {
    /// Begins a run of an installation, whose first instance people will come to.
    pub(crate) fn prepare(title: &str, installation: Installation, seed: u64) -> Self {
        eprintln!("torture of {title}: TORTURE_SEED={seed}");
        let up = watch::Sender::new(false);
        let world = World::new(installation.url(0), up.subscribe());
        let tally = Tally { title: title.to_owned(), seed, ..Tally::default() };
        let dice = Dice::new(seed);
        let (restarts, people) = (Vec::new(), JoinSet::new());
        Self { installation, world, dice, tally, up, restarts, people }
    }

    /// Has people come by way of a balancer, each time with a new connection, so that whatever
    /// they do is spread over the instances. Before anybody came.
    pub(crate) fn balance(&mut self, address: SocketAddr) {
        self.world = World::balanced(format!("http://{address}"), self.up.subscribe());
    }

    /// Starts an instance; people come when it listens.
    pub(crate) async fn serve(&mut self, instance: usize, failpoint: Option<&str>) -> Process {
        let process = self.installation.serve(instance, failpoint).await;
        self.is_able();
        self.up.send_replace(true);
        process
    }

    /// Notes that the service can work from now on, as it could not before.
    pub(crate) fn is_able(&mut self) {
        self.restarts.push(SystemClock::start().now());
    }

    /// Waits until so many more requests were answered with success.
    pub(crate) async fn flows(&self, more: u64) {
        let log = &self.world.log;
        let wanted = log.answers().well + more;
        let enough = tokio::time::timeout(PATIENCE, log.until(|answers| answers.well >= wanted));
        enough.await.unwrap_or_else(|_| panic!("only {:?}, not {wanted}", log.answers()));
    }

    /// Waits until so many more requests were turned away.
    pub(crate) async fn turns_away(&self, more: u64) {
        let log = &self.world.log;
        let wanted = log.answers().turned_away + more;
        let enough = log.until(|answers| answers.turned_away >= wanted);
        let enough = tokio::time::timeout(PATIENCE, enough);
        enough.await.unwrap_or_else(|_| panic!("only {:?}, not {wanted}", log.answers()));
    }

    /// Lets people begin with what they do all day, on a service that is up.
    pub(crate) async fn begin(&mut self) {
        let cast = Cast::gather(&self.world).await;
        self.begin_with(cast);
    }

    /// The same, of people who have come already.
    pub(crate) fn begin_with(&mut self, cast: Cast) {
        let keyring = keyring_file::load(&self.installation.key_file()).unwrap();
        let keys = verifier_keys(&keyring, ORIGIN).unwrap();
        self.people = cast.begin(&mut self.dice, keys);
    }

    /// Sends everybody home and waits until the service, which is up, has settled everything.
    pub(crate) async fn settle(&mut self) {
        self.world.stop.cancel();
        while let Some(gone) = self.people.join_next().await {
            gone.expect("nobody met anything unexpected");
        }
        let db = gather::open(&self.installation).await;
        let settled = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(200));
            while gather::unsettled(&db).await.unwrap() > 0 {
                ticks.tick().await;
            }
        };
        // What is left then is what the checker will complain of.
        let _ = tokio::time::timeout(SETTLED_WITHIN, settled).await;
        db.close().await;
    }

    /// Ends the service and has the checker decide on all of it.
    pub(crate) async fn finish(self, services: Vec<Process>) -> Tally {
        self.finish_with(services, |_| {}).await
    }

    /// The same; whoever hurt the service adds what only they know.
    pub(crate) async fn finish_with(
        mut self,
        services: Vec<Process>,
        add: impl FnOnce(&mut History),
    ) -> Tally {
        self.settle().await;
        for service in services {
            let said = service.said();
            assert_eq!(service.terminate().await, End::Well, "{said}");
        }
        let log = &self.world.log;
        let mut history = gather::gather(&self.installation, log, self.restarts).await;
        add(&mut history);
        let mut violations = check(&history);
        violations.extend(decided_otherwise(&history));
        let answers: Vec<_> =
            history.requests.iter().filter_map(|request| request.answer.as_ref()).collect();
        self.tally.requests = history.requests.len();
        self.tally.unanswered = history.requests.len() - answers.len();
        self.tally.turned_away = answers.iter().filter(|answer| answer.is_turning_away()).count();
        self.tally.executions = history.executions.len();
        self.tally.entries = history.leaves.len();
        self.tally.checkpoints = history.heads.len();
        self.tally.violations = violations.len();
        eprintln!("{}", self.tally);
        if !violations.is_empty() {
            show(&violations);
            let kept = self.installation.keep().await;
            std::fs::write(kept.join("history.txt"), format!("{history:?}")).unwrap();
            panic!("{} promises broken; see {}", violations.len(), kept.display());
        }
        self.tally
    }
}

/// One defect breaks a promise a thousand times, and may break another once.
fn show(violations: &[Violation]) {
    let mut by_promise: BTreeMap<Promise, Vec<&Violation>> = BTreeMap::new();
    for violation in violations {
        by_promise.entry(violation.promise).or_default().push(violation);
    }
    for (promise, broken) in by_promise {
        eprintln!("  {:6} of {promise:?}", broken.len());
        broken.iter().take(SHOWN).for_each(|violation| eprintln!("    {violation}"));
    }
}

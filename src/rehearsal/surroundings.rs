//! What a process lives in: its calls to the outside let others run, fail as the seed says, and never
//! return once the process is dead.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::trace::Happening;
use super::world::World;
use crate::storage::db::rehearsal::{Moment, RehearsalRow, Surroundings, Trouble, Written};

/// The cloud's time to answer a command.
pub(super) const CONNECTOR_TIMEOUT: Duration = Duration::from_secs(10);

/// A process, as the world sees it.
pub(super) struct Process {
    pub(super) number: u64,
    pub(super) world: Arc<World>,
    pub(super) dead: CancellationToken,
    /// The service is asked to stop.
    pub(super) stop: CancellationToken,
    /// Until then it stands still, on the clock of the run.
    pub(super) stands_until: Mutex<Duration>,
}

impl Process {
    /// Goes on only if the process lives, and when it no longer stands still.
    async fn alive(&self) {
        loop {
            if self.dead.is_cancelled() {
                std::future::pending::<()>().await;
            }
            match self.stands_for() {
                Some(left) => tokio::time::sleep(left).await,
                None => return,
            }
        }
    }

    /// For how long it still stands still.
    fn stands_for(&self) -> Option<Duration> {
        let until = *self.stands_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.checked_sub(self.world.elapsed()).filter(|left| !left.is_zero())
    }

    /// Waits until the process, dead or not, no longer stands still.
    pub(super) async fn stands_no_more(&self) {
        while let Some(left) = self.stands_for() {
            tokio::time::sleep(left).await;
        }
    }

    /// Stands still for a while, as a process does that the system does not let run.
    pub(super) fn stand_still(&self, time: Duration) {
        let until = self.world.elapsed() + time;
        self.world.note(Happening::StoodStill { process: self.number, time });
        *self.stands_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl Surroundings for Process {
    fn pass(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.alive().await;
            self.world.pass().await;
            self.alive().await;
        })
    }

    fn trouble(&self, at: Moment) -> Option<Trouble> {
        let commits = matches!(at, Moment::Commit(_));
        let away = self.world.is_database_away(commits);
        // Commits fail more often than statements: there are few of them, and an unknown commit is what matters most.
        let share = self.world.troubles * if commits { 4 } else { 1 };
        if !away && !self.world.fails(share) {
            return None;
        }
        let what = match at {
            Moment::Begin => &[Trouble::Unavailable][..],
            Moment::Statement if away => &[Trouble::Unavailable],
            Moment::Statement => &[Trouble::Unavailable, Trouble::Conflict],
            Moment::Commit(_) if away => &[Trouble::Unavailable, Trouble::KeptUnheard],
            Moment::Commit(_) => &[Trouble::Unavailable, Trouble::Conflict, Trouble::KeptUnheard],
        };
        let trouble = self.world.one_of(what);
        if let (Moment::Commit(transaction), Trouble::KeptUnheard) = (at, trouble) {
            self.world.note(Happening::AnswerLost { transaction });
        }
        Some(trouble)
    }

    fn choose(&self, count: usize) -> usize {
        self.world.below(count)
    }

    fn lag(&self) -> Duration {
        self.world.up_to(3000)
    }

    /// A car is told with the transaction that read it, so that each call to the cloud shows which
    /// decision it rests on.
    fn told(&self, transaction: u64, rows: &mut [RehearsalRow]) {
        for row in rows {
            if row.has("provider_vehicle_id") {
                let name = row.text("provider_vehicle_id").unwrap_or_default();
                let marked = format!("{name}@{transaction}");
                row.set("provider_vehicle_id", marked);
            }
        }
    }

    fn committed(&self, transaction: u64, rows: &[Written]) {
        let (process, rows) = (self.number, rows.to_vec());
        self.world.note(Happening::Committed { process, transaction, rows });
    }
}

//! People who use their cars while the database is in trouble: each of them one car, one request
//! after the other. What they were told is kept, and held against the truth afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::stage::{Stage, assert_wait, until};
use crate::support::{Actor, Reply};

/// Nobody uses a car more often than this.
const PACE: Duration = Duration::from_millis(50);

/// One request, and what its sender was told.
#[derive(Debug, Clone)]
struct Sent {
    key: String,
    body: Value,
    told: Reply,
}

/// Everybody, under way.
pub(super) struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    people: Vec<JoinHandle<(Actor, Vec<Sent>)>>,
    /// How much the cars had done before.
    executed: u64,
}

/// What is known when it is over.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Requests.
    pub(super) sent: u64,
    /// Those that were answered with 503.
    pub(super) turned_away: u64,
}

/// Uses one car until told to stop.
async fn drive(
    owner: Actor,
    car: String,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> (Actor, Vec<Sent>) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut sent = Vec::new();
    let mut pace = tokio::time::interval(PACE);
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let action = if number.is_multiple_of(2) { "unlock" } else { "lock" };
        let body = json!({ "vehicle_id": car, "action": action });
        let key = format!("drive-{number}");
        let told = owner.post_as("/v1/commands", &key, body.clone()).await;
        if told.status < 300 {
            answered.fetch_add(1, Ordering::Relaxed);
        }
        sent.push(Sent { key, body, told });
    }
    (owner, sent)
}

impl Traffic {
    /// Has everybody drive one of the owner's cars.
    pub(super) async fn start(stage: &Stage, owner: &Actor) -> Self {
        let executed = stage.executed().await;
        let (stop, answered) = (Arc::new(AtomicBool::default()), Arc::new(AtomicU64::default()));
        let people = owner.vehicles.iter().map(|car| {
            let driving =
                drive(owner.clone(), car.clone(), Arc::clone(&stop), Arc::clone(&answered));
            #[expect(clippy::disallowed_methods, reason = "`settle` waits for it")]
            tokio::spawn(driving)
        });
        let people = people.collect();
        Self { stop, answered, people, executed }
    }

    /// Waits until so many more commands have been answered.
    pub(super) async fn flows(&self, more: u64) {
        let wanted = self.answered.load(Ordering::Relaxed) + more;
        let flows = || async { (self.answered.load(Ordering::Relaxed) >= wanted).then_some(()) };
        until("answers", flows).await;
    }

    /// Stops everybody, has each request repeated that was not answered well, and holds what
    /// everybody was told against what the cars did.
    pub(super) async fn settle(self, stage: &Stage) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let (mut tally, mut commands) = (Tally::default(), Vec::new());
        for person in self.people {
            let (owner, sent) = person.await.unwrap();
            for Sent { key, body, told } in sent {
                tally.sent += 1;
                if told.status >= 300 {
                    assert_wait(&told);
                    tally.turned_away += 1;
                }
                // The truth, under the same key: an acknowledged command is still the same one.
                let again = until("an answer under the same key", || async {
                    let again = owner.post_as("/v1/commands", &key, body.clone()).await;
                    (again.status < 300).then_some(again)
                });
                let command_id = again.await.text("command_id");
                if told.status < 300 {
                    assert_eq!(
                        told.text("command_id"),
                        command_id,
                        "an acknowledged write is lost"
                    );
                }
                commands.push((owner.clone(), command_id));
            }
        }
        let (mut done, mut perhaps) = (0, 0);
        for (owner, command_id) in commands {
            match settled(&owner, &command_id).await.as_str() {
                "confirmed" | "unconfirmed" => done += 1,
                "contradicted" | "unresolved" => perhaps += 1,
                "expired" | "cancelled" | "failed" => {}
                other => panic!("{other}"),
            }
        }
        let executed = stage.executed().await - self.executed;
        assert!(done <= executed, "{done} were done, and the cars did {executed}");
        assert!(
            executed <= done + perhaps,
            "the cars did {executed}, {done} + {perhaps} are known"
        );
        tally
    }
}

/// The status that a command ends with.
async fn settled(owner: &Actor, command_id: &str) -> String {
    let path = format!("/v1/commands/{command_id}");
    until("a command that is settled", || async {
        let reply = owner.get(&path).await;
        let open = ["sending", "acknowledged", "unknown"];
        let status = reply.text("status");
        (reply.status == 200 && !open.contains(&status.as_str())).then_some(status)
    })
    .await
}

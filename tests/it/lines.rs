//! Every act that narrows is a line (P2): holds, narrowings and ends by scope against unlocks that are under way all the time.
//! Whoever asks after the answer, and before anybody asks to take it back, is refused; and the cars' own journal knows no more
//! than what was allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Database, Reply, TestApp, on_both};

/// Acts that narrow on each database, and on two instances: together a thousand.
const ACTS: usize = 340;
/// Unlocks at once.
const AT_ONCE: usize = 6;

/// The key of the moment.
type Keys = tokio::sync::RwLock<Actor>;

/// What everybody knows of the acts: odd while one stands that was answered and that nobody has asked to take back.
#[derive(Default)]
struct Line {
    epoch: AtomicUsize,
    allowed: AtomicUsize,
    refused: AtomicUsize,
    crossed: AtomicUsize,
    is_over: AtomicUsize,
}

/// Unlocks as fast as possible with whatever key there is, at one place.
async fn hammer(line: Arc<Line>, keys: Arc<Keys>, car: &str, place: &str) {
    while line.is_over.load(Ordering::SeqCst) == 0 {
        let holder = keys.read().await.at(place);
        let began_in = line.epoch.load(Ordering::SeqCst);
        let reply = holder.command(car, "unlock").await;
        let is_same = line.epoch.load(Ordering::SeqCst) == began_in;
        match reply.status {
            200 | 202 => {
                line.allowed.fetch_add(1, Ordering::SeqCst);
                line.crossed.fetch_add(usize::from(began_in % 2 == 1 && is_same), Ordering::SeqCst);
            }
            403 => drop(line.refused.fetch_add(1, Ordering::SeqCst)),
            503 => assert_eq!(reply.text("code"), "overloaded", "{}", reply.body),
            other => panic!("{other}: {}", reply.body),
        }
    }
}

/// Until so many more requests were allowed, or refused.
async fn until_more(count: &AtomicUsize, more: usize) {
    let enough = count.load(Ordering::SeqCst) + more;
    while count.load(Ordering::SeqCst) < enough {
        tokio::task::yield_now().await;
    }
}

async fn change(owner: &Actor, grant_id: &str, entitlements: Value) -> Reply {
    let request = owner.request(Method::PATCH, &format!("/v1/grants/{grant_id}"));
    let body = json!({ "entitlements": entitlements });
    Reply::read(request.header("if-match", "*").json(&body).send().await.unwrap()).await
}

/// The people and the key of a run.
struct Desk<'a> {
    app: &'a TestApp,
    owner: &'a Actor,
    guest: &'a Actor,
    /// Those who narrow, at whichever instance.
    acts_as: [&'a Actor; 2],
    grant_id: String,
    keys: Arc<Keys>,
    line: Arc<Line>,
}

impl Desk<'_> {
    /// Narrows once in the middle of unlocks, and takes it back, or lends anew.
    async fn act(&mut self, number: usize) {
        until_more(&self.line.allowed, 2).await;
        let [owner, admin] = self.acts_as;
        let scope = match number % 8 {
            0 | 4 => json!({ "grant_id": self.grant_id }),
            1 | 5 => json!({ "vehicle_id": self.owner.vehicles[0] }),
            2 | 6 => json!({ "user_id": self.guest.id }),
            _ => json!({ "organization": true }),
        };
        let reason = format!("Act {number}.");
        match number % 5 {
            0 | 1 => {
                let body = json!({ "scope": scope, "reason": reason, "allow_lock": false });
                let hold = admin.post("/v1/holds", body).await.expect(201);
                self.stands().await;
                admin.delete(&format!("/v1/holds/{}", hold.text("hold_id"))).await.expect(204);
            }
            2 | 3 => {
                change(owner, &self.grant_id, json!(["lock"])).await.expect(200);
                self.stands().await;
                change(owner, &self.grant_id, json!(["unlock", "lock"])).await.expect(200);
            }
            _ => {
                let body = json!({ "scope": scope, "reason": reason });
                admin.post("/v1/ends", body).await.expect(201);
                self.stands().await;
                self.grant_id = self.owner.lend(self.app, self.guest).await;
                *self.keys.write().await = self.guest.holder_of(&self.grant_id).await;
            }
        }
    }

    /// It was answered: others meet it, and then it is about to be taken back.
    async fn stands(&self) {
        self.line.epoch.fetch_add(1, Ordering::SeqCst);
        until_more(&self.line.refused, AT_ONCE).await;
        self.line.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

/// So many acts, by these two, against unlocks at these places.
async fn draw(app: &TestApp, acts: usize, places: &[&str]) {
    let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
    let grant_id = owner.lend(app, &guest).await;
    let keys = Arc::new(Keys::new(guest.holder_of(&grant_id).await));
    let line = Arc::new(Line::default());
    let last = places[places.len() - 1];
    let (owner_there, admin_there) = (owner.at(last), admin.at(last));
    let mut desk = Desk {
        app,
        owner: &owner,
        guest: &guest,
        acts_as: [&owner_there, &admin_there],
        grant_id,
        keys: Arc::clone(&keys),
        line: Arc::clone(&line),
    };
    let before = app.cloud.journal_length().await;
    let car = owner.vehicles[0].as_str();
    let hammers = (0..AT_ONCE).map(|number| {
        hammer(Arc::clone(&line), Arc::clone(&keys), car, places[number % places.len()])
    });
    let acted = async {
        for number in 0..acts {
            desk.act(number).await;
            app.advance(std::time::Duration::from_millis(300));
        }
        line.is_over.store(1, Ordering::SeqCst);
    };
    tokio::join!(join_all(hammers), acted);
    assert_eq!(line.crossed.load(Ordering::SeqCst), 0, "allowed after an act that was answered");
    let did = app.cloud.journal_length().await - before;
    assert_eq!(
        did,
        line.allowed.load(Ordering::SeqCst),
        "the cars did something else than was allowed"
    );
    assert!(did >= 2 * acts, "{did}");
}

on_both! {
    async fn no_unlock_crosses_a_hold_a_narrowing_or_an_end_of_all(app) {
        draw(app, ACTS, &[app.url()]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_draw_the_same_lines() {
    let mut app = TestApp::start(Database::Postgres).await;
    app.add_instance().await;
    let places = [app.url_of(0).to_owned(), app.url_of(1).to_owned()];
    draw(&app, ACTS, &[&places[0], &places[1]]).await;
    app.finish().await;
}

//! Connections that are cut in the middle of a commit: before the server hears of it, and after it
//! has carried it out but before the service hears of that. Whoever asked gets the truth.

use keylend::domain::id::{CommandId, GrantId};
use keylend::signing::secret;
use serde_json::json;

use super::stage::{Instance, Stage, assert_wait, today, tomorrow, until};
use crate::support::people::PASSWORD;
use crate::support::postgres::own::OwnServer;
use crate::support::proxy::{Cut, Proxy};
use crate::support::{Actor, Reply};

/// A service that reaches its database by way of a proxy.
struct Scene {
    _server: OwnServer,
    proxy: Proxy,
    stage: Stage,
    service: Instance,
    owner: Actor,
}

impl Scene {
    async fn open() -> Self {
        let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
        let proxy = Proxy::before(server.address()).await;
        let stage = Stage::open(Some(&server.url_with(&[proxy.port()]))).await;
        // Long enough that nobody takes over what is being looked for.
        let service = stage.serve(&[("KEYLEND_SMARTCAR_TIMEOUT_S", "20")]).await;
        let owner = stage.owner(&service).await;
        Self { _server: server, proxy, stage, service, owner }
    }

    async fn unlock_as(&self, key: &str) -> Reply {
        let body = json!({ "vehicle_id": self.owner.vehicles[0], "action": "unlock" });
        self.owner.post_as("/v1/commands", key, body).await
    }

    async fn count(&self, event: &str) -> usize {
        let events = self.owner.events_of(&self.owner.vehicles[0]).await;
        events.iter().filter(|known| *known == event).count()
    }

    async fn guest(&self) -> String {
        self.owner.invite("g@example.com").await.id
    }

    async fn lend_as(&self, guest: &str, key: &str) -> Reply {
        let body = json!({
            "vehicle_id": self.owner.vehicles[0], "grantee_id": guest, "entitlements": ["unlock", "lock"],
            "not_before": today(), "not_after": tomorrow(),
        });
        self.owner.post_as("/v1/grants", key, body).await
    }

    async fn close(self) {
        self.stage.close(vec![self.service]).await;
    }
}

/// An unlock whose decision's commit is cut is found out about, and done once.
async fn unlock(scene: &Scene, cut: Cut) {
    let key = format!("unlock-{cut:?}");
    let (executed, recorded) =
        (scene.stage.executed().await, scene.count("command.authorized").await);
    scene.proxy.set(key.as_bytes(), cut);
    let done = scene.unlock_as(&key).await.expect(200);
    assert!(scene.proxy.has_cut());
    let again = scene.unlock_as(&key).await.expect(200);
    assert_eq!(again.text("command_id"), done.text("command_id"));
    assert_eq!(scene.stage.executed().await, executed + 1, "{cut:?}");
    assert_eq!(scene.count("command.authorized").await, recorded + 1, "{cut:?}");
}

/// An outcome whose commit is cut is written once, and told.
async fn outcome(scene: &Scene, cut: Cut) {
    let (executed, written) =
        (scene.stage.executed().await, scene.count("command.acknowledged").await);
    scene.stage.hold_answers(1000).await;
    let body = json!({ "vehicle_id": scene.owner.vehicles[0], "action": "unlock" });
    let request = scene.owner.request(reqwest::Method::POST, "/v1/commands").json(&body);
    let request = request.header("idempotency-key", format!("outcome-{cut:?}"));
    let sent = request.header("prefer", "wait=0").send().await.unwrap();
    let command_id = Reply::read(sent).await.expect(202).text("command_id");
    let id: CommandId = command_id.parse().unwrap();
    scene.proxy.set(id.as_uuid().as_bytes(), cut);
    let path = format!("/v1/commands/{command_id}");
    until("an outcome", || async {
        let status = scene.owner.get(&path).await.text("status");
        ["acknowledged", "confirmed"].contains(&status.as_str()).then_some(())
    })
    .await;
    assert!(scene.proxy.has_cut());
    assert_eq!(scene.stage.executed().await, executed + 1, "{cut:?}");
    assert_eq!(scene.count("command.acknowledged").await, written + 1, "{cut:?}");
}

/// A grant whose commit is cut is issued once, and can be ended though that is cut too.
async fn grant(scene: &Scene, guest: &str, cut: Cut) {
    let key = format!("grant-{cut:?}");
    scene.proxy.set(key.as_bytes(), cut);
    let issued = scene.lend_as(guest, &key).await.expect(201).text("grant_id");
    assert!(scene.proxy.has_cut());
    assert_eq!(scene.lend_as(guest, &key).await.expect(201).text("grant_id"), issued);
    let grants = scene.owner.get("/v1/grants").await.expect(200).list("status");
    assert_eq!(grants.iter().filter(|status| *status == "active").count(), 1, "{grants:?}");

    let id: GrantId = issued.parse().unwrap();
    scene.proxy.set(id.as_uuid().as_bytes(), cut);
    let path = format!("/v1/grants/{issued}/revoke");
    let ended = scene.owner.post(&path, json!({})).await.expect(200);
    assert!(scene.proxy.has_cut());
    assert_eq!(ended.text("end_reason"), "revoked", "{}", ended.body);
    scene.owner.post(&path, json!({})).await.expect(200);
    assert_eq!(scene.count("grant.revoked").await, 1, "{cut:?}");
}

/// A session goes on though the answer to the commit of its refresh was lost, and for one only.
async fn session(scene: &Scene, cut: Cut) {
    let visitor = Actor::visiting(&scene.service.url);
    let body = json!({ "email": "a@example.com", "password": PASSWORD });
    let first = visitor.post("/v1/sessions", body).await.expect(201).text("refresh_token");
    let refresh = async |token: &str| {
        visitor.post("/v1/sessions/refresh", json!({ "refresh_token": token })).await
    };
    scene.proxy.set(secret::hash_of(&first), cut);
    let second = refresh(&first).await.expect(201).text("refresh_token");
    assert!(scene.proxy.has_cut());
    let third = refresh(&second).await.expect(201);
    visitor.with_token(third.text("access_token")).get("/v1/users/me").await.expect(200);
    // The token that was used is a copy in other hands now: the session ends.
    refresh(&first).await.expect(401);
    refresh(&third.text("refresh_token")).await.expect(401);
}

async fn all_of(cut: Cut) {
    let scene = Scene::open().await;
    unlock(&scene, cut).await;
    outcome(&scene, cut).await;
    session(&scene, cut).await;
    let guest = scene.guest().await;
    grant(&scene, &guest, cut).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrived_is_made_again() {
    all_of(Cut::Before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_not_answered_is_found() {
    all_of(Cut::After).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_cannot_be_looked_up_in_time_sends_nothing_and_is_withdrawn() {
    let scene = Scene::open().await;
    scene.proxy.set_and_close("lost", Cut::After);
    let unknown = scene.unlock_as("lost").await;
    assert_wait(&unknown);
    assert_eq!(unknown.text("code"), "commit_unknown");
    scene.proxy.open();
    let told = until("a withdrawn command", || async {
        let told = scene.unlock_as("lost").await.command();
        (!told.text("command_id").is_empty() && told.text("status") != "sending").then_some(told)
    })
    .await;
    assert_eq!(
        (told.text("status").as_str(), &told.body["reasons"][0]),
        ("cancelled", &json!("commit_unknown"))
    );
    assert_eq!(scene.stage.executed().await, 0);
    assert_eq!(scene.count("command.cancelled").await, 1);
    // The next one is not held back by it.
    scene.unlock_as("next").await.expect(200);
    scene.close().await;
}

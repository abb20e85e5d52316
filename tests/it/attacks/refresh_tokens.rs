//! A stranger with made-up refresh tokens. Where there are several servers, the primary must have said that
//! a token is none, so each makes the service ask every server what it is; one of them may be silent.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::Actor;
use crate::support::postgres::own::OwnServer;
use crate::trouble::stage::Stage;

const STRANGERS: usize = 40;
/// A silent server is waited for two seconds; one after the other that would be more than a minute.
const BOUND: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the test measures how long an answer takes")]
async fn made_up_refresh_tokens_do_not_queue_for_a_silent_server() {
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    // It takes connections and never says anything.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = [server.address().port(), silent.local_addr().unwrap().port()];
    let stage = Stage::open(Some(&server.url())).await;
    let url = server.url_with(&ports);
    let service = stage.serve(&[("KEYLEND_DATABASE_URL", &url)]).await;
    let owner = stage.owner(&service).await;
    let stranger = Actor::visiting(&service.url);
    let began = Instant::now();
    let refused = join_all((0..STRANGERS).map(|number| {
        let body = json!({ "refresh_token": format!("kl_refresh_{number:043}") });
        stranger.post("/v1/sessions/refresh", body)
    }));
    let unlocked = owner.command(&owner.vehicles[0], "unlock");
    let (refused, unlocked) = futures_util::future::join(refused, unlocked).await;
    unlocked.expect(200);
    for answer in refused {
        assert!([401, 429].contains(&answer.status), "{}: {}", answer.status, answer.body);
    }
    assert!(began.elapsed() < BOUND, "after {:?}", began.elapsed());
    stage.close(vec![service]).await;
}

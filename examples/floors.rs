//! The floors under Keylend's speed, for `make bench`: what the same machine does when the work
//! that makes Keylend worth having is left out. A ratio to a floor says more than a number alone.
//!
//! - `echo`: a bare JSON answer, the most the HTTP stack can give.
//! - `cloud`: a bare vehicle cloud that says yes at once.
//! - `relay`: a bare handler that forwards each `POST /unlock` to a cloud. It checks nothing and
//!   records nothing: Keylend minus everything it exists for.
//! - `backend`: a backend that takes every webhook and does nothing with it.
//! - `sqlite-commits`: durable single-row commits, one after the other.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use clap::Parser;
use keylend::clock::{Clock as _, SystemClock};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// One floor.
#[derive(Parser)]
enum Floor {
    /// Answers `POST /echo` with what was sent, read and written as JSON.
    Echo {
        /// Where to listen; port 0 takes a free one, which is printed.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Answers every `POST` as Smartcar answers an action that it has sent to the car.
    Cloud {
        /// Where to listen; port 0 takes a free one, which is printed.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Forwards each `POST /unlock`.
    Relay {
        /// Where to listen; port 0 takes a free one, which is printed.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The URL to post to.
        #[arg(long)]
        upstream: String,
    },
    /// Takes every webhook that is posted to `/count`, and says there how many arrived.
    Backend {
        /// Where to listen; port 0 takes a free one, which is printed.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Prints how many rows a second SQLite commits durably.
    SqliteCommits {
        /// How long to measure.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Floor::parse() {
        Floor::Echo { listen } => serve(listen, Router::new().route("/echo", post(echo))).await,
        Floor::Cloud { listen } => serve(listen, Router::new().fallback(cloud)).await,
        Floor::Relay { listen, upstream } => {
            let relay = Relay { client: client()?, upstream: upstream.into() };
            serve(listen, Router::new().route("/unlock", post(forward)).with_state(relay)).await
        }
        Floor::Backend { listen } => {
            let counted = get(count).post(take);
            let router = Router::new().route("/count", counted).with_state(Arrived::default());
            serve(listen, router).await
        }
        Floor::SqliteCommits { seconds } => sqlite_commits(Duration::from_secs(seconds)),
    }
}

/// Says where it listens, so that whoever started it need not guess when it is ready.
async fn serve(listen: SocketAddr, router: Router) -> Result<()> {
    let router = router.route("/healthz", get(|| async { StatusCode::OK }));
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        // Without it an answer may wait for the client's acknowledgement of the last one.
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

#[derive(Deserialize, Serialize)]
struct Echo {
    vehicle_id: String,
    action: String,
}

async fn echo(Json(body): Json<Echo>) -> Json<Echo> {
    Json(body)
}

async fn cloud() -> Json<serde_json::Value> {
    Json(json!({ "status": "success", "message": "Successfully sent request to vehicle" }))
}

/// How many webhooks arrived.
type Arrived = std::sync::Arc<std::sync::atomic::AtomicU64>;

async fn take(State(arrived): State<Arrived>, _body: bytes::Bytes) -> StatusCode {
    arrived.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    StatusCode::NO_CONTENT
}

async fn count(State(arrived): State<Arrived>) -> String {
    arrived.load(std::sync::atomic::Ordering::Relaxed).to_string()
}

#[derive(Clone)]
struct Relay {
    client: reqwest::Client,
    upstream: std::sync::Arc<str>,
}

#[expect(clippy::disallowed_methods, reason = "a floor has none of the connector's limits")]
fn client() -> Result<reqwest::Client> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        return Err("another TLS provider is installed already".into());
    }
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

async fn forward(State(relay): State<Relay>, Json(body): Json<Echo>) -> Response {
    let action = json!({ "action": body.action });
    let answer = relay.client.post(&*relay.upstream).json(&action).send().await;
    let text = match answer.and_then(reqwest::Response::error_for_status) {
        Ok(answer) => answer.json::<serde_json::Value>().await,
        Err(error) => Err(error),
    };
    match text {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// One writer, one row a transaction, each on the disk before the next begins.
fn sqlite_commits(at_least: Duration) -> Result<()> {
    const INSERT: &str = "INSERT INTO entries (body) VALUES ('grant.issued')";
    let folder = tempfile::tempdir()?;
    let connection = Connection::open(folder.path().join("floor.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE entries (entry_id INTEGER PRIMARY KEY, body TEXT);",
    )?;
    let mut insert = connection.prepare(INSERT)?;
    let clock = SystemClock::start();
    let mut commits = 0_u32;
    while clock.monotonic() < at_least {
        insert.execute([])?;
        commits += 1;
    }
    println!("commits_per_s={:.0}", f64::from(commits) / clock.monotonic().as_secs_f64());
    Ok(())
}

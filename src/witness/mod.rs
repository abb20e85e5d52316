//! A witness of other people's logs: it cosigns a checkpoint only if it continues the one that it
//! cosigned before (C2SP tlog-witness). It is its own server with its own key and its own small
//! store, meant to run where the operator of the log has no say, and it knows nothing of Keylend
//! but the mathematics of the record.

mod add_checkpoint;
mod doorway;
mod folder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::audit::note::VerifierKey;
use crate::audit::witness::LENGTH_MAX;
use crate::clock::Clock;

pub use folder::{Folder, FolderError};

use doorway::Doorway;
use folder::Watched;

/// A request that takes longer is given up.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// At most so many requests wait for the disk; more get 503 and may try again.
const AT_WORK_MAX: usize = 32;
/// How long open answers may take once the witness is to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What handlers work with.
struct Witness {
    folder: Folder,
    logs: BTreeMap<String, Watched>,
    /// The names of the logs in the paths of monitors.
    origins: BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    at_work: Arc<Semaphore>,
}

/// Cosigns for these logs until `shutdown` is cancelled. The name of a log's key is its origin;
/// a log may have several keys.
///
/// # Errors
/// The listener's error.
pub async fn serve(
    listener: TcpListener,
    folder: Folder,
    logs: &[VerifierKey],
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let mut watched: BTreeMap<String, Watched> = BTreeMap::new();
    for key in logs {
        let origin = key.name().to_owned();
        watched.entry(origin).or_insert_with(|| folder.watched(key.name())).add(key.clone());
    }
    let origins =
        watched.keys().map(|origin| (folder::origin_hash(origin), origin.clone())).collect();
    let at_work = Arc::new(Semaphore::new(AT_WORK_MAX));
    let witness = Witness { folder, logs: watched, origins, clock, at_work };
    let server = axum::serve(Doorway::new(listener), router(Arc::new(witness)))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        result = server => result,
        () = overdue => Ok(()),
    }
}

fn router(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint::add_checkpoint))
        .route("/{origin_hash}/checkpoint", get(checkpoint))
        .route("/vkey", get(vkey))
        .layer(DefaultBodyLimit::max(LENGTH_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIME_MAX))
        .with_state(witness)
}

/// The public key, for verifiers that are about to trust this witness. Compare it with what its
/// operator publishes elsewhere: an attacker on the connection could have put in another.
async fn vkey(State(witness): State<Arc<Witness>>) -> String {
    format!("{}\n", witness.folder.public())
}

/// The checkpoint of a log that was cosigned last: for monitors, who compare it with what the log
/// shows them. The path names the log by the SHA-256 of its origin, in hexadecimal.
async fn checkpoint(
    State(witness): State<Arc<Witness>>,
    Path(origin_hash): Path<String>,
) -> Response {
    let log = witness.origins.get(&origin_hash).and_then(|origin| witness.logs.get(origin));
    let Some(log) = log else { return StatusCode::NOT_FOUND.into_response() };
    let file = log.file().clone();
    match tokio::task::spawn_blocking(move || file.read()).await {
        Ok(Ok(Some(note))) => (plain(), note).into_response(),
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error)) => broken(&error),
        Err(error) => broken(&error),
    }
}

const fn plain() -> [(header::HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")]
}

fn broken(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "the witness cannot use its folder");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

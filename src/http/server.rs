//! Taking connections: no more than there is room for, none that takes for ever to say what it
//! wants, and none cut off in the middle of an answer when the service stops.
//!
//! It does not know what is asked on them: that is the router's.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::client_address::ClientAddress;
use super::idleness::{Idleness, LOOK_EVERY, Open, Verdict};
use super::places::{Place, Places};
use crate::config::Networks;
use crate::measures;

pub use super::places::Entrance;

/// A head, and what is read ahead of a request.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Requests at the same time on one connection of HTTP/2.
const STREAMS_MAX: u32 = 128;

/// Serves the router on every connection, until `stop`; then waits for what is being answered.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    entrance: Entrance,
    stop: CancellationToken,
) {
    let places = Places::of(&entrance);
    let connections = TaskTracker::new();
    let protocols = protocols();
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            // It waits by itself while the process has no descriptors left.
            accepted = Listener::accept(&mut listener) => accepted,
        };
        let place = match places.take(peer.ip()) {
            Ok(place) => place,
            Err(none) => {
                let reason = none.as_str();
                metrics::counter!(measures::HTTP_CONNECTIONS_REFUSED, "reason" => reason)
                    .increment(1);
                continue;
            }
        };
        let trusted_proxies = entrance.trusted_proxies.clone();
        let connection = Connection { stream, peer, place, trusted_proxies };
        connections.spawn(connection.serve(protocols.clone(), router.clone(), stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// How a connection is read. How long it may be there is not left to the protocols: of HTTP/2 there
/// is only a limit on silence, which a client that answers every PING never reaches.
fn protocols() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().header_read_timeout(None).max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(BUFFER_BYTES_MAX as u32);
    builder
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    /// Held as long as the connection lives.
    place: Place,
    trusted_proxies: Networks,
}

impl Connection {
    async fn serve(
        self,
        protocols: Builder<TokioExecutor>,
        router: Router,
        stop: CancellationToken,
    ) {
        let Self { stream, peer, place, trusted_proxies } = self;
        // A small answer should not wait for the client's acknowledgement of the last one.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection was gone before it was served");
            return;
        }
        let mut idleness = Idleness::default();
        let requests = idleness.counter();
        let answer = service_fn(move |request| {
            let client = ClientAddress::of(peer.ip(), request.headers(), &trusted_proxies);
            answer(router.clone(), client, request, requests.begin())
        });
        let mut connection = pin!(protocols.serve_connection(TokioIo::new(stream), answer));
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.reset();
        let mut is_stopping = false;
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = stop.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    idleness.leave();
                    connection.as_mut().graceful_shutdown();
                }
                _ = looks.tick() => match idleness.look(place.is_one_of_few()) {
                    Verdict::Stay => {}
                    Verdict::Leave => connection.as_mut().graceful_shutdown(),
                    Verdict::Cut => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "a connection ended early");
        }
    }
}

async fn answer(
    router: Router,
    client: ClientAddress,
    request: hyper::Request<Incoming>,
    _open: Open,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(client);
    router.oneshot(request).await
}

/// How many connections this process can hold, at most `wanted`: raises its limit of open files
/// as far as it may, and leaves some for databases, the vehicle cloud and files.
///
/// # Errors
/// The system's, if it does not tell its limits.
pub fn room_for(wanted: usize) -> io::Result<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const RESERVED: u64 = 256;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let room = maximum.unwrap_or(u64::MAX).saturating_sub(RESERVED);
    Ok(wanted.min(usize::try_from(room).unwrap_or(usize::MAX)).max(1))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A server with so many places, and where it is.
    async fn start(connections_max: usize) -> (SocketAddr, CancellationToken, TaskTracker) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "here"));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let connections_per_address_max = connections_max;
        let trusted_proxies = Networks::default();
        let entrance = Entrance { connections_max, connections_per_address_max, trusted_proxies };
        tasks.spawn(serve(listener, router, entrance, stop.clone()));
        tasks.close();
        (address, stop, tasks)
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8(answer[..length].to_vec()).unwrap()
    }

    // Time goes on by itself as soon as nobody has anything to do but wait.
    #[tokio::test(start_paused = true)]
    async fn who_never_says_what_he_wants_is_let_go() {
        let (address, ..) = start(2).await;
        for words in ["", "GET / HTTP/1.1\r\nx: ", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(words.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // The end comes although this client never closes.
            stream.read_to_end(&mut answer).await.unwrap();
        }
    }

    #[tokio::test]
    async fn whoever_finds_no_place_learns_it_at_once_and_places_come_back() {
        let (address, ..) = start(1).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut first).await.contains("200 OK"));
        let mut second = TcpStream::connect(address).await.unwrap();
        let refused = second.read(&mut [0; 1]).await;
        assert!(matches!(refused, Ok(0) | Err(_)), "it was served");
        drop(first);
        let mut answer = String::new();
        while !answer.contains("200 OK") {
            let mut third = TcpStream::connect(address).await.unwrap();
            // Until the server has noticed that the first is gone.
            if third
                .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                .await
                .is_ok()
            {
                let _ = third.read_to_string(&mut answer).await;
            }
        }
    }

    #[tokio::test]
    async fn an_open_connection_does_not_keep_the_service_from_stopping() {
        let (address, stop, tasks) = start(2).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut idle).await.contains("200 OK"));
        stop.cancel();
        tasks.wait().await;
        assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    }
}

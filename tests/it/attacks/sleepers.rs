//! Connections that are taken to be held and not to ask anything. Whatever they do to be kept, they must
//! not keep a new client out for long, and no one address may have them all.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use keylend::config::Networks;
use keylend::http::server::{Entrance, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const PLACES: usize = 64;
/// Longer than anybody who only holds a place may do so in a crowd.
const PATIENCE_S: u32 = 30;
const LARGE_BYTES: usize = 1024 * 1024;
/// What the system takes off the line for a client that does not read.
const UNREAD_BYTES_MAX: u32 = 8 * 1024;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Frames of HTTP/2: length, type, flags, stream, payload (RFC 9113 section 4.1).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const SETTINGS_WITHOUT_WINDOW: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
const PING: &[u8] = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00 wake up";
const GET_LARGE: &[u8] = b"\x00\x00\x0d\x01\x05\x00\x00\x00\x01\x82\x86\x44\x06/large\x41\x01x";
const TYPE_PING: u8 = 6;
const FRAME_HEAD_BYTES: usize = 9;

/// The ways to hold a place.
#[derive(Debug, Clone, Copy)]
enum Sleeper {
    Silent,
    BeginsARequest,
    AsksOnce,
    PingsAlone,
    PipelinesAndNeverReads,
    GivesNoWindow,
}

const SLEEPERS: [Sleeper; 6] = [
    Sleeper::Silent,
    Sleeper::BeginsARequest,
    Sleeper::AsksOnce,
    Sleeper::PingsAlone,
    Sleeper::PipelinesAndNeverReads,
    Sleeper::GivesNoWindow,
];

impl Sleeper {
    /// Holds a connection as long as it can.
    async fn hold(self, mut stream: TcpStream) {
        let first = match self {
            Self::Silent => Vec::new(),
            Self::BeginsARequest => b"GET / HTTP/1.1\r\nhost: ".to_vec(),
            Self::AsksOnce => b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            Self::PingsAlone => [PREFACE, SETTINGS].concat(),
            Self::PipelinesAndNeverReads => b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n".repeat(32),
            Self::GivesNoWindow => [PREFACE, SETTINGS_WITHOUT_WINDOW, GET_LARGE].concat(),
        };
        stream.write_all(&first).await.unwrap();
        match self {
            Self::PingsAlone | Self::GivesNoWindow => keep_up(&mut stream).await,
            Self::Silent | Self::BeginsARequest | Self::AsksOnce | Self::PipelinesAndNeverReads => {
                std::future::pending().await
            }
        }
    }
}

/// Answers every PING and sends its own, until the connection is closed.
async fn keep_up(stream: &mut TcpStream) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        tokio::select! {
            read = stream.read(&mut piece) => match read {
                Ok(length @ 1..) => heard.extend_from_slice(&piece[..length]),
                Ok(0) | Err(_) => return,
            },
            _ = seconds.tick() => {
                let _ = stream.write_all(PING).await;
            }
        }
        while let [_, high, low, kind, flags, _, _, _, _, ref rest @ ..] = heard[..] {
            let length = usize::from(high) * 256 + usize::from(low);
            let Some(payload) = rest.get(..length) else { break };
            if kind == TYPE_PING && flags == 0 {
                let pong = [&[0, 0, 8, TYPE_PING, 1, 0, 0, 0, 0], payload].concat();
                let _ = stream.write_all(&pong).await;
            }
            heard.drain(..FRAME_HEAD_BYTES + length);
        }
    }
}

/// A server of so many places.
async fn start(connections_max: usize, connections_per_address_max: usize) -> SocketAddr {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new()
        .route("/", get(async || "here"))
        .route("/large", get(async || "x".repeat(LARGE_BYTES)));
    let trusted_proxies = Networks::from(vec!["127.0.0.9".parse().unwrap()]);
    let entrance = Entrance { connections_max, connections_per_address_max, trusted_proxies };
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(serve(listener, router, entrance, CancellationToken::new()));
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A connection from one of the many addresses of this machine.
async fn connect(last_part: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(UNREAD_BYTES_MAX).unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last_part], 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Whether a connection is served.
async fn is_answered(stream: &mut TcpStream) -> bool {
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut answer = [0; 1024];
    let read = stream.read(&mut answer).await;
    asked.is_ok() && read.is_ok_and(|length| answer[..length].starts_with(b"HTTP/1.1 200"))
}

// Time goes on by itself as soon as nobody has anything to do but wait.
#[tokio::test(start_paused = true)]
async fn whoever_only_holds_a_place_makes_room_for_a_new_client() {
    for sleeper in SLEEPERS {
        let address = start(PLACES, PLACES).await;
        let mut asleep = JoinSet::new();
        for number in 0..PLACES {
            let from = if number < PLACES / 2 { 2 } else { 3 };
            asleep.spawn(sleeper.hold(connect(from, address).await));
        }
        assert!(!is_answered(&mut connect(4, address).await).await, "{sleeper:?}: there was room");
        let mut waited_s = 0;
        while !is_answered(&mut connect(4, address).await).await {
            assert!(waited_s < PATIENCE_S, "{sleeper:?}: they keep their places");
            tokio::time::advance(Duration::from_secs(1)).await;
            waited_s += 1;
        }
    }
}

#[tokio::test]
async fn one_address_takes_its_share_of_the_places_and_no_more() {
    let address = start(PLACES, 2).await;
    let mut own = Vec::new();
    for _ in 0..2 {
        own.push(connect(2, address).await);
        assert!(is_answered(own.last_mut().unwrap()).await);
    }
    assert!(!is_answered(&mut connect(2, address).await).await);
    assert!(is_answered(&mut connect(3, address).await).await);
    // Behind a trusted proxy are many.
    let mut of_proxy = Vec::new();
    for _ in 0..10 {
        of_proxy.push(connect(9, address).await);
        assert!(is_answered(of_proxy.last_mut().unwrap()).await);
    }
}

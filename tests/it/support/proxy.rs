//! A proxy between the service and PostgreSQL that cuts a connection in the middle of a commit.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The simple queries that end a transaction (protocol 3.0, message `Q`).
const COMMITS: [&[u8]; 2] = [b"Q\0\0\0\x0bCOMMIT\0", b"Q\0\0\0\x15COMMIT AND CHAIN\0"];

/// When a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the server hears of the commit.
    Before,
    /// After the server has carried it out, and before the client hears of that.
    After,
}

/// The next commit of a transaction in which these bytes were sent is cut.
#[derive(Debug)]
struct Trap {
    bytes: Vec<u8>,
    cut: Cut,
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    trap: Mutex<Option<Trap>>,
    /// Whether nobody gets through, once a connection was cut.
    closes: AtomicBool,
    is_closed: AtomicBool,
    closing: tokio::sync::Notify,
}

impl Proxy {
    /// A proxy before this server.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !serving.is_closed.load(Ordering::SeqCst) {
                    tokio::spawn(serve(client, server, Arc::clone(&serving)));
                }
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the connection that commits next after having sent these bytes.
    pub(crate) fn set(&self, bytes: impl Into<Vec<u8>>, cut: Cut) {
        *self.shared.trap.lock().unwrap() = Some(Trap { bytes: bytes.into(), cut });
    }

    /// The same, and then nobody gets through until [`Proxy::open`].
    pub(crate) fn set_and_close(&self, bytes: impl Into<Vec<u8>>, cut: Cut) {
        self.shared.closes.store(true, Ordering::SeqCst);
        self.set(bytes, cut);
    }

    /// Lets everybody through again.
    pub(crate) fn open(&self) {
        self.shared.closes.store(false, Ordering::SeqCst);
        self.shared.is_closed.store(false, Ordering::SeqCst);
    }

    /// Whether a connection was cut since.
    pub(crate) fn has_cut(&self) -> bool {
        self.shared.trap.lock().unwrap().is_none()
    }
}

async fn serve(client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let closing = shared.closing.notified();
    tokio::select! {
        () = closing => {}
        () = pass(client, server, &shared) => {}
    }
}

async fn pass(client: TcpStream, server: SocketAddr, shared: &Shared) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // Dropping the set ends the task.
    let mut answers = tokio::task::JoinSet::new();
    answers.spawn(async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            if to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    });
    let mut transaction = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let sent = &buffer[..count];
        transaction.extend_from_slice(sent);
        if COMMITS.iter().any(|commit| holds(&transaction, commit)) {
            let cut = shared.spring(&transaction);
            transaction.clear();
            if let Some(cut) = cut {
                // From here on the client hears nothing.
                answers.shutdown().await;
                if cut == Cut::After {
                    to_server.write_all(sent).await.unwrap();
                    // Closing our half makes the server end after it has done what it was asked.
                    to_server.shutdown().await.unwrap();
                }
                if shared.closes.load(Ordering::SeqCst) {
                    shared.is_closed.store(true, Ordering::SeqCst);
                    shared.closing.notify_waiters();
                }
                return;
            }
        }
        if to_server.write_all(sent).await.is_err() {
            return;
        }
    }
}

impl Shared {
    /// Whether the trap is for this transaction; then it is gone.
    fn spring(&self, transaction: &[u8]) -> Option<Cut> {
        let mut trap = self.trap.lock().unwrap();
        let is_for_it = trap.as_ref().is_some_and(|trap| holds(transaction, &trap.bytes));
        if is_for_it { trap.take().map(|trap| trap.cut) } else { None }
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

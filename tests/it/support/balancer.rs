//! A plain balancer in front of several instances: each connection goes to the next one that takes
//! it, in turn. It looks at nothing that it passes on, and repeats nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A balancer, which ends when it is dropped; what it passes on then is cut off.
pub(crate) struct Balancer {
    pub(crate) address: SocketAddr,
    _stop: DropGuard,
}

impl Balancer {
    pub(crate) async fn start(instances: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
        tokio::spawn(async move {
            stopped.run_until_cancelled(accept(listener, instances.into(), stopped.clone())).await;
        });
        Self { address, _stop: stop.drop_guard() }
    }
}

async fn accept(listener: TcpListener, instances: Arc<[SocketAddr]>, stop: CancellationToken) {
    let turn = Arc::new(AtomicUsize::new(0));
    while let Ok((client, _)) = listener.accept().await {
        let (instances, turn, stop) = (Arc::clone(&instances), Arc::clone(&turn), stop.clone());
        #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
        tokio::spawn(async move {
            stop.run_until_cancelled(pass_on(client, &instances, &turn)).await;
        });
    }
}

/// Connects the client with the first instance, from the next in turn on, that takes it. If none
/// does, the client's connection is closed.
async fn pass_on(mut client: TcpStream, instances: &[SocketAddr], turn: &AtomicUsize) {
    for _ in instances {
        let next = turn.fetch_add(1, Ordering::Relaxed) % instances.len();
        if let Ok(mut instance) = TcpStream::connect(instances[next]).await {
            // Whoever breaks the connection breaks it for both.
            let _ = client.set_nodelay(true).and(instance.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut instance).await;
            return;
        }
    }
}

//! Where the service listens: for clients, and for operators if they have an address of their own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Networks};
use crate::http::server::{self, Entrance};
use crate::http::{self, Edge, Gateway, OperatorsDoor};

/// Monitors and orchestrators are few.
const OPERATORS_CONNECTIONS_MAX: usize = 64;

/// Why the service cannot listen somewhere.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address}: {}", remedy(.source, .setting))]
pub struct CannotListen {
    address: SocketAddr,
    setting: &'static str,
    source: io::Error,
}

fn remedy(error: &io::Error, setting: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program does; stop it, or give another address as {setting}")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine does not have this address; give one that it has as {setting}")
        }
        io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 are for root; give a higher one as {setting}")
        }
        _ => format!("give another address as {setting}"),
    }
}

/// Listens at an address, which a setting gave.
///
/// # Errors
/// [`CannotListen`] says what to do about it.
pub async fn bind(address: SocketAddr, setting: &'static str) -> Result<TcpListener, CannotListen> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| CannotListen { address, setting, source })
}

/// The sockets of the service.
#[derive(Debug)]
pub struct Listeners {
    /// For clients.
    pub clients: TcpListener,
    /// For operators, if that is not the same.
    pub operators: Option<TcpListener>,
}

/// One for everybody.
impl From<TcpListener> for Listeners {
    fn from(clients: TcpListener) -> Self {
        Self { clients, operators: None }
    }
}

impl Listeners {
    /// Listens where the settings say.
    ///
    /// # Errors
    /// [`CannotListen`] if an address is taken, or is not this machine's.
    pub async fn bind(config: &Config) -> Result<Self, CannotListen> {
        let clients = bind(config.listen, "KEYLEND_LISTEN").await?;
        let operators = match config.operations_listen {
            Some(address) => Some(bind(address, "KEYLEND_OPERATIONS_LISTEN").await?),
            None => None,
        };
        Ok(Self { clients, operators })
    }

    /// Serves everybody until `stop`.
    pub(super) async fn serve(
        self,
        gateway: Gateway,
        edge: Edge,
        entrance: Entrance,
        stop: CancellationToken,
    ) {
        let Some(operators) = self.operators else {
            let router = http::router(Arc::new(gateway), edge, OperatorsDoor::Shared);
            return server::serve(self.clients, router, entrance, stop).await;
        };
        let for_operators = http::operators_router(gateway.monitor.clone(), edge.clone());
        let few = Entrance {
            connections_max: OPERATORS_CONNECTIONS_MAX,
            connections_per_address_max: OPERATORS_CONNECTIONS_MAX,
            trusted_proxies: Networks::default(),
        };
        let for_clients = http::router(Arc::new(gateway), edge, OperatorsDoor::Separate);
        tokio::join!(
            server::serve(operators, for_operators, few, stop.clone()),
            server::serve(self.clients, for_clients, entrance, stop),
        );
    }
}

//! Connections to hosts that users entered (defence against SSRF). A host name is resolved once, all its addresses are checked, and
//! the connection uses exactly these addresses, so a second DNS answer cannot lead elsewhere.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::net::TcpStream;

use super::public_address::is_public;

/// The allowed ports. Other services, such as databases, listen at other ports.
const PORTS: [u16; 2] = [443, 8443];

/// An address to which no connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address of the public internet, or not at port 443 or 8443 by https")]
pub(super) struct NotAllowed(pub(super) SocketAddr);

/// Where connections may go.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressGuard {
    /// Private networks that the operator allowed.
    networks: Arc<[IpNet]>,
}

impl AddressGuard {
    pub(super) fn new(networks: Vec<IpNet>) -> Self {
        Self { networks: networks.into() }
    }

    /// Whether the operator allowed any private network.
    pub(super) fn allows_some_network(&self) -> bool {
        !self.networks.is_empty()
    }

    /// Whether a connection may go to this address.
    pub(super) fn allows(&self, address: SocketAddr, is_encrypted: bool) -> Result<(), NotAllowed> {
        let ip: IpAddr = address.ip().to_canonical();
        let is_own = self.networks.iter().any(|network| network.contains(&ip));
        let is_outside = is_public(ip) && is_encrypted && PORTS.contains(&address.port());
        if is_own || is_outside { Ok(()) } else { Err(NotAllowed(address)) }
    }

    async fn connect(self, uri: Uri) -> io::Result<TokioIo<TcpStream>> {
        let is_encrypted = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        for &address in &addresses {
            let refused = |error| io::Error::new(io::ErrorKind::PermissionDenied, error);
            self.allows(address, is_encrypted).map_err(refused)?;
        }
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }
}

impl tower::Service<Uri> for AddressGuard {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Whether an error says that an address is not allowed.
pub(super) fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if inner.is_some_and(|inner| inner.is::<NotAllowed>()) {
            return true;
        }
        cause = error.source();
    }
    false
}

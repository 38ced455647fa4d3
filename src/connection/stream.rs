//! Opens a byte stream to an endpoint: TCP or a unix domain socket, with TLS over it.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::AsyncStream;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::race;

/// A stream of any kind.
pub type Stream = Pin<Box<dyn AsyncStream + Send + Sync>>;

/// Reaches the server of `endpoint`, by one of `addresses` when there are any. TLS, when wanted, is
/// still to be negotiated.
pub(super) async fn reach(endpoint: &Endpoint, addresses: &[IpAddr]) -> io::Result<Stream> {
    if let Some(path) = &endpoint.path {
        return open_unix(path).await;
    }
    let tcp = race::connect(&endpoint.host, endpoint.port, addresses).await?;
    tcp.set_nodelay(true)?;
    // The pings notice a dead peer; keepalive lets middleboxes know that the connection is in use.
    SockRef::from(&tcp)
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(30)))?;
    Ok(Box::pin(tcp))
}

/// Negotiates TLS over `stream`.
pub(super) async fn secure(
    stream: Stream,
    endpoint: &Endpoint,
    config: Arc<ClientConfig>,
) -> io::Result<Stream> {
    let name = endpoint.tls.as_ref().and_then(|tls| tls.servername.as_deref());
    let name = ServerName::try_from(name.unwrap_or(&endpoint.host).to_owned());
    let name = name.map_err(|error| {
        let error =
            format!("the host is no name that a certificate can bear ({error}): pass servername");
        io::Error::new(io::ErrorKind::InvalidInput, error)
    })?;
    Ok(Box::pin(TlsConnector::from(config).connect(name, stream).await?))
}

#[cfg(unix)]
async fn open_unix(path: &str) -> io::Result<Stream> {
    Ok(Box::pin(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn open_unix(_path: &str) -> io::Result<Stream> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this platform has no unix domain sockets"))
}

//! Opens a byte stream to an endpoint: TCP, TLS or a unix domain socket.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::AsyncStream;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::endpoint::{Endpoint, Tls};
use super::{race, tls};

/// A stream of any kind.
pub type Stream = Pin<Box<dyn AsyncStream + Send + Sync>>;

/// A stream that has reached its server; TLS, when wanted, is still to be negotiated.
pub(super) enum Reached {
    Plain(Stream),
    Tls(TcpStream),
}

/// Reaches the server of `endpoint`.
pub(super) async fn reach(endpoint: &Endpoint) -> io::Result<Reached> {
    if let Some(path) = &endpoint.path {
        return open_unix(path).await.map(Reached::Plain);
    }
    let tcp = race::connect(&endpoint.host, endpoint.port).await?;
    tcp.set_nodelay(true)?;
    // The pings notice a dead peer; keepalive lets middleboxes know that the connection is in use.
    SockRef::from(&tcp)
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(30)))?;
    Ok(if endpoint.tls.is_some() { Reached::Tls(tcp) } else { Reached::Plain(Box::pin(tcp)) })
}

/// Negotiates TLS, when wanted.
pub(super) async fn secure(reached: Reached, endpoint: &Endpoint) -> io::Result<Stream> {
    match (reached, &endpoint.tls) {
        (Reached::Plain(stream), _) => Ok(stream),
        (Reached::Tls(tcp), Some(options)) => open_tls(tcp, endpoint, options).await,
        (Reached::Tls(tcp), None) => Ok(Box::pin(tcp)),
    }
}

async fn open_tls(tcp: TcpStream, endpoint: &Endpoint, options: &Tls) -> io::Result<Stream> {
    let name = options.servername.as_deref().unwrap_or(&endpoint.host);
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(tls::client_config(options)?));
    Ok(Box::pin(connector.connect(name, tcp).await?))
}

#[cfg(unix)]
async fn open_unix(path: &str) -> io::Result<Stream> {
    Ok(Box::pin(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn open_unix(_path: &str) -> io::Result<Stream> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this platform has no unix domain sockets"))
}

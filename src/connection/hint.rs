//! Finds out what answers where Redis was not found: Redis without TLS, something with TLS, HTTP.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::{stream, tls};

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// Redis, without TLS.
    Plain,
    /// Something that speaks TLS.
    Tls,
    /// An HTTP server.
    Http,
}

/// A peer has this long for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What to do about `peer`, which is not what `endpoint` says; nothing when it is.
pub(super) const fn advice(peer: Peer, endpoint: &Endpoint) -> Option<&'static str> {
    match (peer, endpoint.tls.is_some()) {
        (Peer::Plain, true) => Some(
            "this port speaks Redis without TLS: use redis:// (or leave out tls), or the port that has TLS",
        ),
        (Peer::Tls, false) => Some("this port speaks TLS: use rediss:// (or the option tls)"),
        (Peer::Http, _) => Some("an HTTP server answers here, not Redis: check host and port"),
        _ => None,
    }
}

/// Asks in plain text, then with TLS, on connections of their own.
pub(super) async fn peer_of(endpoint: &Endpoint, addresses: &[IpAddr]) -> Option<Peer> {
    match soon(plain_answer(endpoint, addresses)).await {
        Some(answer) if answer.starts_with(b"HTTP/") => return Some(Peer::Http),
        Some([b'+' | b'-', ..]) => return Some(Peer::Plain),
        // An alert.
        Some([0x15, 0x03, ..]) => return Some(Peer::Tls),
        _ => {}
    }
    let config = Arc::new(tls::probing_config().ok()?);
    let handshake = async {
        let stream = stream::reach(endpoint, addresses).await?;
        Ok(match stream::secure(stream, endpoint, config).await {
            Ok(_) => true,
            Err(error) => !tls::is_not_tls(&error),
        })
    };
    soon(handshake).await.filter(|&speaks| speaks).map(|_| Peer::Tls)
}

async fn soon<T>(future: impl Future<Output = io::Result<T>>) -> Option<T> {
    timeout(PATIENCE, future).await.ok()?.ok()
}

/// The first bytes that a peer answers to a ping: an inline one, which HTTP servers answer too.
async fn plain_answer(endpoint: &Endpoint, addresses: &[IpAddr]) -> io::Result<[u8; 5]> {
    let mut stream = stream::reach(endpoint, addresses).await?;
    stream.write_all(b"PING\r\n").await?;
    stream.flush().await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

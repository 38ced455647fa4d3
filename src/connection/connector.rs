//! Opens connections to a server.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::greeting::{Purpose, Warning, greet, probe};
use super::link::{ByteStream, Connection};
use super::stream::{self, Stream};
use crate::error::{Error, Result};

/// How long a server may take to let a connection in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// 5 s for all of it.
    Limited,
    /// 5 s until it is reached; then it may answer whenever it does, and all that the connection
    /// is for must work.
    UntilAnswered,
}

/// A connection that has entered its server.
pub struct Opened<S> {
    /// The connection.
    pub connection: Connection<S>,
    /// What the endpoint has wrong.
    pub warning: Option<Warning>,
}

/// Opens connections. The seam for tests, and for servers that are found out: of a Sentinel, of a
/// Cluster.
pub trait Connector: Send + Sync + 'static {
    /// What its connections run over.
    type Stream: ByteStream + 'static;

    /// Opens a connection and enters the server.
    ///
    /// # Errors
    /// [`Error::Connect`] or [`Error::Refused`].
    fn connect(
        &self,
        purpose: Purpose,
        patience: Patience,
    ) -> impl Future<Output = Result<Opened<Self::Stream>>> + Send;
}

/// Reaching a server must be done within this time; entering it too, unless there is patience.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

impl Connector for Endpoint {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        let opening = open(self, purpose, patience);
        let opened = match patience {
            Patience::UntilAnswered => opening.await,
            Patience::Limited => timeout(OPEN_TIMEOUT, opening)
                .await
                .unwrap_or_else(|_| Err(cannot_connect(self, io::ErrorKind::TimedOut.into()))),
        };
        match opened {
            // It was never there to be lost: a server may hang up on a certificate, say.
            Err(Error::Lost { reason, .. }) => Err(cannot_connect(self, io::Error::other(reason))),
            opened => opened,
        }
    }
}

async fn open(endpoint: &Endpoint, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
    let reached = timeout(OPEN_TIMEOUT, stream::reach(endpoint)).await;
    let reached = reached.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let reached = reached.map_err(|error| cannot_connect(endpoint, error))?;
    let stream = stream::secure(reached, endpoint).await;
    let stream = stream.map_err(|error| cannot_connect(endpoint, error))?;
    let mut connection = Connection::new(stream, endpoint.to_string());
    let warning = greet(&mut connection, endpoint, purpose).await?;
    if (purpose, patience) == (Purpose::Command, Patience::UntilAnswered) {
        probe(&mut connection).await?;
    }
    Ok(Opened { connection, warning })
}

fn cannot_connect(endpoint: &Endpoint, source: io::Error) -> Error {
    Error::Connect { endpoint: endpoint.to_string(), source: Arc::new(source) }
}

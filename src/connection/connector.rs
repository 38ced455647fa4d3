//! Opens connections to a server.

use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use tokio::time::{sleep, timeout};

use super::endpoint::Endpoint;
use super::greeting::{Purpose, Warning, greet, probe};
use super::link::{ByteStream, Connection};
use super::role::Role;
use super::stream::{self, Stream};
use super::tls::Failure;
use super::{hint, tls};
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
    /// The server's role, where it is for commands and this user may know.
    pub role: Option<Role>,
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

    /// Resolves with the reason once a connection to `endpoint`, as [`Connection::endpoint`] names it,
    /// does not lead where it should any more. Safe to cancel.
    fn moved(&self, _endpoint: &str) -> impl Future<Output = String> + Send {
        std::future::pending()
    }

    /// Resolves once there is a reason to connect again before a pause is over: it leads to another
    /// server than the last attempt has led to. Safe to cancel.
    fn elsewhere(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Until when connections to `endpoint` were known to lead where they should; `None` where nothing
    /// tells that but the connections themselves.
    fn confirmed(&self, _endpoint: &str) -> Option<SystemTime> {
        None
    }
}

/// Resolves with the reason once a connection does not lead where it should any more.
pub fn moved<C: Connector>(
    connector: &Arc<C>,
    connection: &Connection<C::Stream>,
) -> Pin<Box<dyn Future<Output = String> + Send>> {
    let (connector, endpoint) = (Arc::clone(connector), connection.endpoint().to_owned());
    Box::pin(async move { connector.moved(&endpoint).await })
}

/// Reaching a server must be done within this time; entering it too, unless there is patience.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that has not let the first connection in by then may not be what it is taken for: Redis
/// without TLS waits for the rest of a handshake for ever.
const SUSPECT: Duration = Duration::from_secs(1);

/// What TLS connections need, made when it is first needed: it holds all that is trusted, for all
/// servers that are entered in the same way.
pub type TlsConfig = Arc<OnceLock<Arc<ClientConfig>>>;

/// One server.
pub struct Server {
    endpoint: Endpoint,
    tls: TlsConfig,
    // Whether a connection was ever let in: then it is what it is taken for.
    entered: AtomicBool,
    // Whether a connection was ever one to a master: then it is not to be one to a replica.
    was_master: AtomicBool,
}

/// An attempt: where to, as the application has said just now.
struct Attempt<'a> {
    endpoint: Cow<'a, Endpoint>,
    addresses: Vec<IpAddr>,
    config: Option<Arc<ClientConfig>>,
}

impl Server {
    /// The server of `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self::sharing(endpoint, TlsConfig::default())
    }

    /// The server of `endpoint`, one of several that are entered in the same way.
    #[must_use]
    pub const fn sharing(endpoint: Endpoint, tls: TlsConfig) -> Self {
        let (entered, was_master) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { endpoint, tls, entered, was_master }
    }

    /// Opens a connection with [`Patience::Limited`], to `limit`.
    ///
    /// # Errors
    /// As [`Connector::connect`].
    pub async fn connect_within(
        &self,
        purpose: Purpose,
        limit: Duration,
    ) -> Result<Opened<Stream>> {
        let attempt = self.prepare().await?;
        let opening = self.open(&attempt, purpose, Patience::Limited);
        let opened = timeout(limit, opening).await;
        self.never_lost(
            opened.unwrap_or_else(|_| Err(self.cannot_connect(io::ErrorKind::TimedOut.into()))),
        )
    }

    /// Asks the application, which takes its time, and ends that itself: a token may come over the
    /// network, and an event loop may be busy.
    async fn prepare(&self) -> Result<Attempt<'_>> {
        self.attempt().await.map_err(|error| self.cannot_connect(error))
    }

    /// It was never there to be lost: a server may hang up on a certificate, say.
    fn never_lost(&self, opened: Result<Opened<Stream>>) -> Result<Opened<Stream>> {
        match opened {
            Err(Error::Lost { reason, .. }) => Err(self.cannot_connect(io::Error::other(reason))),
            opened => opened,
        }
    }

    fn config(&self) -> io::Result<Option<Arc<ClientConfig>>> {
        let Some(options) = &self.endpoint.tls else { return Ok(None) };
        if let Some(made) = self.tls.get() {
            return Ok(Some(Arc::clone(made)));
        }
        let made = Arc::new(tls::client_config(options)?);
        Ok(Some(Arc::clone(self.tls.get_or_init(|| made))))
    }

    async fn attempt(&self) -> io::Result<Attempt<'_>> {
        let config = self.config()?;
        let Some(preparation) = &self.endpoint.preparation else {
            let endpoint = Cow::Borrowed(&self.endpoint);
            return Ok(Attempt { endpoint, addresses: Vec::new(), config });
        };
        let prepared =
            (preparation.ask)(self.endpoint.host.clone()).await.map_err(io::Error::other)?;
        let mut endpoint = self.endpoint.clone();
        endpoint.username = prepared.username.or(endpoint.username);
        endpoint.password = prepared.password.or(endpoint.password);
        Ok(Attempt { endpoint: Cow::Owned(endpoint), addresses: prepared.addresses, config })
    }

    async fn open(
        &self,
        attempt: &Attempt<'_>,
        purpose: Purpose,
        patience: Patience,
    ) -> Result<Opened<Stream>> {
        let reaching = stream::reach(&attempt.endpoint, &attempt.addresses);
        let reached = timeout(OPEN_TIMEOUT, reaching).await;
        let stream = reached
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| self.cannot_connect(error))?;
        let entering = self.enter(attempt, stream, purpose, patience);
        let opened = if patience == Patience::Limited && !self.entered.load(Ordering::Relaxed) {
            self.or_advice(attempt, entering).await
        } else {
            entering.await
        };
        if opened.is_ok() {
            self.entered.store(true, Ordering::Relaxed);
        }
        opened
    }

    async fn enter(
        &self,
        attempt: &Attempt<'_>,
        stream: Stream,
        purpose: Purpose,
        patience: Patience,
    ) -> Result<Opened<Stream>> {
        let endpoint = &*attempt.endpoint;
        let stream = match &attempt.config {
            Some(config) => stream::secure(stream, endpoint, Arc::clone(config))
                .await
                .map_err(|error| self.cannot_connect(error))?,
            None => stream,
        };
        let mut connection = Connection::new(stream, endpoint.to_string());
        let warning = greet(&mut connection, endpoint, purpose).await?;
        if (purpose, patience) == (Purpose::Command, Patience::UntilAnswered) {
            probe(&mut connection).await?;
        }
        let role =
            if purpose == Purpose::Command { Role::ask(&mut connection).await? } else { None };
        match &role {
            // One that was never a master is what the application wants.
            Some(role) if role.is_replica && self.was_master.load(Ordering::Relaxed) => {
                return Err(Error::ReadOnly { endpoint: endpoint.to_string() });
            }
            Some(role) if !role.is_replica => self.was_master.store(true, Ordering::Relaxed),
            _ => {}
        }
        Ok(Opened { connection, warning, role })
    }

    /// Where `entering` fails or takes long, finds out whether the server is another kind of server.
    async fn or_advice(
        &self,
        attempt: &Attempt<'_>,
        entering: impl Future<Output = Result<Opened<Stream>>> + Send,
    ) -> Result<Opened<Stream>> {
        tokio::pin!(entering);
        let failed = tokio::select! {
            biased;
            opened = &mut entering => match opened {
                Err(error) if self.may_be_another(&error) => Some(error),
                opened => return opened,
            },
            () = sleep(SUSPECT) => None,
        };
        let endpoint = &*attempt.endpoint;
        let asking = hint::peer_of(endpoint, &attempt.addresses);
        let peer = if failed.is_some() {
            asking.await
        } else {
            tokio::select! {
                biased;
                opened = &mut entering => return opened,
                peer = asking => peer,
            }
        };
        match (peer.and_then(|peer| hint::advice(peer, endpoint)), failed) {
            (Some(advice), failed) => {
                let cause = failed.map_or_else(
                    || io::ErrorKind::TimedOut.into(),
                    |error| io::Error::other(error.to_string()),
                );
                Err(self.cannot_connect(Failure::saying(advice, cause)))
            }
            (None, Some(error)) => Err(error),
            (None, None) => entering.await,
        }
    }

    /// Whether the server has answered nothing that its own kind would.
    fn may_be_another(&self, error: &Error) -> bool {
        match error {
            // After a handshake it is known to speak TLS.
            Error::Lost { .. } => self.endpoint.tls.is_none(),
            Error::Connect { source, .. } => tls::is_not_tls(source),
            _ => false,
        }
    }

    fn cannot_connect(&self, source: io::Error) -> Error {
        let source = Arc::new(tls::explain(source));
        Error::Connect { endpoint: self.endpoint.to_string(), source }
    }
}

impl Connector for Server {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        if patience == Patience::Limited {
            return self.connect_within(purpose, OPEN_TIMEOUT).await;
        }
        let attempt = self.prepare().await?;
        self.never_lost(self.open(&attempt, purpose, patience).await)
    }
}

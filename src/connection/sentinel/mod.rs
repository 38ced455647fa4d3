//! The master that Sentinels name.
//!
//! ```text
//!   connect ─▶ ask all Sentinels ─▶ open what most of them name ─▶ ROLE ─▶ the connection
//!                                        ▲                          │ a replica
//!                                        └──── do not believe it ◀──┘
//! ```
//!
//! Meanwhile they are asked each second, and listened to: see [`watch`].

mod agent;
mod questions;
mod votes;
mod watch;

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::timeout;

use self::watch::{Place, Watch};
use super::connector::{Connector, Opened, Patience, Server, TlsConfig};
use super::endpoint::{Address, Endpoint, SentinelAt};
use super::greeting::Purpose;
use super::stream::Stream;
use crate::error::{Error, Result};

/// How long a server may take to say which role it has.
const ROLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many masters are tried in one attempt.
const MAX_TRIED: usize = 8;

/// Opens connections to the master that Sentinels name, and knows when it is another one.
pub struct Sentinel {
    endpoint: Endpoint,
    place: Place,
    tls: TlsConfig,
    // Begun within the runtime, with the first connection.
    watch: OnceLock<Arc<Watch>>,
    // The master of the last attempt. A plain mutex: never held across an await.
    tried: Mutex<Option<String>>,
}

impl Sentinel {
    /// The master of `sentinel`, entered as `endpoint` says.
    #[must_use]
    pub fn new(endpoint: Endpoint, sentinel: SentinelAt) -> Self {
        let (name, map) = (endpoint.name.clone(), endpoint.address_map.clone());
        let (tls, watch, tried) = Default::default();
        Self { endpoint, place: Place { sentinel, name, map }, tls, watch, tried }
    }

    fn watch(&self) -> &Watch {
        self.watch.get_or_init(|| watch::shared(&self.place))
    }

    async fn open(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        let watch = self.watch();
        watch.ask().await;
        for _ in 0..MAX_TRIED {
            let Some(named) = watch.named() else { break };
            let master = named.master.to_string();
            *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = Some(master.clone());
            let entered = tokio::select! {
                biased;
                entered = self.enter(named.master.clone(), purpose, patience) => entered?,
                // It may take long to find out that the old one does not answer.
                _ = watch.moved(&master) => continue,
            };
            match entered {
                Some(opened) => return Ok(opened),
                None => watch.disbelieve(named),
            }
        }
        let name = self.place.sentinel.name.clone();
        Err(Error::Sentinel { name, reasons: watch.reasons() })
    }

    /// Enters a server; `None` if that is a replica.
    async fn enter(
        &self,
        master: Address,
        purpose: Purpose,
        patience: Patience,
    ) -> Result<Option<Opened<Stream>>> {
        let at = master.to_string();
        let server = Server::sharing(self.endpoint.at(master), Arc::clone(&self.tls));
        let mut opened = server.connect(purpose, patience).await?;
        let role = questions::is_replica(&mut opened.connection);
        let is_replica = match patience {
            Patience::UntilAnswered => role.await?,
            Patience::Limited => timeout(ROLE_TIMEOUT, role).await.unwrap_or_else(|_| {
                let source = Arc::new(io::ErrorKind::TimedOut.into());
                Err(Error::Connect { endpoint: at, source })
            })?,
        };
        Ok(Some(opened).filter(|_| !is_replica))
    }
}

impl Connector for Sentinel {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        self.open(purpose, patience).await
    }

    async fn moved(&self, endpoint: &str) -> String {
        match self.watch.get() {
            Some(watch) => watch.moved(endpoint).await,
            None => std::future::pending().await,
        }
    }

    async fn elsewhere(&self) {
        let tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (self.watch.get(), tried) {
            (Some(watch), Some(tried)) => drop(watch.moved(&tried).await),
            _ => std::future::pending().await,
        }
    }

    fn confirmed(&self, endpoint: &str) -> Option<SystemTime> {
        self.watch.get()?.confirmed(endpoint)
    }
}

#[cfg(test)]
#[path = "sentinel_tests.rs"]
mod tests;

//! A Redis Cluster: which nodes it has, and which of them owns which slot.

mod look;
mod owner;
mod slots;

pub use owner::Owner;
pub use slots::{Redirection, SlotMap, redirection, slot_of};

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use self::look::Looker;
use super::connector::{Connector, Opened, Patience, Server, TlsConfig};
use super::endpoint::{Address, Endpoint};
use super::greeting::Purpose;
use super::stream::Stream;
use crate::error::{Error, Result};

/// Of how many addresses it is known where they lead.
const MAX_LED: usize = 2000;

/// A node that has not let a connection in by then is not waited for alone.
const STAGGER: Duration = Duration::from_millis(500);

/// A cluster. Its nodes are looked up in the background from the first connection on, for as long as
/// somebody holds it.
pub struct Cluster {
    endpoint: Endpoint,
    // A plain mutex: held for a look or a change.
    state: Mutex<State>,
    // Changes with each look, and with each change of the map.
    looked: watch::Sender<Looked>,
    wanted: Arc<Notify>,
    tls: TlsConfig,
    servers: Mutex<HashMap<Address, Arc<Server>>>,
}

#[derive(Default)]
struct State {
    map: Arc<SlotMap>,
    epoch: u64,
    confirmed: Option<SystemTime>,
    // A node that knows of a change.
    witness: Option<Address>,
    // Where the addresses lead that nodes have given; none yet for those that the application is asked for.
    led: HashMap<Address, Option<Address>>,
    task: Option<JoinHandle<()>>,
    closed: bool,
}

/// What has come of the last look.
#[derive(Debug, Clone, Default)]
struct Looked {
    times: u64,
    error: Option<Error>,
}

impl Cluster {
    /// How long a node may take to know of a slot's new owner, once it knows the new epoch.
    pub const GOSSIP: Duration = Duration::from_secs(2);
    /// How long a message may be under way between nodes, on the bus of the cluster.
    pub const BUS: Duration = Duration::from_millis(250);

    /// The cluster that an endpoint gives nodes of.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Arc<Self> {
        let (state, wanted, tls, servers) = Default::default();
        Arc::new(Self { endpoint, state, looked: watch::Sender::default(), wanted, tls, servers })
    }

    /// Its nodes, as far as they are known.
    pub fn map(&self) -> Arc<SlotMap> {
        Arc::clone(&self.lock().map)
    }

    /// Until when the nodes were known to be as they are said to be.
    pub fn confirmed(&self) -> Option<SystemTime> {
        self.lock().confirmed
    }

    /// Looks again, soon.
    pub fn look(&self) {
        self.wanted.notify_one();
    }

    /// Looks again, soon, and asks this node first: what it has done shows that it knows of a change, which
    /// others may not know of yet.
    pub fn look_at(&self, node: Address) {
        self.lock().witness = Some(node);
        self.look();
    }

    /// A node says that this master owns a slot now: taken as true until the next look, which follows.
    pub fn learn(&self, slot: u16, master: Address) {
        let mut state = self.lock();
        let mut map = (*state.map).clone();
        map.give(slot, slot, master);
        state.map = Arc::new(map);
        drop(state);
        self.looked.send_modify(|looked| looked.times += 1);
        self.look();
    }

    /// Is told of all looks and changes from now on.
    pub fn changes(&self) -> Changes {
        Changes(self.looked.subscribe())
    }

    /// Where an address leads that a node has given.
    pub async fn lead(&self, address: Address) -> Address {
        match &self.endpoint.address_map {
            Some(map) => map.lead(address).await,
            None => address,
        }
    }

    /// Where an address leads that a redirection has given, where that is known. Else it is asked for, and
    /// the answer is a change.
    pub fn led(self: &Arc<Self>, address: Address) -> Option<Address> {
        let Some(map) = &self.endpoint.address_map else { return Some(address) };
        if let Some(led) = map.led(&address) {
            return Some(led);
        }
        let mut state = self.lock();
        if let Some(led) = state.led.get(&address) {
            return led.clone();
        }
        if state.led.len() < MAX_LED {
            state.led.insert(address.clone(), None);
            let (map, cluster) = (map.clone(), Arc::downgrade(self));
            tokio::spawn(async move {
                let led = map.lead(address.clone()).await;
                if let Some(cluster) = cluster.upgrade() {
                    cluster.lock().led.insert(address, Some(led));
                    cluster.looked.send_modify(|looked| looked.times += 1);
                }
            });
        }
        None
    }

    /// Looks no more, and leaves the node that it has asked.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.task.iter().for_each(JoinHandle::abort);
    }

    /// The server at an address.
    pub fn server(&self, address: &Address) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let server = || {
            let endpoint = self.endpoint.at(address.clone());
            Arc::new(Server::sharing(endpoint, Arc::clone(&self.tls)))
        };
        Arc::clone(servers.entry(address.clone()).or_insert_with(server))
    }

    fn keep_only(&self, map: &SlotMap) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = [map.masters(), map.replicas(), self.seeds()].concat();
        servers.retain(|address, _| known.contains(address));
    }

    fn seeds(&self) -> &[Address] {
        self.endpoint.cluster.as_ref().map_or(&[], |cluster| &cluster.nodes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it may be asked: the masters that are known, in an order of chance, then the nodes that are
    /// known from the beginning.
    fn candidates(&self) -> Vec<Address> {
        let mut all = self.map().masters().to_vec();
        fastrand::shuffle(&mut all);
        let mut seeds: Vec<_> =
            self.seeds().iter().filter(|seed| !all.contains(seed)).cloned().collect();
        fastrand::shuffle(&mut seeds);
        all.extend(seeds);
        all
    }

    /// Waits until a look has shown the nodes.
    ///
    /// # Errors
    /// Why they cannot be seen.
    async fn known(self: &Arc<Self>) -> Result<()> {
        let mut looked = self.looked.subscribe();
        self.watch();
        loop {
            if !self.map().masters().is_empty() {
                return Ok(());
            }
            let Looked { times, error } = looked.borrow_and_update().clone();
            if let (true, Some(error)) = (times > 0, error) {
                self.look();
                return Err(error);
            }
            if looked.changed().await.is_err() {
                return Err(self.cannot_connect("it is closed"));
            }
        }
    }

    /// Looks at the nodes from now on, in the background.
    pub fn watch(self: &Arc<Self>) {
        let mut state = self.lock();
        if !state.closed && state.task.as_ref().is_none_or(JoinHandle::is_finished) {
            state.task = Some(tokio::spawn(Looker::new(self).run()));
        }
    }

    /// A connection whose server's role is known from the cluster.
    fn followed(&self, opened: Result<Opened<Stream>>) -> Result<Opened<Stream>> {
        if opened.is_err() {
            self.look();
        }
        opened.map(|opened| Opened { role: None, ..opened })
    }

    fn cannot_connect(&self, reason: impl Into<String>) -> Error {
        let source = Arc::new(io::Error::other(reason.into()));
        Error::Connect { endpoint: self.endpoint.to_string(), source }
    }

    /// Opens a connection to one of `nodes`, the first that lets it in.
    async fn open_one(
        &self,
        nodes: Vec<Address>,
        purpose: Purpose,
        patience: Patience,
    ) -> Result<Opened<Stream>> {
        let mut error = None;
        let mut opening = FuturesUnordered::new();
        let mut nodes = nodes.into_iter().peekable();
        loop {
            if let Some(node) = nodes.next() {
                let server = self.server(&node);
                opening.push(async move { server.connect(purpose, patience).await });
            }
            while !opening.is_empty() {
                tokio::select! {
                    biased;
                    Some(opened) = opening.next() => match opened {
                        Ok(opened) => return Ok(opened),
                        Err(failed) => error = Some(failed),
                    },
                    () = sleep(STAGGER), if nodes.peek().is_some() => break,
                }
            }
            if nodes.peek().is_none() && opening.is_empty() {
                return Err(error.unwrap_or_else(|| self.cannot_connect("it has no nodes")));
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.task.iter().for_each(JoinHandle::abort);
    }
}

/// Tells of looks at a cluster.
pub struct Changes(watch::Receiver<Looked>);

impl Changes {
    /// Waits for the next look or change; for ever once the cluster is gone.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Opens connections to any master of a cluster: which one does not matter, as messages reach all nodes.
/// Those last while it is a node, also as a replica: that brings all messages as before.
pub struct AnyMaster {
    cluster: Arc<Cluster>,
    // Where the last connection was. A plain mutex: held for a look or a change.
    last: Mutex<Option<String>>,
}

impl AnyMaster {
    /// Of this cluster.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, last: Mutex::default() }
    }

    /// Whose masters they are.
    pub const fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    fn last(&self) -> MutexGuard<'_, Option<String>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connector for AnyMaster {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        let Self { cluster, .. } = self;
        cluster.known().await?;
        let map = cluster.map();
        let mut nodes = map.masters().to_vec();
        fastrand::shuffle(&mut nodes);
        let last = self.last().as_deref().and_then(|last| map.node(last)).cloned();
        if let Some(last) = last {
            nodes.retain(|node| *node != last);
            nodes.insert(0, last);
        }
        let opened = cluster.followed(cluster.open_one(nodes, purpose, patience).await)?;
        let endpoint = opened.connection.endpoint().to_owned();
        let last = self.last().replace(endpoint.clone());
        if last.is_some_and(|last| last != endpoint) {
            // What the last one has brought must not come again.
            sleep(Cluster::BUS).await;
        }
        Ok(opened)
    }

    async fn moved(&self, endpoint: &str) -> String {
        let mut changes = self.cluster.changes();
        while self.cluster.map().node(endpoint).is_some() {
            changes.next().await;
        }
        "it is no node of the cluster any more".to_owned()
    }

    fn confirmed(&self, _endpoint: &str) -> Option<SystemTime> {
        self.cluster.confirmed()
    }
}

/// Opens connections to one node of a cluster.
pub struct Node {
    cluster: Arc<Cluster>,
    server: Arc<Server>,
    // Whether it is asked what any node knows, a replica too.
    is_any: bool,
}

impl Node {
    /// The node at an address.
    #[must_use]
    pub fn new(cluster: Arc<Cluster>, address: &Address) -> Self {
        let server = cluster.server(address);
        Self { cluster, server, is_any: false }
    }

    /// The node at an address, which may be a replica, for what does not concern its data.
    #[must_use]
    pub fn any(cluster: Arc<Cluster>, address: &Address) -> Self {
        Self { is_any: true, ..Self::new(cluster, address) }
    }
}

impl Connector for Node {
    type Stream = Stream;

    async fn connect(&self, purpose: Purpose, patience: Patience) -> Result<Opened<Stream>> {
        let purpose = if self.is_any { Purpose::Subscribe } else { purpose };
        self.cluster.followed(self.server.connect(purpose, patience).await)
    }

    fn confirmed(&self, _endpoint: &str) -> Option<SystemTime> {
        self.cluster.confirmed()
    }
}

//! Looks a cluster's nodes up, again and again.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::slots::{Range, SlotMap, read_slots};
use super::{Address, Cluster, Looked, MAX_LED};
use crate::connection::greeting::Purpose;
use crate::connection::info;
use crate::connection::link::{Connection, pack};
use crate::connection::resp::Value;
use crate::connection::stream::Stream;
use crate::error::{Error, Result};

/// Between two looks at whether something has changed.
const GLANCE: Duration = Duration::from_secs(1);
/// Between two looks at all slots, where nothing seems to have changed.
const ROUND: Duration = Duration::from_secs(10);
/// Between two looks at all slots after a change.
const AGAIN: Duration = Duration::from_millis(200);
/// Between two looks at most.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The task that looks.
pub(super) struct Looker {
    cluster: Weak<Cluster>,
    wanted: Arc<Notify>,
    node: Option<(Address, Connection<Stream>)>,
    // When all slots are to be looked at.
    due: Instant,
    // Until when the node may know of a new epoch and not of all that has changed.
    settles: Instant,
    // Whether a node knew less than was known before.
    is_behind: bool,
}

/// What a node says about the cluster.
struct Health {
    is_ok: bool,
    epoch: Option<u64>,
}

impl Looker {
    pub(super) fn new(cluster: &Arc<Cluster>) -> Self {
        let (cluster, wanted) = (Arc::downgrade(cluster), Arc::clone(&cluster.wanted));
        let now = Instant::now();
        Self { cluster, wanted, node: None, due: now, settles: now, is_behind: false }
    }

    pub(super) async fn run(mut self) {
        loop {
            // Not held while nothing is done.
            let Some(cluster) = self.cluster.upgrade() else { return };
            let error = self.look(&cluster).await.err();
            cluster.looked.send_modify(|looked| {
                *looked = Looked { times: looked.times + 1, error };
            });
            drop(cluster);
            sleep(PAUSE).await;
            let is_settled = self.settles <= Instant::now();
            let pause = if is_settled { GLANCE } else { AGAIN };
            if timeout(pause, self.wanted.notified()).await.is_ok() || !is_settled {
                self.due = Instant::now();
            }
        }
    }

    /// Asks the node that knows of a change, or the one that was asked last, or else the others.
    async fn look(&mut self, cluster: &Arc<Cluster>) -> Result<()> {
        let mut failed = None;
        let witness = cluster.lock().witness.take();
        let is_new = |witness: &Address| self.node.as_ref().is_none_or(|(node, _)| node != witness);
        if let Some(witness) = witness.filter(is_new)
            && self.open_and_ask(cluster, witness).await.is_ok()
        {
            return Ok(());
        }
        if let Some((address, connection)) = self.node.take() {
            match self.ask(cluster, address, connection).await {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(error),
            }
        }
        // What another node says may be news.
        self.due = Instant::now();
        for address in cluster.candidates() {
            match self.open_and_ask(cluster, address).await {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(error),
            }
        }
        if std::mem::take(&mut self.is_behind) {
            // It was made anew.
            cluster.lock().epoch = 0;
        }
        Err(failed.unwrap_or_else(|| cluster.cannot_connect("it has no nodes")))
    }

    async fn open_and_ask(&mut self, cluster: &Arc<Cluster>, address: Address) -> Result<()> {
        let server = cluster.server(&address);
        // The patience is that of the network: a host that is not there is not waited for.
        let opened = server.connect_within(Purpose::Subscribe, PATIENCE).await?;
        self.ask(cluster, address, opened.connection).await
    }

    async fn ask(
        &mut self,
        cluster: &Arc<Cluster>,
        address: Address,
        mut connection: Connection<Stream>,
    ) -> Result<()> {
        let since = SystemTime::now();
        let info = command(&mut connection, &[b"INFO"]).await?;
        let health = read_info(&info);
        if !health.is_ok {
            return Err(cluster.cannot_connect(format!("{address} says that the cluster is down")));
        }
        let known = cluster.lock().epoch;
        let epoch = health.epoch.unwrap_or(known);
        if epoch < known {
            self.is_behind = true;
            return Err(cluster.cannot_connect(format!("{address} is behind the others")));
        }
        if epoch != known || health.epoch.is_none() || self.due <= Instant::now() {
            let slots = command(&mut connection, &[b"SLOTS"]).await?;
            if let Value::Error(reply) = slots {
                let endpoint = connection.endpoint().to_owned();
                return Err(Error::Refused { endpoint, reply });
            }
            let (map, led) = read_map(cluster, &slots, &address.host).await;
            if map.masters().is_empty() {
                return Err(cluster.cannot_connect(format!("{address} knows no master")));
            }
            cluster.keep_only(&map);
            let mut state = cluster.lock();
            state.map = Arc::new(map);
            state.led = led;
            drop(state);
            self.due = Instant::now() + ROUND;
        }
        if epoch != known && known != 0 {
            self.settles = Instant::now() + Cluster::GOSSIP;
        }
        let mut state = cluster.lock();
        state.epoch = epoch;
        state.confirmed = Some(since);
        drop(state);
        self.node = Some((address, connection));
        Ok(())
    }
}

async fn command(connection: &mut Connection<Stream>, args: &[&[u8]]) -> Result<Value> {
    let mut packed = Vec::new();
    pack("CLUSTER", args, &mut packed);
    connection.queue(&packed);
    let answered = timeout(PATIENCE, connection.next()).await;
    answered.unwrap_or_else(|_| Err(connection.lost("no answer to CLUSTER")))
}

/// The map that an answer gives, and where the addresses in it lead.
async fn read_map(
    cluster: &Cluster,
    slots: &Value,
    asked: &str,
) -> (SlotMap, HashMap<Address, Option<Address>>) {
    let mut map = SlotMap::default();
    let mut led = HashMap::new();
    for range in read_slots(slots, asked) {
        let Range { first, last, master, replicas } = range;
        for address in replicas.iter().chain([&master]) {
            if led.len() < MAX_LED && !led.contains_key(address) {
                led.insert(address.clone(), Some(cluster.lead(address.clone()).await));
            }
        }
        let known = |address| led.get(address).cloned().flatten();
        if let Some(master) = known(&master) {
            map.give(first, last, master);
        }
        for replica in replicas.iter().filter_map(known) {
            if !map.masters().contains(&replica) {
                map.add_replica(replica);
            }
        }
    }
    (map, led)
}

/// Whoever may not ask this is not told that anything is wrong.
fn read_info(answer: &Value) -> Health {
    let Value::Bulk(bytes) = answer else { return Health { is_ok: true, epoch: None } };
    let text = String::from_utf8_lossy(bytes);
    let field = |name| info::field(&text, name);
    Health {
        is_ok: field("cluster_state").is_none_or(|state| state == "ok"),
        epoch: field("cluster_current_epoch").and_then(|epoch| epoch.parse().ok()),
    }
}

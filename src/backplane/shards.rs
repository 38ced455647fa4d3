//! Sharded subscriptions in a cluster: a session for each node that owns slots of wanted channels.
//!
//! When a slot gets another owner, its channels are handed over to the session of that one: after a
//! migration, which ends the subscriptions, as after a failover. After a failover they rest for a while
//! in between: the old owner, a replica now, passes on what it was sent, and what it has brought already
//! would come again from the new one. What may have been missed meanwhile is a gap.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::fleet::Fleet;
use super::link_events::LinkEvents;
use super::subscriber::MailboxSubscriber;
use super::supervisor::supervise;
use crate::connection::{Address, Cluster, Node, Place, Redirection, redirection, slot_of};
use crate::pubsub::{Consumer, Kind, Need, Session};

type MailboxSession = Session<MailboxSubscriber>;

/// The sharded subscriptions of one backplane.
pub(super) struct Shards {
    me: Weak<Self>,
    cluster: Arc<Cluster>,
    runtime: Handle,
    link: LinkEvents,
    fleet: Arc<Fleet>,
    // Never connected: what waits for an owner to be known, and what rests.
    lobby: Arc<MailboxSession>,
    // A plain mutex: held for a look-up, or while channels are handed over.
    state: Mutex<State>,
    wanted: Notify,
}

#[derive(Default)]
struct State {
    // The node that each channel is wanted on.
    channels: HashMap<Arc<str>, Address>,
    nodes: HashMap<Address, Shard>,
    // Until when channels stay in the lobby, whoever owns their slots.
    resting: HashMap<Arc<str>, Instant>,
    // Until when all channels were known to be wanted on the right nodes.
    settled: Option<SystemTime>,
    last: u64,
    closed: bool,
}

struct Shard {
    session: Arc<MailboxSession>,
    task: JoinHandle<()>,
    number: u64,
}

impl Shards {
    /// Between two times that channels are handed over: nodes may not agree about who owns a slot.
    const PAUSE: Duration = Duration::from_millis(10);

    /// The subscriptions on the nodes of `cluster`, and the task that moves them.
    pub(super) fn start(
        cluster: Arc<Cluster>,
        runtime: &Handle,
        link: LinkEvents,
        fleet: Arc<Fleet>,
    ) -> (Arc<Self>, JoinHandle<()>) {
        let shards = Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            cluster,
            runtime: runtime.clone(),
            fleet,
            lobby: Session::new(MailboxSubscriber::new(link.clone())),
            link: link.clone(),
            state: Mutex::default(),
            wanted: Notify::new(),
        });
        let running = Arc::downgrade(&shards);
        let run = move || Self::run(Weak::clone(&running));
        let task = runtime.spawn(supervise(link, "mover of subscriptions", run));
        (shards, task)
    }

    async fn run(shards: Weak<Self>) {
        let Some(mut changes) = shards.upgrade().map(|shards| shards.cluster.changes()) else {
            return;
        };
        while let Some(shards) = shards.upgrade() {
            shards.cluster.watch();
            let rested = shards.move_channels();
            tokio::select! {
                () = changes.next() => {}
                () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() => {}
                () = shards.wanted.notified() => {}
            }
            sleep(Self::PAUSE).await;
        }
    }

    /// Hands channels over to the owners of their slots; returns when the next have rested.
    fn move_channels(&self) -> Option<Instant> {
        let (map, confirmed) = (self.cluster.map(), self.cluster.confirmed());
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        let now = Instant::now();
        state.resting.retain(|_, until| *until > now);
        for name in self.lobby.names(Kind::Sharded) {
            if state.resting.contains_key(&name) {
                continue;
            }
            let Some(owner) = map.owner(slot_of(name.as_bytes())) else { continue };
            if let Some((handover, _)) = self.lobby.withdraw(Kind::Sharded, &name) {
                self.session(&mut state, owner).adopt(handover, None);
                state.channels.insert(name, owner.clone());
            }
        }
        let is_moved = |name: &str, node: &Address| {
            map.owner(slot_of(name.as_bytes())).filter(|owner| *owner != node).cloned()
        };
        let moved: Vec<_> = state
            .channels
            .iter()
            .filter_map(|(name, node)| {
                Some((Arc::clone(name), node.clone(), is_moved(name, node)?))
            })
            .collect();
        if moved.is_empty() {
            state.settled = confirmed;
        }
        for (name, node, owner) in moved {
            let from = state.nodes.get(&node).map(|shard| Arc::clone(&shard.session));
            let withdrawn = from.and_then(|session| session.withdraw(Kind::Sharded, &name));
            let Some((handover, since)) = withdrawn else {
                state.channels.remove(&name);
                continue;
            };
            let since = since.into_iter().chain(state.settled).min();
            let since = since.unwrap_or_else(SystemTime::now);
            // The node that was asked may have known of it later.
            let since = since.checked_sub(Cluster::GOSSIP).unwrap_or(since);
            if map.masters().contains(&node) {
                self.session(&mut state, &owner).adopt(handover, Some(since));
                state.channels.insert(name, owner);
            } else {
                self.lobby.adopt(handover, Some(since));
                state.channels.remove(&name);
                state.resting.insert(name, now + Cluster::BUS);
            }
        }
        let idle = state.nodes.extract_if(|_, shard| shard.session.is_empty());
        let idle: Vec<_> = idle.map(|(_, shard)| shard).collect();
        let rested = state.resting.values().min().copied();
        drop(state);
        for shard in idle {
            shard.task.abort();
            self.fleet.left(shard.number, &self.link);
        }
        rested
    }

    /// The session of a node.
    fn session(&self, state: &mut State, address: &Address) -> Arc<MailboxSession> {
        if let Some(shard) = state.nodes.get(address) {
            return Arc::clone(&shard.session);
        }
        state.last += 1;
        let number = state.last;
        let link = self.link.part(&self.fleet, number);
        let shards = Weak::clone(&self.me);
        let subscriber = MailboxSubscriber::of_shard(link.clone(), shards, address.clone());
        let session = Session::new(subscriber);
        let place = Arc::new(Place::Node(Node::new(Arc::clone(&self.cluster), address)));
        let running = Arc::clone(&session);
        let run = move || Arc::clone(&running).run(Arc::clone(&place));
        let task = self.runtime.spawn(supervise(link, "subscriber's session", run));
        let shard = Shard { session: Arc::clone(&session), task, number };
        state.nodes.insert(address.clone(), shard);
        session
    }

    /// See [`Session::subscribe`].
    pub(super) fn subscribe(
        &self,
        name: &str,
        consumer: Arc<dyn Consumer>,
        need: Need,
        ticket: Option<u32>,
    ) {
        let mut state = self.lock();
        let known = state.channels.get(name).cloned();
        let owner = || self.cluster.map().owner(slot_of(name.as_bytes())).cloned();
        let is_waiting = state.closed || self.lobby.wants(Kind::Sharded, name);
        let session = match known.or_else(owner).filter(|_| !is_waiting) {
            Some(node) => {
                state.channels.insert(Arc::from(name), node.clone());
                self.session(&mut state, &node)
            }
            None => Arc::clone(&self.lobby),
        };
        // With the lock: a session that wants nothing may be ended at any other time.
        session.subscribe(Kind::Sharded, name, consumer, need, ticket);
        drop(state);
        self.wanted.notify_one();
    }

    /// See [`Session::unsubscribe`].
    pub(super) fn unsubscribe(
        &self,
        name: &str,
        consumer: &Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) {
        let mut state = self.lock();
        let node = state.channels.get(name).and_then(|node| state.nodes.get(node));
        let session = Arc::clone(node.map_or(&self.lobby, |node| &node.session));
        session.unsubscribe(Kind::Sharded, name, consumer, ticket);
        if !session.wants(Kind::Sharded, name) {
            state.channels.remove(name);
        }
    }

    /// Takes over what a session wants that does not lead to one node.
    pub(super) fn take_over(&self, session: &MailboxSession) {
        for name in session.names(Kind::Sharded) {
            if let Some((handover, _)) = session.withdraw(Kind::Sharded, &name) {
                self.lobby.adopt(handover, None);
            }
        }
        self.wanted.notify_one();
    }

    /// Whether the error that answered a subscription says that the channel has another owner.
    pub(super) fn redirects(&self, channel: &str, reply: &str, asked: &Address) -> bool {
        let Some(Redirection::Moved(slot, owner)) = redirection(reply, &asked.host) else {
            return false;
        };
        if slot != slot_of(channel.as_bytes()) {
            return false;
        }
        if let Some(owner) = self.cluster.led(owner) {
            self.cluster.learn(slot, owner);
        }
        self.cluster.look_at(asked.clone());
        self.wanted.notify_one();
        true
    }

    /// A node has ended a subscription: its slot may have another owner.
    pub(super) fn ended(&self, node: &Address) {
        self.cluster.look_at(node.clone());
    }

    /// See [`Session::refuses`].
    pub(super) fn refuses(&self, name: &str) -> bool {
        let state = self.lock();
        let node = state.channels.get(name).and_then(|node| state.nodes.get(node));
        node.map_or(&self.lobby, |node| &node.session).refuses(Kind::Sharded, name)
    }

    /// See [`Session::proven_at`]: the oldest of all nodes.
    pub(super) fn proven(&self) -> Option<SystemTime> {
        let state = self.lock();
        let all: Option<Vec<_>> =
            state.nodes.values().map(|shard| shard.session.proven_at()).collect();
        all?.into_iter().min()
    }

    /// See [`Session::refused_names`].
    pub(super) fn refused_names(&self, most: usize) -> Vec<String> {
        let state = self.lock();
        let names = state.nodes.values().flat_map(|shard| shard.session.refused_names(most));
        names.take(most).collect()
    }

    /// Whose nodes it subscribes on.
    pub(super) const fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Wants nothing any more; see [`Session::close`].
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        self.lobby.close();
        state.nodes.values().for_each(|shard| shard.session.close());
    }

    /// Waits until nothing more can come.
    pub(super) async fn finish(&self) {
        let nodes: Vec<_> = self.lock().nodes.drain().map(|(_, shard)| shard).collect();
        for shard in nodes {
            shard.task.abort();
            let _ = shard.task.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.nodes.values().for_each(|shard| shard.task.abort());
    }
}

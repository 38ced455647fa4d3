//! Brings requests to the nodes of a cluster that own their slots.
//!
//! ```text
//!   send ─▶ the owner's outbox ─▶ its writer ─▶ answered
//!    │                               │ MOVED, ASK, CLUSTERDOWN, …, or the node is no master any more
//!    └──────▶ lobby ◀────────────────┘
//!               │ what went before it in its slot is answered, and the owner is known
//!               └─▶ the owner's outbox
//! ```
//!
//! So requests of one slot are done in the order in which they were made, whatever becomes of the slot
//! meanwhile.

mod lane;
mod lobby;
mod nodes;
mod scatter;
mod slots;

pub(super) use self::lane::Lane;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout_at};

use self::lane::Stage;
use self::nodes::NodeWriter;
use self::slots::Slots;
use super::fleet::Fleet;
use super::item::Item;
use super::link_events::LinkEvents;
use super::outbox::Outbox;
use super::queue::QueueLimits;
use super::supervisor::supervise;
use super::writer::Writer;
use crate::connection::{Address, Cluster, slot_of};
use crate::error::Error;

/// Routes requests to the nodes of one cluster.
pub(super) struct Router {
    // For itself, and for what it hands out.
    me: Weak<Self>,
    cluster: Arc<Cluster>,
    runtime: Handle,
    link: LinkEvents,
    fleet: Arc<Fleet>,
    limits: QueueLimits,
    command_timeout: Duration,
    // Where requests wait that cannot be sent to an owner yet.
    lobby: Writer,
    // A plain mutex: held for a look or a change.
    state: Mutex<State>,
    // Something may have become ready to leave the lobby.
    wanted: Notify,
    // Nothing is under way any more.
    idle: Notify,
}

#[derive(Default)]
struct State {
    nodes: HashMap<Address, Arc<NodeWriter>>,
    // Of replicas, which are asked who subscribes there.
    replicas: HashMap<Address, Arc<NodeWriter>>,
    slots: Slots,
    // The number that was last given, to a request or a node.
    last: u64,
}

impl Router {
    /// A router to the nodes of `cluster`, and its task.
    pub(super) fn start(
        cluster: Arc<Cluster>,
        runtime: &Handle,
        link: LinkEvents,
        limits: QueueLimits,
        command_timeout: Duration,
    ) -> (Arc<Self>, JoinHandle<()>) {
        let router = Arc::new_cyclic(|me| {
            let lobby = Outbox::new(limits, command_timeout, link.clone());
            Self {
                me: Weak::clone(me),
                cluster,
                runtime: runtime.clone(),
                fleet: Arc::new(Fleet::default()),
                link: link.clone(),
                limits,
                command_timeout,
                lobby: Writer::new(Arc::new(lobby)),
                state: Mutex::default(),
                wanted: Notify::new(),
                idle: Notify::new(),
            }
        });
        let running = Arc::downgrade(&router);
        let run = move || Self::run(Weak::clone(&running));
        let task = runtime.spawn(supervise(link, "router", run));
        (router, task)
    }

    /// Sends a request to the owner of its slot, or to all nodes.
    pub(super) fn send(&self, item: Item) {
        let slot = item.request.key().map(|key| slot_of(&key));
        match slot {
            Some(slot) => self.send_to_owner(slot, item),
            None => self.ask_all(item),
        }
    }

    /// A place among the requests of a slot.
    fn lane(&self, slot: u16, number: u64, stage: Stage, redirected: u32) -> Lane {
        let (router, asks, is_back) = (Weak::clone(&self.me), None, false);
        Lane { router, slot, number, stage, asks, redirected, is_back }
    }

    fn send_to_owner(&self, slot: u16, mut item: Item) {
        let owner = self.cluster.map().owner(slot).cloned();
        let mut all = self.lock();
        all.last += 1;
        let number = all.last;
        // Asked under the lock: what is sent before the end has a place that `finish` waits for.
        let is_open = !self.lobby.outbox.is_closing();
        let stage = all.slots.admit(slot, owner.as_ref(), is_open, Instant::now());
        drop(all);
        item.lane = Some(self.lane(slot, number, stage, 0));
        match owner {
            Some(owner) if stage == Stage::UnderWay => self.node(&owner).writer.outbox.adopt(item),
            _ => {
                self.lobby.outbox.adopt(item);
                self.wanted.notify_one();
            }
        }
    }

    /// Whether it has sent anything.
    pub(super) fn is_used(&self) -> bool {
        !self.lock().nodes.is_empty()
    }

    /// How many requests wait or are under way, and the bytes of those that wait.
    pub(super) fn depth(&self) -> (usize, usize) {
        let nodes: Vec<_> = self.lock().nodes.values().cloned().collect();
        let outboxes = nodes.iter().map(|node| &node.writer.outbox);
        outboxes
            .chain([&self.lobby.outbox])
            .map(|outbox| outbox.depth())
            .fold((0, 0), |(messages, bytes), (more, of)| (messages + more, bytes + of))
    }

    /// Whose nodes it brings requests to.
    pub(super) const fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Accepts no more.
    pub(super) fn close(&self) {
        self.lobby.outbox.close();
    }

    /// Waits until all is answered, for at most as long as until `deadline`, and drops what is left.
    pub(super) async fn finish(&self, deadline: Instant) {
        while !self.lock().slots.is_empty() {
            if timeout_at(deadline, self.idle.notified()).await.is_err() {
                break;
            }
        }
        let nodes: Vec<_> = {
            let State { nodes, replicas, .. } = &mut *self.lock();
            nodes.drain().chain(replicas.drain()).map(|(_, node)| node).collect()
        };
        for node in nodes {
            node.stop().await;
            node.writer.abandon();
        }
        self.lobby.abandon();
        for ticket in self.lobby.outbox.take_expected() {
            self.lobby.events().fail(ticket, &Error::Closed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let state = self.lock();
        for node in state.nodes.values().chain(state.replicas.values()) {
            node.task().iter().for_each(JoinHandle::abort);
        }
    }
}

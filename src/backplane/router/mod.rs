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

mod lanes;
mod nodes;

pub(super) use self::lanes::Lane;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep, timeout, timeout_at};

use self::lanes::{Slot, Stage};
use self::nodes::NodeWriter;
use super::fleet::Fleet;
use super::gather::{Gather, Part, Role};
use super::link_events::LinkEvents;
use super::outbox::{Item, Outbox, QueueLimits};
use super::request::{Command, Request, Route};
use super::supervisor::supervise;
use super::writer::Writer;
use crate::connection::{Address, Cluster, Redirection, redirection, slot_of};
use crate::error::Error;
use crate::event_loop::Outcome;

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
    // A plain mutex: held for a look or a change, never while an outbox is called.
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
    slots: HashMap<u16, Slot>,
    // The owner of each slot when something was last sent to it.
    owners: HashMap<u16, Address>,
    last: u64,
}

impl State {
    /// Pauses a slot that has another owner than when something was last sent to it.
    fn pause_if_moved(&mut self, slot: u16, owner: Option<&Address>, now: Instant) {
        let Some(owner) = owner else { return };
        match self.owners.get(&slot) {
            Some(before) if before == owner => return,
            Some(_) => {
                let queue = self.slots.entry(slot).or_default();
                queue.has_moved = true;
                queue.pause_if_idle(now);
            }
            None => {}
        }
        self.owners.insert(slot, owner.clone());
    }
}

impl Router {
    /// Between two attempts to send what a cluster in change has sent back.
    const PAUSE: Duration = Duration::from_millis(100);
    /// How long a node that is no master any more may take to answer what it has.
    const GRACE: Duration = Duration::from_secs(1);
    /// How long replicas are waited for where the masters have answered.
    const REPLICAS: Duration = Duration::from_secs(1);
    /// A request that was sent on this often is sent with a pause.
    const MAX_HASTE: u32 = 5;

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
            Some(slot) => self.send_to(slot, item),
            None => self.ask_all(item),
        }
    }

    /// A place among the requests of a slot.
    fn lane(&self, slot: u16, number: u64, stage: Stage, redirected: u32) -> Lane {
        let (router, asks, is_back) = (Weak::clone(&self.me), None, false);
        Lane { router, slot, number, stage, asks, redirected, is_back }
    }

    fn send_to(&self, slot: u16, mut item: Item) {
        let owner = self.cluster.map().owner(slot).cloned();
        let mut all = self.lock();
        all.last += 1;
        let number = all.last;
        let now = Instant::now();
        all.pause_if_moved(slot, owner.as_ref(), now);
        let queue = all.slots.entry(slot).or_default();
        let is_free = queue.waiting == 0 && queue.allowed(owner.as_ref(), now) > 0;
        let owner = owner.filter(|_| is_free && !self.lobby.outbox.is_closing());
        let stage = if owner.is_some() { Stage::UnderWay } else { Stage::Waiting };
        queue.enter(stage, owner.as_ref());
        drop(all);
        item.lane = Some(self.lane(slot, number, stage, 0));
        if let Some(owner) = owner {
            self.node(&owner).writer.outbox.adopt(item);
        } else {
            self.lobby.outbox.adopt(item);
            self.wanted.notify_one();
        }
    }

    /// Asks all nodes, and puts their answers together: clients may subscribe on replicas, as those of
    /// ioredis do.
    fn ask_all(&self, item: Item) {
        let Item { request: Request::Command(command), ticket: Some(ticket), queued, .. } = item
        else {
            return;
        };
        let map = self.cluster.map();
        let (masters, replicas) = (map.masters(), map.replicas());
        if masters.is_empty() {
            // As long as no node is known, the command waits as others do.
            return self.send_to(0, Item::new(Request::Command(command), Some(ticket), queued));
        }
        self.lobby.outbox.expect(ticket, queued);
        let gather = Gather::new(&command, masters.len(), replicas.len());
        let part = |of| {
            let (name, args) = (command.name, command.args.clone());
            let route = Route::Publisher;
            let request = Request::Command(Command { name, args, route, reading: None });
            let mut item = Item::new(request, None, queued);
            item.part = Some(Part::new(Arc::clone(&gather), Weak::clone(&self.me), ticket, of));
            item
        };
        for master in masters {
            self.node(master).writer.outbox.adopt(part(Role::Master));
        }
        for replica in replicas {
            self.replica(replica).writer.outbox.adopt(part(Role::Replica));
        }
        if !replicas.is_empty() {
            let router = Weak::clone(&self.me);
            self.runtime.spawn(async move {
                sleep(Self::REPLICAS).await;
                gather.forgo(&router, ticket);
            });
        }
    }

    /// All masters have answered.
    pub(super) fn gathered(&self, ticket: u32, outcome: Result<String, Error>) {
        if self.lobby.outbox.claim(ticket) {
            match outcome {
                Ok(list) => self.lobby.events().reply(ticket, Outcome::List(&list)),
                Err(error) => self.lobby.events().fail(ticket, &error),
            }
        }
    }

    /// Takes a request back that the node at `asked` has answered with the error `reply`, and gives it
    /// back where that is no redirection.
    pub(super) fn redirected(&self, item: Item, reply: &str, asked: &Address) -> Option<Item> {
        let (Some(lane), Some(redirection)) = (&item.lane, redirection(reply, &asked.host)) else {
            return Some(item);
        };
        if item.queued.elapsed() >= self.command_timeout {
            return Some(item);
        }
        let (mut slot, number, redirected) = (lane.slot, lane.number, lane.redirected + 1);
        let mut asks = None;
        let is_hasty = redirection != Redirection::Later && redirected < Self::MAX_HASTE;
        match redirection {
            Redirection::Moved(moved, address) => {
                slot = moved;
                if let Some(address) = self.cluster.led(address) {
                    self.cluster.learn(moved, address);
                }
                self.cluster.look_at(asked.clone());
            }
            Redirection::Ask(address) => asks = self.cluster.led(address),
            Redirection::Later => self.cluster.look_at(asked.clone()),
        }
        if !is_hasty {
            self.put_off(slot, asked);
        }
        let mut lane = self.lane(slot, number, Stage::Waiting, redirected);
        lane.asks = asks;
        self.wait(item, lane);
        if is_hasty {
            self.wanted.notify_one();
        }
        None
    }

    /// A node does not serve a slot now and may at any moment: what it is sent next, after a pause, must be what
    /// goes before all else.
    fn put_off(&self, slot: u16, node: &Address) {
        let node = {
            let mut all = self.lock();
            let queue = all.slots.entry(slot).or_default();
            queue.paused = Some(Instant::now() + Self::PAUSE);
            if std::mem::replace(&mut queue.is_put_off, true) {
                return;
            }
            all.nodes.get(node).cloned()
        };
        if let Some(node) = node {
            let is_of_slot = |lane: &Lane| lane.slot == slot;
            self.take_from(&node, |item| item.lane.as_ref().is_some_and(is_of_slot));
        }
    }

    /// Has a request wait in the lobby, in a place among those of its slot.
    fn wait(&self, mut item: Item, lane: Lane) {
        self.lock().slots.entry(lane.slot).or_default().enter(Stage::Waiting, None);
        // It has a place all the time, so that nothing overtakes it.
        let mut before = item.lane.replace(lane);
        if let Some(before) = &mut before {
            before.is_back = true;
        }
        self.lobby.outbox.take_back(item);
        drop(before);
    }

    fn leave(&self, lane: &Lane) {
        let mut all = self.lock();
        let Some(queue) = all.slots.get_mut(&lane.slot) else { return };
        queue.leave(lane.stage, lane.is_back);
        queue.pause_if_idle(Instant::now());
        if queue.waiting == 0 && queue.under_way == 0 {
            all.slots.remove(&lane.slot);
            if all.slots.is_empty() {
                self.idle.notify_one();
            }
        } else if queue.under_way > 0 {
            return;
        }
        drop(all);
        self.wanted.notify_one();
    }

    async fn run(router: Weak<Self>) {
        let Some(mut changes) = router.upgrade().map(|router| router.cluster.changes()) else {
            return;
        };
        loop {
            let Some(this) = router.upgrade() else { return };
            this.cluster.watch();
            this.let_go();
            let has_waiting = this.flush();
            tokio::select! {
                () = changes.next() => {}
                () = this.wanted.notified() => {}
                () = sleep(Self::PAUSE), if has_waiting => {}
                () = this.lobby.expire() => {}
            }
        }
    }

    /// Sends what may leave the lobby. Whether something is left.
    fn flush(&self) -> bool {
        let map = self.cluster.map();
        let now = Instant::now();
        let mut allowed: HashMap<u16, usize> = {
            let mut state = self.lock();
            let waiting = state.slots.iter().filter(|(_, queue)| queue.waiting > 0);
            for slot in waiting.map(|(slot, _)| *slot).collect::<Vec<_>>() {
                state.pause_if_moved(slot, map.owner(slot), now);
            }
            let allowed =
                |(slot, queue): (&u16, &Slot)| (*slot, queue.allowed(map.owner(*slot), now));
            state.slots.iter().map(allowed).collect()
        };
        let mut may_go = |lane: &Lane| match allowed.get_mut(&lane.slot) {
            Some(left) => {
                let may_go = *left > 0;
                *left -= usize::from(may_go);
                may_go
            }
            None => false,
        };
        let may_go = |item: &Item| item.lane.as_ref().is_none_or(&mut may_go);
        for mut item in self.lobby.outbox.take_if(may_go) {
            let Some(lane) = item.lane.take() else { continue };
            let Some(owner) = map.owner(lane.slot) else { continue };
            let asks = lane.asks.clone();
            let stage = if asks.is_some() { Stage::Asking } else { Stage::UnderWay };
            self.lock().slots.entry(lane.slot).or_default().enter(stage, Some(owner));
            item.lane = Some(self.lane(lane.slot, lane.number, stage, lane.redirected));
            let node = self.node(asks.as_ref().unwrap_or(owner));
            match item.request {
                Request::Command(Command { route: Route::Publisher, .. }) => self.ask_all(item),
                _ => node.writer.outbox.take_back(item),
            }
            // Until now what comes later had to wait.
            drop(lane);
        }
        self.lobby.report_losses();
        self.lobby.outbox.depth().0 > 0
    }

    /// Takes back what waits for nodes that are no masters any more.
    fn let_go(&self) {
        let map = self.cluster.map();
        let gone: Vec<_> = {
            let mut state = self.lock();
            let State { nodes, replicas, .. } = &mut *state;
            let nodes = nodes.extract_if(|address, _| !map.masters().contains(address));
            let replicas = replicas.extract_if(|address, _| !map.replicas().contains(address));
            let gone: Vec<_> = nodes.chain(replicas).collect();
            // What comes later waits for what they have, also where a node is a master again at once.
            let is_gone = |node: &Address| gone.iter().any(|(address, _)| address == node);
            for slot in state.slots.values_mut() {
                slot.node = slot.node.take().filter(|node| !is_gone(node));
            }
            gone.into_iter().map(|(_, node)| node).collect()
        };
        for node in gone {
            self.take_from(&node, |_| true);
            node.writer.outbox.close();
            if let Some(router) = self.me.upgrade() {
                self.runtime.spawn(async move { router.retire(&node).await });
            }
        }
    }

    /// Leaves a node once it has answered what it has, so that it does not publish that behind what comes
    /// later.
    async fn retire(&self, node: &NodeWriter) {
        let _ = timeout(Self::GRACE, node.writer.outbox.finished()).await;
        node.stop().await;
        self.fleet.left(node.number, &self.link);
        self.take_from(node, |_| true);
        node.writer.report_losses();
    }

    /// Takes back what waits for a node.
    fn take_from(&self, node: &NodeWriter, wanted: impl Fn(&Item) -> bool) {
        for item in node.writer.outbox.take_if(wanted) {
            if let Some(&Lane { slot, number, redirected, .. }) = item.lane.as_ref() {
                self.wait(item, self.lane(slot, number, Stage::Waiting, redirected));
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

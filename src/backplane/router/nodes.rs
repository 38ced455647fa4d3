//! The nodes that requests are brought to: they are met when something is sent to them, and left when they
//! are not of the cluster any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};

use super::lane::{Lane, Stage};
use super::{Router, State};
use crate::backplane::item::Item;
use crate::backplane::link_events::LinkEvents;
use crate::backplane::outbox::Outbox;
use crate::backplane::supervisor::supervise;
use crate::backplane::writer::Writer;
use crate::connection::{Address, Cluster, Node, Place};

/// How long a node that is no master any more may take to answer what it has.
const GRACE: Duration = Duration::from_secs(1);

/// The writer of one node.
pub(super) struct NodeWriter {
    pub(super) writer: Arc<Writer>,
    task: Mutex<Option<JoinHandle<()>>>,
    number: u64,
}

impl Router {
    /// The writer of the node at an address.
    pub(super) fn node(&self, address: &Address) -> Arc<NodeWriter> {
        let mut state = self.lock();
        if let Some(node) = state.nodes.get(address) {
            return Arc::clone(node);
        }
        let link = self.link.part(&self.fleet, state.last + 1);
        let node = self.start_node(&mut state, address, link, Node::new);
        state.nodes.insert(address.clone(), Arc::clone(&node));
        node
    }

    fn start_node(
        &self,
        state: &mut State,
        address: &Address,
        link: LinkEvents,
        place: impl FnOnce(Arc<Cluster>, &Address) -> Node,
    ) -> Arc<NodeWriter> {
        state.last += 1;
        let number = state.last;
        let outbox = Arc::new(Outbox::new(self.limits, self.command_timeout, link.clone()));
        let writer = Arc::new(Writer::routed(outbox, Weak::clone(&self.me), address));
        let connector = Arc::new(Place::Node(place(Arc::clone(&self.cluster), address)));
        let running = Arc::clone(&writer);
        let run = move || Arc::clone(&running).run(Arc::clone(&connector));
        let task = Mutex::new(Some(self.runtime.spawn(supervise(link, "writer", run))));
        Arc::new(NodeWriter { writer, task, number })
    }

    /// The writer of the replica at an address.
    pub(super) fn replica(&self, address: &Address) -> Arc<NodeWriter> {
        let mut state = self.lock();
        if let Some(node) = state.replicas.get(address) {
            return Arc::clone(node);
        }
        let node = self.start_node(&mut state, address, self.link.quiet(), Node::any);
        state.replicas.insert(address.clone(), Arc::clone(&node));
        node
    }

    /// Takes back what waits for nodes that are no masters any more.
    pub(super) fn retire_nodes(&self) {
        let map = self.cluster.map();
        let gone: Vec<_> = {
            let mut state = self.lock();
            let State { nodes, replicas, .. } = &mut *state;
            let nodes = nodes.extract_if(|address, _| !map.masters().contains(address));
            let replicas = replicas.extract_if(|address, _| !map.replicas().contains(address));
            let gone: Vec<_> = nodes.chain(replicas).collect();
            let is_gone = |node: &Address| gone.iter().any(|(address, _)| address == node);
            state.slots.forget(is_gone);
            gone.into_iter().map(|(_, node)| node).collect()
        };
        for node in gone {
            self.take_back_from(&node, |_| true);
            node.writer.outbox.close();
            if let Some(router) = self.me.upgrade() {
                self.runtime.spawn(async move { router.retire(&node).await });
            }
        }
    }

    /// Leaves a node once it has answered what it has, so that it does not publish that behind what comes
    /// later.
    async fn retire(&self, node: &NodeWriter) {
        let _ = timeout(GRACE, node.writer.outbox.finished()).await;
        node.stop().await;
        self.fleet.left(node.number, &self.link);
        self.take_back_from(node, |_| true);
        node.writer.report_losses();
    }

    /// Takes back what waits for a node.
    pub(super) fn take_back_from(&self, node: &NodeWriter, wanted: impl Fn(&Item) -> bool) {
        for item in node.writer.outbox.take_if(wanted) {
            if let Some(&Lane { slot, number, redirected, .. }) = item.lane.as_ref() {
                self.send_to_lobby(item, self.lane(slot, number, Stage::Waiting, redirected));
            }
        }
    }
}

impl NodeWriter {
    pub(super) fn task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends its task. What it had under way is back in its outbox then, or counted.
    pub(super) async fn stop(&self) {
        let task = self.task().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }
}

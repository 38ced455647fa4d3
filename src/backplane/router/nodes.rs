//! The nodes that requests are brought to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::task::JoinHandle;

use super::{Router, State};
use crate::backplane::link_events::LinkEvents;
use crate::backplane::outbox::Outbox;
use crate::backplane::supervisor::supervise;
use crate::backplane::writer::Writer;
use crate::connection::{Address, Cluster, Node, Place};

/// The writer of one node.
pub(super) struct NodeWriter {
    pub(super) writer: Arc<Writer>,
    pub(super) task: Mutex<Option<JoinHandle<()>>>,
    pub(super) number: u64,
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

//! What a backplane says of its connections and queues.

use std::sync::Arc;

use super::Backplane;
use super::router::Router;
use super::routers::Routers;

/// How full the queues are, each as (messages, bytes).
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Publishes, and commands that go to the same server or cluster.
    pub publish: (usize, usize),
    /// Commands that go elsewhere.
    pub command: (usize, usize),
    /// Messages for the event loop.
    pub mailbox: (usize, usize),
}

impl Backplane {
    /// State and endpoint of the connections that publish, subscribe and carry commands.
    #[must_use]
    pub fn links(&self) -> [(&'static str, String); 3] {
        let links = &self.events.links;
        let (publisher, other) = self.each_router();
        let is_routed = publisher.into_iter().chain(other).any(|router| router.is_used());
        let own = self.commander.get().is_some() || is_routed;
        let commander = if own { &links.commander } else { &links.publisher };
        [&links.publisher, &links.subscriber, commander].map(|link| (link.name(), link.endpoint()))
    }

    /// How full the queues are.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let add = |(messages, bytes), (more, of): (usize, usize)| (messages + more, bytes + of);
        let routed = |router: Option<&Arc<Router>>| router.map_or((0, 0), |router| router.depth());
        let commands = self.commander.get().map_or((0, 0), |outbox| outbox.depth());
        let (publisher, other) = self.each_router();
        Snapshot {
            publish: self.without_beats(add(self.publisher.depth(), routed(publisher))),
            command: add(commands, routed(other)),
            mailbox: self.events.mailbox.depth(),
        }
    }

    /// What applications have queued: heartbeats are none of it.
    fn without_beats(&self, (messages, bytes): (usize, usize)) -> (usize, usize) {
        let beats = self.heartbeat.get().map_or(0, |heartbeat| heartbeat.queued());
        (messages.saturating_sub(beats), bytes)
    }

    fn each_router(&self) -> (Option<&Arc<Router>>, Option<&Arc<Router>>) {
        self.routers.get().map_or((None, None), Routers::each)
    }
}

//! The streams that a backplane reads.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Backplane;
use super::event_sink::EventSink;
use super::link_events::LinkEvents;
use super::subscriber::MailboxSubscriber;
use super::supervisor::supervise;
use crate::connection::{Cluster, Endpoint, Owner, Place};
use crate::error::Error;
use crate::event_loop::{Link, Outcome};
use crate::streams::{EntryConsumer, ReadOptions, Reader, Recent, Registry};

/// Streams that are read: on one connection, or in a cluster on one for each stream.
pub struct Streams {
    names: Vec<String>,
    options: ReadOptions,
    registry: Arc<Registry>,
    recent: Arc<Recent>,
    events: Arc<EventSink>,
}

/// Numbers of connections in the fleet of those that subscribe: above those of other ones.
const FIRST: u64 = 1 << 32;

impl Streams {
    pub(super) fn new(
        names: Vec<String>,
        options: ReadOptions,
        events: Arc<EventSink>,
    ) -> Arc<Self> {
        let recent = Arc::new(Recent::new(names.len()));
        Arc::new(Self { names, options, registry: Arc::default(), recent, events })
    }

    /// Reads, in the background; without names there is nothing to read.
    pub(super) fn start(
        &self,
        backplane: &Backplane,
        endpoint: &Endpoint,
        cluster: Option<&Arc<Cluster>>,
    ) -> Vec<JoinHandle<()>> {
        let parts = match cluster {
            None if self.names.is_empty() => Vec::new(),
            None => vec![(Place::new(endpoint.clone()), self.names.clone())],
            Some(cluster) => {
                let owner = |name: &String| {
                    let owner = Owner::new(Arc::clone(cluster), name);
                    (Place::Owner(owner), vec![name.clone()])
                };
                self.names.iter().map(owner).collect()
            }
        };
        let spawn = |(number, (place, names))| {
            let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
            let link = link.part(&backplane.subscribers, number);
            let subscriber = MailboxSubscriber::new(link.clone());
            let (registry, recent) = (Arc::clone(&self.registry), Arc::clone(&self.recent));
            let reader = Reader::new(subscriber, names, self.options, registry, recent);
            let connector = Arc::new(backplane.steered(place));
            let run = move || Arc::clone(&reader).run(Arc::clone(&connector));
            backplane.runtime.spawn(supervise(link, "reader of streams", run))
        };
        (FIRST..).zip(parts).map(spawn).collect()
    }

    /// Has `consumer` get the entries for a namespace.
    pub fn consume(&self, nsp: &str, consumer: &Arc<dyn EntryConsumer>) {
        self.registry.consume(nsp, consumer);
    }

    /// Takes that back.
    pub fn forget(&self, nsp: &str, consumer: &Arc<dyn EntryConsumer>) {
        self.registry.forget(nsp, consumer);
    }

    /// Settles a ticket once all that is added to a stream from then on will be read.
    pub fn confirm(&self, stream: &str, ticket: u32) {
        let Some(ticket) = self.registry.confirm(stream, ticket) else { return };
        if self.registry.is_closed() {
            self.events.fail(ticket, &Error::Closed);
        } else {
            self.events.settle(&[ticket]);
        }
    }

    /// Has nothing of a stream be handed out until [`Self::release`]. The reply under the ticket, behind all that was
    /// handed out, is the id of the last entry of that, or nothing where none was read yet.
    pub fn hold(&self, stream: &str, ticket: u32) {
        match self.registry.hold(stream, ticket) {
            Some(Some(last)) => {
                self.events.reply(ticket, Outcome::Bytes(last.to_string().as_bytes()));
            }
            Some(None) => self.events.settle(&[ticket]),
            None => {}
        }
    }

    /// Takes one [`Self::hold`] back.
    pub fn release(&self, stream: &str) {
        self.registry.release(stream);
    }

    /// The latest entries.
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    pub(super) fn close(&self) {
        for ticket in self.registry.close() {
            self.events.fail(ticket, &Error::Closed);
        }
    }
}

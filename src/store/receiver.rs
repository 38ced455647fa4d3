//! From what Redis sends to what the event loop gets.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Duration;

use super::reporter::{Reporter, Voice};
use super::throttle::Throttle;
use crate::delivery::{Counters, Entry, Event, Link, Reply};
use crate::error::Error;
use crate::model::{Args, Incoming, NodeId};
use crate::pubsub::{Route, Subscriber};
use crate::wire::store09;

/// Takes messages apart, drops the node's own, and puts the rest into the mailbox.
pub(super) struct Receiver {
    voice: Voice,
    node_id: NodeId,
    // Whether payloads go to JavaScript as they are, for the application's own `unpack`.
    raw: bool,
    malformed: Throttle,
}

impl Receiver {
    pub(super) fn new(reporter: Arc<Reporter>, node_id: NodeId, raw: bool) -> Self {
        let voice = Voice { reporter, link: Link::Sub };
        Self { voice, node_id, raw, malformed: Throttle::default() }
    }

    fn reporter(&self) -> &Reporter {
        &self.voice.reporter
    }

    fn deliver(&self, entry: &Entry<'_>) {
        Counters::count(&self.reporter().counters.delivered);
        self.reporter().mailbox.append(entry);
    }

    /// Counts a malformed message on `channel`, and tells it when it is time to.
    pub(super) fn ignore(&self, kind: &'static str, channel: &[u8]) {
        Counters::count(&self.reporter().counters.malformed);
        if let Some(count) = self.malformed.count(kind) {
            let channel = String::from_utf8_lossy(channel).into_owned();
            self.reporter().error(Link::Sub, Error::Malformed { kind, channel, count });
        }
    }
}

impl Subscriber for Receiver {
    fn has_room(&self) -> bool {
        self.reporter().mailbox.has_room()
    }

    async fn room(&self) {
        self.reporter().mailbox.room().await;
    }

    fn message(&self, route: Route, name: &[u8], payload: &[u8]) {
        Counters::count(&self.reporter().counters.received);
        let channel = route.channel;
        if self.raw {
            // Whether it is our own, and so is not delivered, shows in JavaScript.
            return self.reporter().mailbox.append(&Entry::Raw { channel, payload });
        }
        match store09::decode(payload, route.shape, &self.node_id) {
            Ok(Incoming::Own) => Counters::count(&self.reporter().counters.filtered_own),
            Ok(Incoming::Foreign(Args::Json(args))) => {
                self.deliver(&Entry::Args { channel, args: &args });
            }
            Ok(Incoming::Foreign(Args::Dispatch { room, packet, volatile, exceptions })) => {
                let (room, packet, exceptions) = (&*room, &*packet, &*exceptions);
                self.deliver(&Entry::Dispatch { channel, volatile, room, packet, exceptions });
            }
            Err(problem) => self.ignore(problem.kind(), name),
        }
    }

    fn rest(&self) {
        self.reporter().mailbox.ring();
    }

    fn settled(&self, tickets: &[u32]) {
        for &ticket in tickets {
            self.reporter().reply(ticket, Reply::Nil);
        }
    }

    fn connected(&self, gap_since: Option<SystemTime>) {
        self.voice.connected(gap_since.is_some());
        if let Some(since) = gap_since {
            self.reporter().tell(&Event::gap(Link::Sub, since, 0, 0));
        }
    }

    fn disconnected(&self, error: Error) {
        self.voice.disconnected(error);
    }

    fn retrying(&self, error: Option<Error>, attempt: u32, delay: Duration) {
        self.voice.retrying(error, attempt, delay);
    }

    fn refused(&self, error: Error) {
        self.reporter().error(Link::Sub, error);
    }
}

//! From what Redis sends to what the event loop gets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::time::{Duration, Instant};

use super::reporter::{Reporter, Voice};
use crate::delivery::{Counters, Entry, Event, Link, Reply, epoch_ms, ms};
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
    // A plain mutex: only the session's task takes it, and only for malformed messages.
    malformed: Mutex<HashMap<&'static str, Told>>,
}

struct Told {
    at: Instant,
    since: u64,
}

impl Receiver {
    /// Malformed messages of one kind are told at most this often.
    const QUIET: Duration = Duration::from_secs(60);

    pub(super) fn new(reporter: Arc<Reporter>, node_id: NodeId, raw: bool) -> Self {
        let voice = Voice { reporter, link: Link::Sub };
        Self { voice, node_id, raw, malformed: Mutex::default() }
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
        if let Some(count) = self.worth_telling(kind) {
            let channel = String::from_utf8_lossy(channel).into_owned();
            self.reporter().error(Some(Link::Sub), Error::Malformed { kind, channel, count });
        }
    }

    /// How many of `kind` there were since it was last told, when it is time to tell it again.
    fn worth_telling(&self, kind: &'static str) -> Option<u64> {
        let mut malformed = self.malformed.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let Some(told) = malformed.get_mut(kind) else {
            malformed.insert(kind, Told { at: now, since: 0 });
            return Some(1);
        };
        told.since += 1;
        if now.duration_since(told.at) < Self::QUIET {
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.since))
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
            let duration = ms(since.elapsed().unwrap_or_default());
            let (connection, since) = (Link::Sub, epoch_ms(since));
            self.reporter().tell(&Event::Gap {
                connection,
                since,
                duration,
                dropped: 0,
                unconfirmed: 0,
            });
        }
    }

    fn disconnected(&self, error: Error) {
        self.voice.disconnected(error);
    }

    fn retrying(&self, error: Option<Error>, attempt: u32, delay: Duration) {
        self.voice.retrying(error, attempt, delay);
    }

    fn refused(&self, error: Error) {
        self.reporter().error(Some(Link::Sub), error);
    }
}

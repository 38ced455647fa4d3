//! What the tasks report to the event loop, and what they count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use tokio::sync::{Notify, watch};
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};

use super::heartbeat::Heartbeat;
use super::throttle::Throttle;
use crate::error::Error;
use crate::event_loop::{
    ConnectionState, Counters, Drained, Entry, Event, Filter, Link, LinkState, Mailbox, Outcome,
    Reply,
};
use crate::websocket::{Broadcast, Connections, Fanout, MemberId, Reached, Waiting};

/// The states of a backplane's connections.
#[derive(Default)]
pub(super) struct Links {
    pub(super) publisher: LinkState,
    pub(super) subscriber: LinkState,
    /// Where commands do not share the publishing connection.
    pub(super) commander: LinkState,
}

impl Links {
    /// None of them will come back.
    pub(super) fn closed(&self) {
        for link in [&self.publisher, &self.subscriber, &self.commander] {
            link.change(ConnectionState::Closed);
        }
    }

    pub(super) const fn of(&self, link: Link) -> &LinkState {
        match link {
            Link::Pub => &self.publisher,
            Link::Sub => &self.subscriber,
            Link::Cmd => &self.commander,
        }
    }
}

/// The way to the event loop that all of a backplane's tasks share.
pub struct EventSink {
    pub(super) mailbox: Mailbox,
    pub(super) counters: Counters,
    pub(super) links: Links,
    // Since when the subscriber's connection is up; nothing while it is lost.
    pub(super) subscribed: watch::Sender<Option<Instant>>,
    // What waits until JavaScript has handled what is before it.
    waiting: Waiting,
    // What broadcasts are written to, once they are.
    connections: OnceLock<Arc<Connections>>,
    // What is to know of gaps that sessions tell of.
    heartbeat: OnceLock<Weak<Heartbeat>>,
    // All connections are to look for their servers anew, and since when theirs may have been wrong, until a
    // session tells of the gap.
    pub(super) anew: Notify,
    suspect: Mutex<Option<SystemTime>>,
    malformed: Throttle,
    pub(super) panics: Throttle,
    // Set with the event `close`, which is the last one.
    closed: AtomicBool,
}

impl EventSink {
    /// What is shown of a channel's name, in bytes: a peer may make it as long as a message.
    const MAX_CHANNEL: usize = 256;
    /// By how much other nodes may have their subscriptions back later.
    const REJOINING: Duration = Duration::from_millis(100);
    /// How long subscriptions are waited for at most.
    const REJOINED: Duration = Duration::from_millis(500);
    /// How long shards that cannot keep up are left alone.
    const WRITE_PAUSE: Duration = Duration::from_millis(1);

    pub(super) fn new(mailbox: Mailbox) -> Self {
        let (counters, links, waiting, connections) = Default::default();
        let (heartbeat, anew, suspect) = Default::default();
        let (malformed, panics, closed) = Default::default();
        Self {
            mailbox,
            counters,
            links,
            // Who has not connected yet is not waited for.
            subscribed: watch::Sender::new(Some(Instant::now())),
            waiting,
            connections,
            heartbeat,
            anew,
            suspect,
            malformed,
            panics,
            closed,
        }
    }

    /// Waits until the other nodes are likely to hear again what is published: where they all lose their
    /// server, they have their subscriptions back about when this one does.
    pub(super) async fn heard_again(&self, by_all: bool) {
        let later = if by_all { Self::REJOINING } else { Duration::ZERO };
        let mut subscribed = self.subscribed.subscribe();
        let back = async {
            let since = subscribed.wait_for(Option::is_some).await.ok().and_then(|since| *since);
            if let Some(since) = since {
                sleep_until(since + later).await;
            }
        };
        // The subscriber's server may be another one, that stays away.
        let _ = timeout(Self::REJOINED, back).await;
    }

    /// What is counted.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a message for the event loop and puts it into the mailbox; the session wakes the
    /// event loop for it.
    pub fn deliver(&self, entry: &impl Entry) {
        Counters::count(&self.counters.delivered);
        self.append(entry);
    }

    /// Puts a message into the mailbox that JavaScript counts.
    pub fn append(&self, entry: &impl Entry) {
        self.mailbox.append(entry);
    }

    /// Puts a message into the mailbox of which `filter` decides at the drain; see
    /// [`Mailbox::defer`].
    pub fn defer(&self, filter: &Arc<dyn Filter>, generation: u64, channel: &[u8], payload: &[u8]) {
        self.mailbox.defer(filter, generation, channel, payload);
    }

    /// Writes a broadcast of Redis to the native sockets of a namespace, or has it wait until JavaScript
    /// has handled what may change rooms before it. Calls back with what has become of it, with nothing
    /// when it waits: meanwhile the caller hands to JavaScript what is for its sockets; where it waits,
    /// always.
    pub fn fan_out<T>(
        &self,
        fanout: &Arc<Fanout>,
        broadcast: &Broadcast<'_>,
        callback: impl FnOnce(Option<Reached>) -> T,
    ) -> T {
        self.waiting.broadcast(&self.mailbox, fanout, broadcast, |reached| {
            if let Some(reached) = reached {
                self.count(reached);
            }
            callback(reached)
        })
    }

    /// The heartbeat is to know of gaps.
    pub(super) fn set_heartbeat(&self, heartbeat: &Arc<Heartbeat>) {
        self.heartbeat.get_or_init(|| Arc::downgrade(heartbeat));
    }

    /// A session is about to tell of a gap; returns since when messages may really be missing.
    pub(super) fn told(&self, since: SystemTime, until: SystemTime) -> SystemTime {
        let suspect = self.suspect.lock().unwrap_or_else(PoisonError::into_inner).take();
        let since = suspect.map_or(since, |suspect| suspect.min(since));
        self.heartbeat().map_or(since, |heartbeat| heartbeat.told(since, until))
    }

    pub(super) fn heartbeat(&self) -> Option<Arc<Heartbeat>> {
        self.heartbeat.get().and_then(Weak::upgrade)
    }

    /// Has all connections look for their servers anew: these may have been the wrong ones since then.
    pub(super) fn look_anew(&self, since: SystemTime) {
        let mut suspect = self.suspect.lock().unwrap_or_else(PoisonError::into_inner);
        *suspect = Some(suspect.map_or(since, |earlier| earlier.min(since)));
        drop(suspect);
        self.anew.notify_waiters();
    }

    fn count(&self, reached: Reached) {
        // Also where exceptions leave nobody: it must be counted somewhere.
        if reached.connections > 0 || (reached.anybody && !reached.javascript) {
            Counters::count(&self.counters.delivered_natively);
            Counters::add(&self.counters.native_writes, reached.connections as u64);
        }
    }

    /// Whether what [`Self::fan_out`] gets has to wait.
    pub fn is_gated(&self) -> bool {
        self.waiting.is_gated(&self.mailbox)
    }

    /// A member becomes native or JavaScript's: see [`Waiting::set_mode`].
    pub fn set_mode(&self, fanout: &Arc<Fanout>, member: MemberId, connection: u32) -> u64 {
        self.waiting.set_mode(&self.mailbox, fanout, member, connection)
    }

    /// Takes the oldest chunk: JavaScript has handled those that it has taken before.
    pub(super) fn drain(&self) -> Option<Drained> {
        self.waiting.release(&self.mailbox, |reached| self.count(reached));
        self.mailbox.drain()
    }

    /// Namespaces write to these connections from now on; where they cannot keep up, no more is read
    /// from Redis.
    pub fn use_connections(&self, connections: &Arc<Connections>) {
        self.connections.get_or_init(|| Arc::clone(connections));
    }

    /// Whether a further message may be brought.
    pub(super) fn has_capacity(&self) -> bool {
        self.mailbox.has_capacity() && self.waiting.has_capacity() && self.can_write()
    }

    fn can_write(&self) -> bool {
        self.connections.get().is_none_or(|connections| connections.has_capacity())
    }

    /// Waits until a further message may be brought.
    pub(super) async fn capacity(&self) {
        if self.has_capacity() {
            return;
        }
        while !self.has_capacity() {
            if self.can_write() {
                self.mailbox.next_drain().await;
            } else {
                // The shards have other work than to say so.
                sleep(Self::WRITE_PAUSE).await;
            }
        }
        // There may be several sessions.
        self.mailbox.pass_on();
    }

    /// As the session does when all that has arrived is with its consumers.
    #[cfg(test)]
    pub fn wake(&self) {
        self.mailbox.wake();
    }

    /// The number of the chunk that was begun last.
    #[cfg(test)]
    pub fn last_chunk(&self) -> u64 {
        self.mailbox.last_chunk()
    }

    /// How many broadcasts and changes of mode wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.waiting.depth().0
    }

    /// Counts a malformed message on `channel`, and reports it when it is time to.
    pub fn malformed(&self, kind: &'static str, channel: &[u8]) {
        Counters::count(&self.counters.malformed);
        if let Some(count) = self.malformed.count(kind) {
            let shown = channel.get(..Self::MAX_CHANNEL).unwrap_or(channel);
            let channel = String::from_utf8_lossy(shown).into_owned();
            self.error(Link::Sub, Error::Malformed { kind, channel, count });
        }
    }

    /// Answers the changes of subscriptions that have these tickets: they are done.
    pub fn settle(&self, tickets: &[u32]) {
        for &ticket in tickets {
            self.reply(ticket, Outcome::Nil);
        }
    }

    /// Emits an event; nothing follows [`Event::Close`].
    pub(super) fn emit(&self, event: &Event) {
        let closing = matches!(event, Event::Close);
        let closed = if closing {
            self.closed.swap(true, Ordering::Relaxed)
        } else {
            self.closed.load(Ordering::Relaxed)
        };
        if !closed {
            self.mailbox.push(event);
        }
    }

    /// Answers the request that has a ticket.
    pub fn reply(&self, ticket: u32, outcome: Outcome<'_>) {
        self.mailbox.push(&Reply { ticket, outcome });
    }

    pub(super) fn fail(&self, ticket: u32, error: &Error) {
        self.reply(ticket, Outcome::Error(&error.to_json()));
    }

    pub(super) fn error(&self, connection: Link, error: Error) {
        self.emit(&Event::Error { connection, error });
    }
}

//! What the tasks tell the event loop, and what they count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Duration;

use super::throttle::Throttle;
use crate::delivery::{Counters, Entry, Event, Link, LinkState, Mailbox, Reply, ms};
use crate::error::Error;

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
        [&self.publisher, &self.subscriber, &self.commander]
            .into_iter()
            .for_each(LinkState::closed);
    }

    const fn of(&self, link: Link) -> &LinkState {
        match link {
            Link::Pub => &self.publisher,
            Link::Sub => &self.subscriber,
            Link::Cmd => &self.commander,
        }
    }
}

/// The way to the event loop that all of a backplane's tasks share.
pub struct Reporter {
    pub(super) mailbox: Mailbox,
    pub(super) counters: Counters,
    pub(super) links: Links,
    malformed: Throttle,
    // Whether broadcasts wait for the event loop to take a turn.
    strays: AtomicBool,
}

impl Reporter {
    pub(super) fn new(mailbox: Mailbox) -> Self {
        let (counters, links, malformed, strays) = Default::default();
        Self { mailbox, counters, links, malformed, strays }
    }

    /// What is counted.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a message for the event loop and puts it into the mailbox; the session rings for it.
    pub fn deliver(&self, entry: &Entry<'_>) {
        Counters::count(&self.counters.delivered);
        self.append(entry);
    }

    /// Puts a message into the mailbox that JavaScript counts.
    pub fn append(&self, entry: &Entry<'_>) {
        self.mailbox.append(entry);
    }

    /// Whether the event loop still has to see to something that may have it join rooms.
    pub fn is_gated(&self) -> bool {
        self.mailbox.is_gated()
    }

    /// Wakes the event loop if there is something for it.
    pub fn ring(&self) {
        self.mailbox.ring();
    }

    /// Broadcasts wait for the event loop to take a turn.
    pub fn has_strays(&self) {
        self.strays.store(true, Ordering::Relaxed);
    }

    /// Whether any do, which they do not any more.
    pub fn take_strays(&self) -> bool {
        self.strays.swap(false, Ordering::Relaxed)
    }

    pub(super) fn are_strays(&self) -> bool {
        self.strays.load(Ordering::Relaxed)
    }

    /// Counts a malformed message on `channel`, and tells it when it is time to.
    pub fn ignore(&self, kind: &'static str, channel: &[u8]) {
        Counters::count(&self.counters.malformed);
        if let Some(count) = self.malformed.count(kind) {
            let channel = String::from_utf8_lossy(channel).into_owned();
            self.error(Link::Sub, Error::Malformed { kind, channel, count });
        }
    }

    /// Tells that the changes of subscriptions with these tickets are done.
    pub fn settle(&self, tickets: &[u32]) {
        for &ticket in tickets {
            self.reply(ticket, Reply::Nil);
        }
    }

    pub(super) fn tell(&self, event: &Event) {
        self.mailbox.push(&Entry::Event { json: &event.to_json() });
    }

    pub(super) fn reply(&self, request: u32, reply: Reply<'_>) {
        self.mailbox.push(&Entry::Reply { request, reply });
    }

    pub(super) fn fail(&self, request: u32, error: &Error) {
        self.reply(request, Reply::Error(&error.to_json()));
    }

    pub(super) fn error(&self, connection: Link, error: Error) {
        self.tell(&Event::Error { connection, error });
    }
}

/// One connection's voice.
#[derive(Clone)]
pub(super) struct Voice {
    pub(super) reporter: Arc<Reporter>,
    pub(super) link: Link,
}

impl Voice {
    fn state(&self) -> &LinkState {
        self.reporter.links.of(self.link)
    }

    fn endpoint(&self) -> String {
        self.state().endpoint().to_owned()
    }

    pub(super) fn connected(&self, again: bool) {
        self.state().connected();
        if again {
            Counters::count(&self.reporter.counters.reconnects);
        }
        let (connection, endpoint) = (self.link, self.endpoint());
        self.reporter.tell(&Event::Connect { connection, endpoint });
    }

    pub(super) fn disconnected(&self, error: Error) {
        self.state().reconnecting();
        let (connection, endpoint) = (self.link, self.endpoint());
        self.reporter.tell(&Event::Disconnect { connection, endpoint, error });
    }

    pub(super) fn retrying(&self, error: Option<Error>, attempt: u32, delay: Duration) {
        if let Some(error) = error {
            self.reporter.error(self.link, error);
        }
        let (connection, endpoint, delay) = (self.link, self.endpoint(), ms(delay));
        self.reporter.tell(&Event::Reconnecting { connection, endpoint, attempt, delay });
    }
}

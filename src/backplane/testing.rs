//! A writer of which a test sees all that it reports and counts.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Duration;

use super::event_sink::EventSink;
use super::link_events::LinkEvents;
use super::outbox::Outbox;
use super::queue::QueueLimits;
use super::request::{Addition, Command, Packed, Publication, Request, Route};
use super::supervisor::supervise;
use super::writer::Writer;
use crate::connection::testing::{Server, Servers, happens, servers};
use crate::event_loop::{Counters, EVENT, Limits, Link, Mailbox, Overflow, REPLY, reply_kind};

/// An entry for the stream `s`.
#[derive(Debug)]
struct Entry(Vec<u8>);

impl Addition for Entry {
    fn stream(&self) -> &'static str {
        "s"
    }

    fn args(&self) -> Result<Vec<Cow<'_, [u8]>>, String> {
        Ok(vec![Cow::Borrowed(&self.0)])
    }

    fn size(&self) -> usize {
        self.0.len()
    }
}

/// What reaches the event loop.
pub struct Inbox {
    pub events: Arc<EventSink>,
    woken: Arc<Notify>,
    unseen: VecDeque<String>,
}

impl Inbox {
    pub fn new() -> Self {
        let woken = Arc::new(Notify::new());
        let waker = Arc::clone(&woken);
        let limits = Limits { messages: 1000, bytes: 1 << 30, overflow: Overflow::Wait };
        let mailbox = Mailbox::new(limits, Box::new(move || waker.notify_one()));
        Self { events: Arc::new(EventSink::new(mailbox)), woken, unseen: VecDeque::new() }
    }

    pub fn link(&self) -> LinkEvents {
        LinkEvents::new(Arc::clone(&self.events), Link::Pub)
    }

    /// What has reached the event loop and is not yet seen.
    pub fn unseen(&mut self) -> Vec<String> {
        while let Some(drained) = self.events.mailbox.drain() {
            let (mut index, mut bytes) = (&*drained.chunk.index, &*drained.chunk.bytes);
            while let [kind, rest @ ..] = index {
                let (head, rest) = rest.split_at(if *kind == REPLY { 2 } else { 0 });
                let (length, rest) = rest.split_first().unwrap();
                let (text, others) = bytes.split_at(*length as usize);
                (index, bytes) = (rest, others);
                let text = String::from_utf8_lossy(text);
                self.unseen.push_back(match *kind {
                    EVENT => event(&text),
                    REPLY => reply(head[0], head[1], &text),
                    kind => panic!("{kind}"),
                });
            }
        }
        self.unseen.drain(..).collect()
    }

    /// What reaches it next.
    pub async fn next(&mut self) -> String {
        loop {
            let unseen = self.unseen();
            self.unseen.extend(unseen);
            if let Some(next) = self.unseen.pop_front() {
                return next;
            }
            happens(self.woken.notified()).await;
        }
    }

    /// Sees that these come next.
    pub async fn expect(&mut self, labels: &[&str]) {
        for label in labels {
            assert_eq!(self.next().await, *label);
        }
    }

    /// What was counted: published, dropped, unconfirmed.
    pub fn counts(&self) -> [u64; 3] {
        let Counters { published, dropped, unconfirmed, .. } = self.events.counters();
        [published, dropped, unconfirmed].map(Counters::read)
    }
}

fn code(error: &serde_json::Value) -> &str {
    error["code"].as_str().unwrap()
}

/// An event in a few words.
fn event(json: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(json).unwrap();
    let name = event["event"].as_str().unwrap();
    match name {
        "error" => format!("error {}", code(&event["error"])),
        "gap" => format!("gap {} {}", event["dropped"], event["unconfirmed"]),
        "reconnecting" => format!("reconnecting {}", event["attempt"]),
        _ => name.to_owned(),
    }
}

fn reply(ticket: u32, kind: u32, text: &str) -> String {
    match kind {
        reply_kind::ERROR => {
            format!("failed {ticket} {}", code(&serde_json::from_str(text).unwrap()))
        }
        reply_kind::NIL => format!("reply {ticket}"),
        _ => format!("reply {ticket} {text}"),
    }
}

/// A publication that cannot be encoded.
#[derive(Debug)]
pub struct Broken {
    pub panics: bool,
}

impl Publication for Broken {
    fn channel(&self) -> Cow<'_, str> {
        "broken".into()
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        assert!(!self.panics, "as the test wants");
        Err("as the test wants".to_owned())
    }

    fn size(&self) -> usize {
        0
    }
}

/// A running writer.
pub struct Fixture {
    pub outbox: Arc<Outbox>,
    pub writer: Arc<Writer>,
    pub servers: Servers,
    pub inbox: Inbox,
    pub task: JoinHandle<()>,
}

impl Fixture {
    /// The time that a command may take.
    pub const TIMEOUT: Duration = Duration::from_secs(30);
    /// Messages that may wait while there is no connection.
    pub const QUEUE: usize = 100;

    /// A writer that has not connected yet.
    pub fn new() -> Self {
        let (connector, servers) = servers();
        let inbox = Inbox::new();
        let limits = QueueLimits { messages: Self::QUEUE, bytes: 1 << 30 };
        let outbox = Arc::new(Outbox::new(limits, Self::TIMEOUT, inbox.link()));
        let writer = Arc::new(Writer::new(Arc::clone(&outbox)));
        let running = Arc::clone(&writer);
        let run = move || Arc::clone(&running).run(Arc::clone(&connector));
        let task = tokio::spawn(supervise(inbox.link(), "writer", run));
        Self { outbox, writer, servers, inbox, task }
    }

    /// A writer that is connected.
    pub async fn connected() -> (Self, Server) {
        let mut fixture = Self::new();
        let server = fixture.servers.accept().await;
        fixture.inbox.expect(&["connect"]).await;
        (fixture, server)
    }

    pub fn publish(&self, payload: &str) {
        self.publish_for(payload, None);
    }

    pub fn publish_for(&self, payload: &str, ticket: Option<u32>) {
        let (channel, payload) = ("c".to_owned(), payload.as_bytes().to_vec());
        self.outbox.push(Request::publish(Packed { channel, payload }), ticket);
    }

    /// Adds an entry to the stream `s`.
    pub fn add(&self, data: &str) {
        self.outbox.push(Request::add(Entry(data.as_bytes().to_vec())), None);
    }

    pub fn command(&self, arg: &str, ticket: Option<u32>) {
        let args = vec![arg.as_bytes().to_vec()];
        let command = Command { name: "HGET", args, route: Route::Key, reading: None };
        self.outbox.push(Request::Command(command), ticket);
    }

    /// Waits for this time, while `server` answers pings.
    pub async fn sleep(&self, server: &mut Server, seconds: u64) {
        server.until(tokio::time::sleep(Duration::from_secs(seconds))).await;
    }

    /// Publishes that are accounted for, and those that wait or are under way.
    pub fn accounted(&self) -> u64 {
        self.inbox.counts().iter().sum::<u64>() + self.outbox.depth().0 as u64
    }
}

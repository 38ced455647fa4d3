//! A session of which a test sees all that it reports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::session::{Session, SessionEvent, Subscriber};
use super::{Consumer, Kind, Need};
use crate::connection::testing::{Server, Servers, happens, servers};
use crate::error::Error;

/// What a session has reported, in order: an event, an answer to a ticket, or a message.
#[derive(Debug)]
pub enum Seen {
    Settled(u32),
    Failed(u32, Error),
    Panicked,
    Event(SessionEvent),
    Message(String, String),
}

impl Seen {
    /// In a few words.
    pub fn label(&self) -> String {
        match self {
            Self::Settled(ticket) => format!("settled {ticket}"),
            Self::Failed(ticket, error) => format!("failed {ticket} {}", error.code()),
            Self::Panicked => "panicked".to_owned(),
            Self::Message(channel, payload) => format!("message {channel} {payload}"),
            Self::Event(event) => match event {
                SessionEvent::Status(status) => format!("{status:?}"),
                SessionEvent::Gap(..) => "Gap".to_owned(),
                SessionEvent::Trimmed { .. } => "Trimmed".to_owned(),
                SessionEvent::Error(error) => format!("error {}", error.code()),
                SessionEvent::Disconnected(_) => "Disconnected".to_owned(),
                SessionEvent::Retrying { attempt, .. } => format!("Retrying {attempt}"),
            },
        }
    }
}

pub struct TestSubscriber {
    seen: mpsc::UnboundedSender<Seen>,
    full: AtomicBool,
    drained: Notify,
    gives_up: Mutex<Option<Error>>,
}

impl TestSubscriber {
    fn see(&self, seen: Seen) {
        // The test may have ended.
        let _ = self.seen.send(seen);
    }

    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
        self.drained.notify_one();
    }

    /// Has it give up the connection until [`Self::set_full`] is called.
    pub fn give_up(&self, error: Error) {
        self.full.store(true, Ordering::Relaxed);
        *self.gives_up.lock().unwrap() = Some(error);
    }
}

impl Subscriber for TestSubscriber {
    fn has_capacity(&self) -> bool {
        !self.full.load(Ordering::Relaxed)
    }

    async fn capacity(&self) {
        while !self.has_capacity() {
            self.drained.notified().await;
        }
    }

    fn gives_up(&self) -> Option<Error> {
        self.gives_up.lock().unwrap().take()
    }

    fn caught_up(&self) -> Option<Instant> {
        None
    }

    fn settled(&self, tickets: &[u32]) {
        for &ticket in tickets {
            self.see(Seen::Settled(ticket));
        }
    }

    fn failed(&self, tickets: &[u32], error: &Error) {
        for &ticket in tickets {
            self.see(Seen::Failed(ticket, error.clone()));
        }
    }

    fn panicked(&self, _: String) {
        self.see(Seen::Panicked);
    }

    fn event(&self, event: SessionEvent) {
        self.see(Seen::Event(event));
    }
}

/// Reports its messages, and panics with some of them.
struct TestConsumer(mpsc::UnboundedSender<Seen>);

impl Consumer for TestConsumer {
    fn message(&self, channel: &[u8], payload: &[u8]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(payload != b"panic", "as the test wants");
        let _ = self.0.send(Seen::Message(text(channel), text(payload)));
    }
}

/// A running session.
pub struct Fixture {
    pub session: Arc<Session<TestSubscriber>>,
    pub servers: Servers,
    pub consumer: Arc<dyn Consumer>,
    pub task: JoinHandle<()>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Fixture {
    /// A session that wants these channels and has not connected yet.
    pub fn new(channels: &[&str]) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let (connector, servers) = servers();
        let subscriber = TestSubscriber {
            seen: sender.clone(),
            full: AtomicBool::new(false),
            drained: Notify::new(),
            gives_up: Mutex::default(),
        };
        let session = Session::new(subscriber);
        let task = tokio::spawn(Arc::clone(&session).run(connector));
        let consumer: Arc<dyn Consumer> = Arc::new(TestConsumer(sender));
        let fixture = Self { session, servers, consumer, task, seen };
        for channel in channels {
            fixture.subscribe(channel, None);
        }
        fixture
    }

    /// A session that is connected and has subscribed to this channel.
    pub async fn connected(channel: &str) -> (Self, Server) {
        let mut fixture = Self::new(&[channel]);
        let mut server = fixture.servers.accept().await;
        server.confirm(channel).await;
        server.until(fixture.expect("Connected")).await;
        (fixture, server)
    }

    pub fn subscribe(&self, channel: &str, ticket: Option<u32>) {
        self.want(channel, Need::Required, ticket);
    }

    pub fn want(&self, channel: &str, need: Need, ticket: Option<u32>) {
        let consumer = Arc::clone(&self.consumer);
        self.session.subscribe(Kind::Channel, channel, consumer, need, ticket);
    }

    pub fn unsubscribe(&self, channel: &str, ticket: Option<u32>) {
        self.session.unsubscribe(Kind::Channel, channel, &self.consumer, ticket);
    }

    /// What is reported next.
    pub async fn next(&mut self) -> Seen {
        happens(self.seen.recv()).await.unwrap()
    }

    /// Sees that these are reported next.
    pub async fn expect(&mut self, label: &str) -> Seen {
        let seen = self.next().await;
        assert_eq!(seen.label(), label, "{seen:?}");
        seen
    }

    pub async fn expect_all(&mut self, labels: &[&str]) {
        for label in labels {
            self.expect(label).await;
        }
    }

    /// Sees that a gap is reported next, and when it begins.
    pub async fn expect_gap(&mut self) -> SystemTime {
        let Seen::Event(SessionEvent::Gap(since, until)) = self.expect("Gap").await else {
            panic!("no gap")
        };
        assert!(since <= until);
        since
    }

    /// What is reported and not yet seen.
    pub fn unseen(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).map(|seen| seen.label()).collect()
    }
}

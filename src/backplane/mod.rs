//! One process's connections to Redis: what leaves through the outbox, what arrives through the
//! session, and the mailbox between both and the event loop. Stores and adapters stand on it; it
//! knows neither version of Socket.IO.

mod connect;
mod doubts;
mod event_sink;
mod fleet;
mod gather;
mod heartbeat;
mod item;
mod link_events;
mod outages;
mod outbox;
mod pipeline;
mod presence;
mod queue;
mod request;
mod router;
mod routers;
mod shards;
mod snapshot;
mod steered;
mod streams;
mod subscriber;
mod supervisor;
mod tasks;
#[cfg(test)]
mod testing;
mod throttle;
mod tickets;
mod writer;

pub use event_sink::EventSink;
pub use heartbeat::Uids;
pub use queue::QueueLimits;
pub use request::{Addition, Command, Packed, Publication, Reading, Request, Route};
pub use streams::Streams;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio::time::{Duration, Instant};

use self::fleet::Fleet;
use self::heartbeat::Heartbeat;
use self::item::Item;
use self::link_events::LinkEvents;
use self::outbox::Outbox;
use self::routers::Routers;
use self::shards::Shards;
use self::subscriber::MailboxSubscriber;
use self::tasks::Tasks;
use crate::event_loop::{Counters, Drained, Limits, Link, Mailbox, Waker};
use crate::pubsub::{Consumer, Kind, Need, Session};
use crate::streams::ReadOptions;

/// What a backplane is made from.
#[derive(Debug, Clone)]
pub struct Options {
    /// What may wait while Redis is away.
    pub queue: QueueLimits,
    /// What may wait for a busy event loop.
    pub mailbox: Limits,
    /// How long a command waits for its reply.
    pub command_timeout: Duration,
}

/// One node's connections to Redis.
///
/// Usable at once: what is published or asked before [`Backplane::connect`] waits in the queue.
pub struct Backplane {
    runtime: Handle,
    options: Options,
    events: Arc<EventSink>,
    session: Arc<Session<MailboxSubscriber>>,
    publisher: Arc<Outbox>,
    // Set when commands go to another server than publishes.
    commander: OnceLock<Arc<Outbox>>,
    // Set when it is connected.
    routers: OnceLock<Routers>,
    // Set when sharded channels are subscribed to on the nodes of a cluster.
    shards: OnceLock<Arc<Shards>>,
    // The connections that subscribe: more than one with `shards`.
    subscribers: Arc<Fleet>,
    heartbeat: OnceLock<Arc<Heartbeat>>,
    streams: OnceLock<Arc<Streams>>,
    // A plain mutex: taken at connect and close only.
    tasks: Mutex<Tasks>,
}

impl Backplane {
    /// A backplane without connections. `waker` is called when [`Self::drain`] has something to
    /// give.
    #[must_use]
    pub fn new(runtime: Handle, options: Options, waker: Waker) -> Self {
        let events = Arc::new(EventSink::new(Mailbox::new(options.mailbox, waker)));
        let link = LinkEvents::new(Arc::clone(&events), Link::Sub);
        let subscribers = Arc::new(Fleet::default());
        Self {
            runtime,
            publisher: new_outbox(&options, &events, Link::Pub),
            session: Session::new(MailboxSubscriber::new(link.part(&subscribers, 0))),
            shards: OnceLock::new(),
            subscribers,
            heartbeat: OnceLock::new(),
            commander: OnceLock::new(),
            streams: OnceLock::new(),
            routers: OnceLock::new(),
            tasks: Mutex::default(),
            events,
            options,
        }
    }

    /// Where its tasks run.
    pub const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Reads streams once there are connections: what is added to them then reaches their consumers. The
    /// first call counts.
    pub fn read_streams(&self, names: Vec<String>, options: ReadOptions) -> Arc<Streams> {
        let streams = || Streams::new(names, options, Arc::clone(&self.events));
        Arc::clone(self.streams.get_or_init(streams))
    }

    /// Queues `request`. With a `ticket`, its reply comes back through the mailbox under it.
    pub fn send(&self, request: Request, ticket: Option<u32>) {
        if let Some(router) = self.routers.get().and_then(|routers| routers.of(&request)) {
            return router.send(Item::new(request, ticket, Instant::now()));
        }
        let outbox = match self.commander.get() {
            Some(commander) if !request.goes_with_publishes() => commander,
            _ => &self.publisher,
        };
        outbox.push(request, ticket);
    }

    /// Has `consumer` get what arrives on a channel or through a pattern. With a `ticket`, a reply
    /// comes through the mailbox once Redis has answered.
    pub fn subscribe(
        &self,
        kind: Kind,
        name: &str,
        consumer: Arc<dyn Consumer>,
        need: Need,
        ticket: Option<u32>,
    ) {
        match self.shards.get().filter(|_| kind == Kind::Sharded) {
            Some(shards) => shards.subscribe(name, consumer, need, ticket),
            None => self.session.subscribe(kind, name, consumer, need, ticket),
        }
    }

    /// Takes that back.
    pub fn unsubscribe(
        &self,
        kind: Kind,
        name: &str,
        consumer: &Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) {
        match self.shards.get().filter(|_| kind == Kind::Sharded) {
            Some(shards) => shards.unsubscribe(name, consumer, ticket),
            None => self.session.unsubscribe(kind, name, consumer, ticket),
        }
    }

    /// Up to 100 channels and patterns that Redis refuses.
    #[must_use]
    pub fn refused_subscriptions(&self) -> Vec<String> {
        let mut names = self.session.refused_names(100);
        if let Some(shards) = self.shards.get() {
            names.extend(shards.refused_names(100 - names.len()));
        }
        names
    }

    /// Takes what is there for the event loop, one chunk at a time. The caller has handled all that it
    /// has taken before.
    #[must_use]
    pub fn drain(&self) -> Option<Drained> {
        self.events.drain()
    }

    /// Accepts no more, gives what is queued up to `flush` to leave, then emits the event `close`.
    pub fn close(&self, flush: Duration) {
        if let Some(bye) = self.heartbeat.get().and_then(Heartbeat::bye) {
            self.send(bye, None);
        }
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.accept_no_more();
        self.session.close();
        self.streams.get().into_iter().for_each(|streams| streams.close());
        let (events, deadline) = (Arc::clone(&self.events), Instant::now() + flush);
        self.runtime.spawn(async move { tasks.shut_down(&events, deadline).await });
    }

    /// The way to the event loop.
    #[must_use]
    pub fn events(&self) -> &Arc<EventSink> {
        &self.events
    }

    /// What has been counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.events.counters
    }
}

fn new_outbox(options: &Options, events: &Arc<EventSink>, link: Link) -> Arc<Outbox> {
    let link = LinkEvents::new(Arc::clone(events), link);
    Arc::new(Outbox::new(options.queue, options.command_timeout, link))
}

impl Drop for Backplane {
    fn drop(&mut self) {
        self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner).abort();
    }
}

#[cfg(test)]
mod closing_tests;

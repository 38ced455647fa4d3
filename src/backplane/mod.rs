//! One process's connections to Redis: what leaves through the outbox, what arrives through the
//! session, and the mailbox between both and the event loop. Stores and adapters stand on it; it
//! knows neither version of Socket.IO.

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
mod queue;
mod request;
mod router;
mod shards;
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

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use self::fleet::Fleet;
use self::heartbeat::Heartbeat;
use self::item::Item;
use self::link_events::LinkEvents;
use self::outbox::Outbox;
use self::router::Router;
use self::shards::Shards;
use self::steered::Steered;
use self::subscriber::MailboxSubscriber;
use self::supervisor::supervise;
use self::tasks::Tasks;
use self::writer::Writer;
use crate::connection::{Cluster, Endpoint, Place};
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

/// What brings requests to the nodes of clusters.
struct Routers {
    /// Those for the servers that messages are published on.
    publisher: Option<Arc<Router>>,
    /// Those for data.
    commander: Option<Arc<Router>>,
}

impl Routers {
    fn of(&self, request: &Request) -> Option<&Arc<Router>> {
        match request {
            Request::PublishSharded(_)
            | Request::Command(Command { route: Route::Publisher, .. }) => self.publisher.as_ref(),
            Request::Beat(beat) if beat.is_sharded() => self.publisher.as_ref(),
            Request::Add(_) | Request::Command(Command { route: Route::Key, .. }) => {
                self.commander.as_ref()
            }
            // The nodes pass these on to each other: any of them will do.
            Request::Publish(_) | Request::Beat(_) => None,
        }
    }
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

    /// Opens the connections, in the background. Commands share the publishing connection when
    /// both point to the same server.
    pub fn connect(&self, publisher: &Endpoint, subscriber: Endpoint, commander: Endpoint) {
        let shared = publisher.same_server(&commander);
        let links = &self.events.links;
        links.publisher.set_place(publisher.to_string());
        links.subscriber.set_place(subscriber.to_string());
        links.commander.set_place(commander.to_string());
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Without commands, the database does not matter; channels span them, so that of the commands
        // serves both.
        let db = if shared { commander.db } else { 0 };
        let place = Place::new(Endpoint { db, ..publisher.clone() });
        let subscriber = place.beside(publisher, subscriber);
        if let Some(cluster) = subscriber.cluster() {
            tasks.shards = Some(self.start_shards(cluster));
        }
        tasks.session = Some(self.spawn_session(subscriber));
        let data = commander.clone();
        let commands = (!shared).then(|| place.beside(publisher, commander));
        if let Some(streams) = self.streams.get() {
            let cluster = commands.as_ref().unwrap_or(&place).cluster();
            tasks.streams = streams.start(self, &data, cluster);
        }
        let router = self.start_router(&place, &mut tasks);
        let routers = Routers {
            commander: match &commands {
                None => router.clone(),
                Some(place) => self.start_router(place, &mut tasks),
            },
            publisher: router,
        };
        if let (Some(place), None) = (commands, &routers.commander) {
            let outbox = self.split_commands();
            tasks.writers.push(self.spawn_writer(&outbox, place));
        }
        for item in self.publisher.take_if(|item| routers.of(&item.request).is_some()) {
            if let Some(router) = routers.of(&item.request) {
                router.send(item);
            }
        }
        self.routers.get_or_init(|| routers);
        tasks.writers.push(self.spawn_writer(&self.publisher, place));
    }

    fn start_shards(&self, cluster: &Arc<Cluster>) -> (Arc<Shards>, JoinHandle<()>) {
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
        let (cluster, fleet) = (Arc::clone(cluster), Arc::clone(&self.subscribers));
        let (shards, task) = Shards::start(cluster, &self.runtime, link, fleet);
        shards.take_over(&self.session);
        self.shards.get_or_init(|| Arc::clone(&shards));
        (shards, task)
    }

    fn start_router(&self, place: &Place, tasks: &mut Tasks) -> Option<Arc<Router>> {
        let cluster = Arc::clone(place.cluster()?);
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Cmd);
        let Options { queue, command_timeout, .. } = self.options;
        let (router, task) = Router::start(cluster, &self.runtime, link, queue, command_timeout);
        tasks.routers.push((Arc::clone(&router), task));
        Some(router)
    }

    fn spawn_session(&self, place: Place) -> JoinHandle<()> {
        let (session, connector) = (Arc::clone(&self.session), Arc::new(self.steered(place)));
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
        let run = move || Arc::clone(&session).run(Arc::clone(&connector));
        self.runtime.spawn(supervise(link, "subscriber's session", run))
    }

    fn steered(&self, place: Place) -> Steered {
        Steered::new(place, Arc::clone(&self.events))
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

    /// Beats on `channel` from now on, and hears others there; the first call counts. Redis may refuse
    /// the channel: all else goes on.
    pub fn beat(self: &Arc<Self>, channel: String, sharded: bool) {
        if self.heartbeat.get().is_some() {
            return;
        }
        let heartbeat = Heartbeat::new(channel, sharded, Arc::clone(&self.events));
        self.events.set_heartbeat(&heartbeat);
        self.heartbeat.get_or_init(|| Arc::clone(&heartbeat));
        let kind = if sharded { Kind::Sharded } else { Kind::Channel };
        let consumer: Arc<dyn Consumer> = Arc::clone(&heartbeat) as _;
        self.subscribe(kind, heartbeat.channel(), consumer, Need::Optional, None);
        let link = LinkEvents::new(Arc::clone(&self.events), Link::Sub);
        let backplane = Arc::downgrade(self);
        let run = move || Arc::clone(&heartbeat).run(Weak::clone(&backplane));
        let task = self.runtime.spawn(supervise(link, "heartbeat", run));
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).heartbeat = Some(task);
    }

    /// This process serves the namespace with this channel of requests, as `uid`.
    pub fn serve(&self, channel: String, uid: String) {
        if let Some(heartbeat) = self.heartbeat.get() {
            heartbeat.serve((channel, uid));
        }
    }

    /// Takes that back.
    pub fn serve_no_more(&self, channel: String, uid: String) {
        if let Some(heartbeat) = self.heartbeat.get() {
            heartbeat.leave(&(channel, uid));
        }
    }

    /// The uids of the other servers of this package that serve the namespace with this channel of
    /// requests; nothing where no heartbeat tells.
    #[must_use]
    pub fn peers(&self, channel: &str) -> Option<Uids> {
        self.heartbeat.get()?.uids(channel)
    }

    /// How many other processes of this package are there, as heartbeats tell.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.heartbeat.get().map_or(0, |heartbeat| heartbeat.peer_count())
    }

    /// What has become of the heartbeat: `off`, `on`, or `refused` by Redis.
    #[must_use]
    pub fn heartbeat(&self) -> &'static str {
        match self.heartbeat.get() {
            None => "off",
            Some(heartbeat) if heartbeat.is_refused() => "refused",
            Some(_) => "on",
        }
    }

    /// Whether Redis refuses the subscription to heartbeats.
    fn refuses_heartbeat(&self) -> bool {
        let Some(heartbeat) = self.heartbeat.get() else { return false };
        match self.shards.get().filter(|_| heartbeat.sharded) {
            Some(shards) => shards.refuses(heartbeat.channel()),
            None if heartbeat.sharded => self.session.refuses(Kind::Sharded, heartbeat.channel()),
            None => self.session.refuses(Kind::Channel, heartbeat.channel()),
        }
    }

    /// When the last ping was sent that the subscriber's server has answered.
    fn proven(&self) -> Option<SystemTime> {
        match self.shards.get() {
            Some(shards) => shards.proven(),
            None => self.session.proven_at(),
        }
    }

    fn split_commands(&self) -> Arc<Outbox> {
        let outbox = new_outbox(&self.options, &self.events, Link::Cmd);
        let outbox = self.commander.get_or_init(|| outbox);
        for item in self.publisher.take_if(|item| matches!(item.request, Request::Command(_))) {
            outbox.adopt(item);
        }
        Arc::clone(outbox)
    }

    fn spawn_writer(&self, outbox: &Arc<Outbox>, place: Place) -> (Arc<Writer>, JoinHandle<()>) {
        let writer = Arc::new(Writer::new(Arc::clone(outbox)));
        let (running, connector) = (Arc::clone(&writer), Arc::new(self.steered(place)));
        let run = move || Arc::clone(&running).run(Arc::clone(&connector));
        let task = self.runtime.spawn(supervise(outbox.link.clone(), "writer", run));
        (writer, task)
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

    /// State and endpoint of the connections that publish, subscribe and carry commands.
    #[must_use]
    pub fn links(&self) -> [(&'static str, String); 3] {
        let links = &self.events.links;
        let (publisher, other) = self.routers();
        let is_routed = publisher.into_iter().chain(other).any(|router| router.is_used());
        let own = self.commander.get().is_some() || is_routed;
        let commander = if own { &links.commander } else { &links.publisher };
        [&links.publisher, &links.subscriber, commander].map(|link| (link.name(), link.endpoint()))
    }

    /// That of what is published, and that of commands where it is another one.
    fn routers(&self) -> (Option<&Arc<Router>>, Option<&Arc<Router>>) {
        let routers = self.routers.get();
        let publisher = routers.and_then(|routers| routers.publisher.as_ref());
        let commander = routers.and_then(|routers| routers.commander.as_ref());
        let is_other = |router: &&Arc<Router>| {
            publisher.is_none_or(|publisher| !Arc::ptr_eq(publisher, router))
        };
        (publisher, commander.filter(is_other))
    }

    /// What applications have queued: heartbeats are none of it.
    fn without_beats(&self, (messages, bytes): (usize, usize)) -> (usize, usize) {
        let beats = self.heartbeat.get().map_or(0, |heartbeat| heartbeat.queued());
        (messages.saturating_sub(beats), bytes)
    }

    /// How full the queues are.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let add = |(messages, bytes), (more, of): (usize, usize)| (messages + more, bytes + of);
        let routed = |router: Option<&Arc<Router>>| router.map_or((0, 0), |router| router.depth());
        let commands = self.commander.get().map_or((0, 0), |outbox| outbox.depth());
        let (publisher, other) = self.routers();
        Snapshot {
            publish: self.without_beats(add(self.publisher.depth(), routed(publisher))),
            command: add(commands, routed(other)),
            mailbox: self.events.mailbox.depth(),
        }
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

//! The store of Socket.IO 0.9: what leaves through the outbox, what arrives through the receiver.

mod outbox;
mod receiver;
mod reporter;
mod request;
mod throttle;
mod writer;

pub use outbox::QueueLimits;
pub use request::{Dispatch, Request};

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout_at};

use self::outbox::Outbox;
use self::receiver::Receiver;
use self::reporter::{Reporter, Voice};
use self::throttle::Throttle;
use self::writer::Writer;
use crate::connection::Endpoint;
use crate::delivery::{Counters, Drained, Event, Limits, Link, Mailbox, Wake};
use crate::model::NodeId;
use crate::pubsub::Session;
use crate::wire::store09::{Codec, Shape};

/// Who takes arriving payloads apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpack {
    /// This crate; both codecs are understood.
    Native,
    /// The application's own `unpack`.
    JavaScript,
}

/// What a store is made from.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's id, as it stands in every message.
    pub node_id: NodeId,
    /// How messages are packed.
    pub codec: Codec,
    /// Who takes them apart.
    pub unpack: Unpack,
    /// What may wait while Redis is away.
    pub queue: QueueLimits,
    /// How long a command waits for its reply.
    pub command_timeout: Duration,
}

/// How full the queues are, each as (messages, bytes).
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Publishes, and commands that share their connection.
    pub publish: (usize, usize),
    /// Commands with a connection of their own.
    pub command: (usize, usize),
    /// Messages for the event loop.
    pub mailbox: (usize, usize),
}

/// The store of one Socket.IO server.
///
/// Usable at once: what is published or asked before [`Store::connect`] waits in the queue.
pub struct Store {
    runtime: Handle,
    options: Options,
    reporter: Arc<Reporter>,
    session: Arc<Session<Receiver>>,
    publisher: Arc<Outbox>,
    // Set when commands go to another server than publishes.
    commander: OnceLock<Arc<Outbox>>,
    // A plain mutex: taken at connect and close only.
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    session: Option<JoinHandle<()>>,
    writers: Vec<(Arc<Writer>, JoinHandle<()>)>,
}

impl Store {
    /// What may wait for a busy event loop before Redis is left to wait.
    const MAILBOX: Limits = Limits { messages: 100_000, bytes: 64 * 1024 * 1024 };

    /// A store without connections. `wake` is called when [`Self::drain`] has something to give.
    #[must_use]
    pub fn new(runtime: Handle, options: Options, wake: Box<dyn Wake>) -> Self {
        let reporter = Arc::new(Reporter::new(Mailbox::new(Self::MAILBOX, wake)));
        let raw = options.unpack == Unpack::JavaScript;
        let receiver = Receiver::new(Arc::clone(&reporter), options.node_id.clone(), raw);
        Self {
            runtime,
            publisher: new_outbox(&options, &reporter, Link::Pub),
            session: Session::new(receiver),
            commander: OnceLock::new(),
            tasks: Mutex::default(),
            reporter,
            options,
        }
    }

    /// Opens the connections, in the background. Commands share the publishing connection when
    /// both point to the same server.
    pub fn connect(&self, publisher: Endpoint, subscriber: Endpoint, commander: Endpoint) {
        let shared = publisher.same_server(&commander);
        let links = &self.reporter.links;
        links.publisher.lead_to(publisher.to_string());
        links.subscriber.lead_to(subscriber.to_string());
        links.commander.lead_to(commander.to_string());
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.session = Some(self.runtime.spawn(Arc::clone(&self.session).run(subscriber)));
        if shared {
            // Channels span databases, so the commands' database serves both.
            tasks.writers.push(self.spawn_writer(&self.publisher, commander));
        } else {
            let outbox = self.split_commands();
            tasks.writers.push(self.spawn_writer(&self.publisher, publisher));
            tasks.writers.push(self.spawn_writer(&outbox, commander));
        }
    }

    fn split_commands(&self) -> Arc<Outbox> {
        let outbox = new_outbox(&self.options, &self.reporter, Link::Cmd);
        let outbox = self.commander.get_or_init(|| outbox);
        for item in self.publisher.take_commands() {
            outbox.adopt(item);
        }
        Arc::clone(outbox)
    }

    fn spawn_writer(
        &self,
        outbox: &Arc<Outbox>,
        endpoint: Endpoint,
    ) -> (Arc<Writer>, JoinHandle<()>) {
        let (codec, node_id) = (self.options.codec, self.options.node_id.to_json());
        let writer = Arc::new(Writer {
            outbox: Arc::clone(outbox),
            codec,
            node_id,
            refusals: Throttle::default(),
        });
        let task = self.runtime.spawn(Arc::clone(&writer).run(endpoint));
        (writer, task)
    }

    /// Queues `request`. With a `ticket`, its reply comes back through the mailbox under it.
    pub fn send(&self, request: Request, ticket: Option<u32>) {
        let outbox = match self.commander.get() {
            Some(commander) if !request.is_publish() => commander,
            _ => &self.publisher,
        };
        outbox.push(request, ticket);
    }

    /// Subscribes to `channel` and returns the number under which its messages come.
    pub fn subscribe(&self, channel: &str, ticket: Option<u32>) -> u32 {
        let shape = if channel == request::DISPATCH { Shape::Dispatch } else { Shape::Any };
        self.session.change(|subscriptions| subscriptions.subscribe(channel, shape, ticket)).channel
    }

    /// Leaves `channel`.
    pub fn unsubscribe(&self, channel: &str, ticket: Option<u32>) {
        let settled =
            self.session.change(|subscriptions| subscriptions.unsubscribe(channel, ticket));
        crate::pubsub::Subscriber::settled(self.session.subscriber(), &settled);
    }

    /// Takes what is there for the event loop, one chunk at a time.
    #[must_use]
    pub fn drain(&self) -> Option<Drained> {
        self.reporter.mailbox.drain()
    }

    /// Accepts no more, gives what is queued up to `flush` to leave, then tells [`Event::Close`].
    pub fn close(&self, flush: Duration) {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.writers.iter().for_each(|(writer, _)| writer.outbox.close());
        let reporter = Arc::clone(&self.reporter);
        self.runtime.spawn(async move {
            if let Some(session) = tasks.session {
                session.abort();
            }
            finish(tasks.writers, Instant::now() + flush).await;
            reporter.links.closed();
            reporter.tell(&Event::Close);
        });
    }

    /// What has been counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.reporter.counters
    }

    /// Counts what the application's own `unpack` found out about messages handed over raw.
    pub fn unpacked(&self, delivered: u64, own: u64) {
        Counters::add(&self.reporter.counters.delivered, delivered);
        Counters::add(&self.reporter.counters.filtered_own, own);
    }

    /// Counts and tells a message on `channel` that the application's own `unpack` refused.
    pub fn malformed(&self, channel: &str) {
        self.session.subscriber().ignore("unpack", channel.as_bytes());
    }

    /// State and endpoint of the connections that publish, subscribe and carry commands.
    #[must_use]
    pub fn links(&self) -> [(&'static str, &str); 3] {
        let links = &self.reporter.links;
        let own = self.commander.get().is_some();
        let commander = if own { &links.commander } else { &links.publisher };
        [&links.publisher, &links.subscriber, commander].map(|link| (link.name(), link.endpoint()))
    }

    /// How full the queues are.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            publish: self.publisher.depth(),
            command: self.commander.get().map_or((0, 0), |outbox| outbox.depth()),
            mailbox: self.reporter.mailbox.depth(),
        }
    }
}

fn new_outbox(options: &Options, reporter: &Arc<Reporter>, link: Link) -> Arc<Outbox> {
    let voice = Voice { reporter: Arc::clone(reporter), link };
    Arc::new(Outbox::new(options.queue, options.command_timeout, voice))
}

async fn finish(writers: Vec<(Arc<Writer>, JoinHandle<()>)>, deadline: Instant) {
    for (writer, mut task) in writers {
        if timeout_at(deadline, &mut task).await.is_err() {
            task.abort();
            // Once it is gone, all that it had under way is back in the outbox or counted.
            let _ = task.await;
        }
        writer.abandon();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks
            .session
            .iter()
            .chain(tasks.writers.iter().map(|(_, task)| task))
            .for_each(JoinHandle::abort);
    }
}

//! One node's place on Redis: what leaves through the outbox, what arrives through the session,
//! and the mailbox between both and the event loop. Stores and adapters stand on it.

mod host;
mod outbox;
mod reporter;
mod request;
mod throttle;
mod writer;

pub use host::Host;
pub use outbox::QueueLimits;
pub use reporter::Reporter;
pub use request::{Broadcast, DISPATCH, Dispatch, Origin, Request, Target};

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, timeout_at};

use self::outbox::Outbox;
use self::reporter::Voice;
use self::throttle::Throttle;
use self::writer::Writer;
use crate::connection::Endpoint;
use crate::delivery::{Counters, Drained, Event, Limits, Link, Mailbox, Wake};
use crate::model::NodeId;
use crate::pubsub::{Consumer, Kind, Session};
use crate::wire::store09::Codec;

/// What a backplane is made from.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's id, as it stands in every message of 0.9's store.
    pub node_id: NodeId,
    /// How those are packed.
    pub codec: Codec,
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
    /// Publishes, and commands that share their connection.
    pub publish: (usize, usize),
    /// Commands with a connection of their own.
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
    reporter: Arc<Reporter>,
    session: Arc<Session<Host>>,
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

impl Backplane {
    /// A backplane without connections. `wake` is called when [`Self::drain`] has something to
    /// give.
    #[must_use]
    pub fn new(runtime: Handle, options: Options, wake: Box<dyn Wake>) -> Self {
        let reporter = Arc::new(Reporter::new(Mailbox::new(options.mailbox, wake)));
        Self {
            runtime,
            publisher: new_outbox(&options, &reporter, Link::Pub),
            session: Session::new(Host::new(Arc::clone(&reporter))),
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
            Some(commander) if !request.goes_with_publishes() => commander,
            _ => &self.publisher,
        };
        outbox.push(request, ticket);
    }

    /// Has `consumer` get what arrives on a channel or through a pattern. With a `ticket`, a reply
    /// comes through the mailbox once Redis has confirmed it.
    pub fn subscribe(
        &self,
        kind: Kind,
        name: &str,
        consumer: Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) {
        self.session.change(|wanted| wanted.subscribe(kind, name, consumer, ticket));
    }

    /// Takes that back.
    pub fn unsubscribe(
        &self,
        kind: Kind,
        name: &str,
        consumer: &Arc<dyn Consumer>,
        ticket: Option<u32>,
    ) {
        let settled =
            self.session.change(|wanted| wanted.unsubscribe(kind, name, consumer, ticket));
        self.reporter.settle(&settled);
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

    /// Drops something on another thread.
    pub fn drop_elsewhere(&self, what: impl Send + 'static) {
        self.runtime.spawn(async move { drop(what) });
    }

    /// The way to the event loop.
    #[must_use]
    pub fn reporter(&self) -> &Arc<Reporter> {
        &self.reporter
    }

    /// What has been counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.reporter.counters
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

impl Drop for Backplane {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks
            .session
            .iter()
            .chain(tasks.writers.iter().map(|(_, task)| task))
            .for_each(JoinHandle::abort);
    }
}

//! `NativeBackplane`: the class behind `lib/backplane/`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use napi::bindgen_prelude::{Buffer, Function, Uint32Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Error, Result, Status};
use napi_derive::napi;
use tokio::time::Duration;

use super::runtime;
use crate::adapter::Adapter;
use crate::backplane::{Backplane, Options, QueueLimits};
use crate::connection::Endpoint;
use crate::delivery::{Counters, Limits, Overflow, Wake};
use crate::model::NodeId;
use crate::store::{Store, Unpack};
use crate::wire::store09::Codec;

/// What a `NativeBackplane` is made from.
#[napi(object)]
pub struct NativeOptions {
    /// The node's id as JSON text.
    pub node_id: String,
    /// Whether messages are packed as MessagePack; else as JSON.
    pub message_pack: bool,
    /// Whether arriving payloads are handed over as they are, for the application's `unpack`.
    pub raw: bool,
    /// How many messages may wait while Redis is away.
    pub queue_messages: u32,
    /// How many bytes may wait while Redis is away.
    pub queue_bytes: f64,
    /// How many messages may wait for a busy event loop.
    pub mailbox_messages: u32,
    /// How many bytes may wait for it.
    pub mailbox_bytes: f64,
    /// What happens to more: 0 wait, 1 drop the oldest, 2 drop the newest, 3 disconnect.
    pub overflow: u32,
    /// How long a command waits for its reply, in ms.
    pub command_timeout: u32,
}

/// What one drain gives: see `src/delivery/chunk.rs` for the words of `index`.
#[napi(object)]
pub struct NativeBatch {
    /// The text of all entries.
    pub bytes: Buffer,
    /// Whether there is a byte in it that is not ASCII.
    pub wide: bool,
    /// How to take `bytes` apart.
    pub index: Uint32Array,
    /// Whether more waits: then drain again, no wake will follow.
    pub more: bool,
}

/// Counters and queue depths.
#[napi(object)]
pub struct NativeStats {
    /// Publishes that Redis confirmed.
    pub published: f64,
    /// Messages that arrived.
    pub received: f64,
    /// Messages handed to the event loop.
    pub delivered: f64,
    /// Own messages that came back.
    pub filtered_own: f64,
    /// Broadcasts for rooms that have nobody here.
    pub filtered_rooms: f64,
    /// Broadcasts for another namespace.
    pub filtered_namespaces: f64,
    /// Messages that the full mailbox dropped.
    pub overflowed: f64,
    /// Messages that could not be understood.
    pub malformed: f64,
    /// Publishes and commands that never left.
    pub dropped: f64,
    /// Publishes of which nobody can tell.
    pub unconfirmed: f64,
    /// Connections that came back.
    pub reconnects: f64,
    /// Messages and bytes in the queues: publish, command, mailbox.
    pub depths: Vec<f64>,
    /// The connections that publish, subscribe and carry commands.
    pub links: Vec<NativeLink>,
}

/// One connection.
#[napi(object)]
pub struct NativeLink {
    /// `connecting`, `connected`, `reconnecting` or `closed`.
    pub state: String,
    /// `host:port` or a socket's path.
    pub endpoint: String,
}

/// Wakes the event loop, and neither keeps it alive nor minds when it is gone.
struct Bell(ThreadsafeFunction<(), (), (), Status, false, true>);

impl Wake for Bell {
    fn wake(&self) {
        // It fails only when the environment is shutting down, and then nobody waits.
        self.0.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// One node's connections, and on them the store of Socket.IO 0.9 and the adapter of Socket.IO 4.
/// Tickets are numbers that the caller gives to requests whose replies it waits for; 0 is "nobody
/// waits".
#[napi]
pub struct NativeBackplane {
    pub(super) backplane: Arc<Backplane>,
    pub(super) store: Store,
    pub(super) adapter: Adapter,
}

#[napi]
impl NativeBackplane {
    /// Makes a backplane that calls `wake` when there is something to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: NativeOptions, wake: Function<'_, (), ()>) -> Result<Self> {
        let bell = wake.build_threadsafe_function().weak::<true>().build()?;
        let node_id = NodeId::from_json(&options.node_id).ok_or_else(|| invalid("nodeId"))?;
        let unpack = if options.raw { Unpack::JavaScript } else { Unpack::Native };
        let options = Options {
            node_id: node_id.clone(),
            codec: if options.message_pack { Codec::MessagePack } else { Codec::Json },
            queue: QueueLimits {
                messages: options.queue_messages as usize,
                bytes: to_usize(options.queue_bytes),
            },
            mailbox: Limits {
                messages: options.mailbox_messages as usize,
                bytes: to_usize(options.mailbox_bytes),
                overflow: overflow(options.overflow),
            },
            command_timeout: Duration::from_millis(options.command_timeout.into()),
        };
        let backplane = Arc::new(Backplane::new(runtime::handle()?, options, Box::new(Bell(bell))));
        let store = Store::new(Arc::clone(&backplane), node_id, unpack);
        let adapter = Adapter::new(Arc::clone(&backplane));
        Ok(Self { backplane, store, adapter })
    }

    /// Opens the connections to three endpoints, each as JSON.
    #[napi(catch_unwind)]
    pub fn connect(&self, publisher: String, subscriber: String, commander: String) -> Result<()> {
        let read =
            |json: &str| Endpoint::from_json(json).map_err(|e| Error::from_reason(e.to_string()));
        self.backplane.connect(read(&publisher)?, read(&subscriber)?, read(&commander)?);
        Ok(())
    }

    /// Takes the oldest batch, or nothing.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Option<NativeBatch> {
        self.adapter.turn();
        self.backplane.drain().map(|drained| NativeBatch {
            bytes: drained.chunk.bytes.into(),
            wide: drained.chunk.wide,
            index: drained.chunk.index.into(),
            more: drained.more,
        })
    }

    /// Accepts no more, and tells the event `close` once the queues are empty or `flush` ms over.
    #[napi(catch_unwind)]
    pub fn close(&self, flush: u32) {
        self.backplane.close(Duration::from_millis(flush.into()));
    }

    /// Counters, queue depths and connections.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStats {
        let (counters, depths) = (self.backplane.counters(), self.backplane.snapshot());
        let read = |counter: &AtomicU64| number(Counters::read(counter));
        let depths = [depths.publish, depths.command, depths.mailbox];
        let link = |(state, endpoint): (&str, &str)| NativeLink {
            state: state.to_owned(),
            endpoint: endpoint.to_owned(),
        };
        NativeStats {
            published: read(&counters.published),
            received: read(&counters.received),
            delivered: read(&counters.delivered),
            filtered_own: read(&counters.filtered_own),
            filtered_rooms: read(&counters.filtered_rooms),
            filtered_namespaces: read(&counters.filtered_namespaces),
            overflowed: read(&counters.overflowed),
            malformed: read(&counters.malformed),
            dropped: read(&counters.dropped),
            unconfirmed: read(&counters.unconfirmed),
            reconnects: read(&counters.reconnects),
            depths: depths
                .iter()
                .flat_map(|&(messages, bytes)| [messages as u64, bytes as u64])
                .map(number)
                .collect(),
            links: self.backplane.links().map(link).into(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are doubles")]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn to_usize(number: f64) -> usize {
    number as usize
}

const fn overflow(word: u32) -> Overflow {
    match word {
        1 => Overflow::DropOldest,
        2 => Overflow::DropNewest,
        3 => Overflow::Disconnect,
        _ => Overflow::Wait,
    }
}

fn invalid(option: &str) -> Error {
    Error::new(Status::InvalidArg, format!("{option} is not valid"))
}

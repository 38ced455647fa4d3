//! `NativeStore`: the class behind `lib/redis-store.js`.

use std::sync::atomic::AtomicU64;

use napi::bindgen_prelude::{Buffer, Either, Function, Uint32Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Error, Result, Status};
use napi_derive::napi;
use tokio::time::Duration;

use super::runtime;
use crate::connection::Endpoint;
use crate::delivery::{Counters, Wake};
use crate::model::NodeId;
use crate::store::{Dispatch, Options, QueueLimits, Request, Store, Unpack};
use crate::wire::store09::Codec;

/// What a `NativeStore` is made from.
#[napi(object)]
pub struct NativeStoreOptions {
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

/// The native half of a `RedisStore`. Tickets are numbers that the caller gives to requests whose
/// replies it waits for; 0 is "nobody waits".
#[napi]
pub struct NativeStore {
    store: Store,
}

#[napi]
impl NativeStore {
    /// Makes a store that calls `wake` when there is something to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: NativeStoreOptions, wake: Function<'_, (), ()>) -> Result<Self> {
        let bell = wake.build_threadsafe_function().weak::<true>().build()?;
        let node_id = NodeId::from_json(&options.node_id).ok_or_else(|| invalid("nodeId"))?;
        let options = Options {
            node_id,
            codec: if options.message_pack { Codec::MessagePack } else { Codec::Json },
            unpack: if options.raw { Unpack::JavaScript } else { Unpack::Native },
            queue: QueueLimits {
                messages: options.queue_messages as usize,
                bytes: to_usize(options.queue_bytes),
            },
            command_timeout: Duration::from_millis(options.command_timeout.into()),
        };
        Ok(Self { store: Store::new(runtime::handle()?, options, Box::new(Bell(bell))) })
    }

    /// Opens the connections to three endpoints, each as JSON.
    #[napi(catch_unwind)]
    pub fn connect(&self, publisher: String, subscriber: String, commander: String) -> Result<()> {
        let read =
            |json: &str| Endpoint::from_json(json).map_err(|e| Error::from_reason(e.to_string()));
        self.store.connect(read(&publisher)?, read(&subscriber)?, read(&commander)?);
        Ok(())
    }

    /// Publishes `args`, the JSON text of an array.
    #[napi(catch_unwind)]
    pub fn publish(&self, channel: String, args: String) {
        self.store.send(Request::Publish { channel, args }, None);
    }

    /// Publishes a message of the channel `dispatch`. `volatile`: 0 null, 1 false, 2 true;
    /// `exceptions`: JSON text of the array, empty for `[]`.
    #[napi(catch_unwind)]
    pub fn dispatch(&self, room: String, packet: String, volatile: u32, exceptions: String) {
        let volatile = [None, Some(false), Some(true)].get(volatile as usize).copied().flatten();
        self.store.send(Request::Dispatch(Dispatch { room, packet, volatile, exceptions }), None);
    }

    /// Publishes what the application's `pack` made.
    #[napi(catch_unwind)]
    pub fn publish_packed(&self, channel: String, payload: Either<String, Buffer>) {
        let payload = bytes_of(payload);
        self.store.send(Request::PublishPacked { channel, payload }, None);
    }

    /// Subscribes; returns the number under which the channel's messages come.
    #[napi(catch_unwind)]
    pub fn subscribe(&self, channel: String, ticket: u32) -> u32 {
        self.store.subscribe(&channel, waits(ticket))
    }

    /// Unsubscribes.
    #[napi(catch_unwind)]
    pub fn unsubscribe(&self, channel: String, ticket: u32) {
        self.store.unsubscribe(&channel, waits(ticket));
    }

    /// `HGET`
    #[napi(catch_unwind)]
    pub fn get(&self, key: String, field: String, ticket: u32) {
        self.store.send(Request::Get(key, field), waits(ticket));
    }

    /// `HSET`
    #[napi(catch_unwind)]
    pub fn set(&self, key: String, field: String, value: Either<String, Buffer>, ticket: u32) {
        self.store.send(Request::Set(key, field, bytes_of(value)), waits(ticket));
    }

    /// `HDEL`
    #[napi(catch_unwind)]
    pub fn del(&self, key: String, field: String, ticket: u32) {
        self.store.send(Request::Del(key, field), waits(ticket));
    }

    /// `HEXISTS`
    #[napi(catch_unwind)]
    pub fn has(&self, key: String, field: String, ticket: u32) {
        self.store.send(Request::Has(key, field), waits(ticket));
    }

    /// `DEL`
    #[napi(catch_unwind)]
    pub fn destroy(&self, key: String) {
        self.store.send(Request::Destroy(key), None);
    }

    /// `EXPIRE`
    #[napi(catch_unwind)]
    pub fn expire(&self, key: String, seconds: i64) {
        self.store.send(Request::Expire(key, seconds), None);
    }

    /// Takes the oldest batch, or nothing.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Option<NativeBatch> {
        self.store.drain().map(|drained| NativeBatch {
            bytes: drained.chunk.bytes.into(),
            wide: drained.chunk.wide,
            index: drained.chunk.index.into(),
            more: drained.more,
        })
    }

    /// Accepts no more, and tells the event `close` once the queues are empty or `flush` ms over.
    #[napi(catch_unwind)]
    pub fn close(&self, flush: u32) {
        self.store.close(Duration::from_millis(flush.into()));
    }

    /// Counts messages that the application's `unpack` read: foreign ones and own ones.
    #[napi(catch_unwind)]
    pub fn unpacked(&self, delivered: u32, own: u32) {
        self.store.unpacked(delivered.into(), own.into());
    }

    /// Counts a message that the application's `unpack` could not read.
    #[napi(catch_unwind)]
    pub fn malformed(&self, channel: String) {
        self.store.malformed(&channel);
    }

    /// Counters, queue depths and connections.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStats {
        let (counters, depths) = (self.store.counters(), self.store.snapshot());
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
            malformed: read(&counters.malformed),
            dropped: read(&counters.dropped),
            unconfirmed: read(&counters.unconfirmed),
            reconnects: read(&counters.reconnects),
            depths: depths
                .iter()
                .flat_map(|&(messages, bytes)| [messages as u64, bytes as u64])
                .map(number)
                .collect(),
            links: self.store.links().map(link).into(),
        }
    }
}

fn waits(ticket: u32) -> Option<u32> {
    (ticket != 0).then_some(ticket)
}

fn bytes_of(value: Either<String, Buffer>) -> Vec<u8> {
    match value {
        Either::A(text) => text.into_bytes(),
        Either::B(buffer) => buffer.to_vec(),
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

fn invalid(option: &str) -> Error {
    Error::new(Status::InvalidArg, format!("{option} is not valid"))
}

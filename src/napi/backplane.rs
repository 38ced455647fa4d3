//! `NativeBackplane`: the class behind `lib/backplane`.

use std::sync::Arc;

use napi::Result;
use napi::bindgen_prelude::{Buffer, Either, Function, Uint32Array};
use napi_derive::napi;
use tokio::time::Duration;

use super::endpoint::NativeEndpoint;
use super::options::NativeOptions;
use super::stats::{NativeStats, number};
use super::{bytes_of, runtime, waits, waker_of};
use crate::backplane::{Backplane, Command, Packed, Request, Route, Uids};
use crate::event_loop::Drained;

/// What one drain gives: see `src/event_loop/chunk.rs` for the words of `index`.
#[napi(object)]
pub struct NativeBatch {
    /// The text of all entries.
    pub bytes: Buffer,
    /// Whether there is a byte in it that is not ASCII.
    pub wide: bool,
    /// How to take `bytes` apart.
    pub index: Uint32Array,
    /// The number of the chunk, which grows from batch to batch: see `NativeFanout.setNative`.
    pub number: f64,
    /// Whether more waits: then drain again, no wake will follow.
    pub more: bool,
}

impl From<Drained> for NativeBatch {
    fn from(Drained { chunk, more }: Drained) -> Self {
        let (bytes, wide, index) = (chunk.bytes.into(), chunk.wide, chunk.index.into());
        Self { bytes, wide, index, number: number(chunk.number), more }
    }
}

/// Servers of this package, by their uids.
#[napi(object)]
pub struct NativePeers {
    /// Those whose heartbeats come.
    pub alive: Vec<String>,
    /// Up to 100 that have gone without a word.
    pub gone: Vec<String>,
}

/// One process's connections, on which a store of Socket.IO 0.9 and an adapter of Socket.IO 4 stand.
/// Tickets are numbers that the caller gives to requests whose replies it waits for; 0 means that
/// it does not wait.
#[napi]
pub struct NativeBackplane {
    pub(super) backplane: Arc<Backplane>,
}

#[napi]
impl NativeBackplane {
    /// Makes a backplane that calls `wake` when there is something to drain.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: NativeOptions, wake: Function<'_, (), ()>) -> Result<Self> {
        let waker = waker_of(wake)?;
        let backplane = Arc::new(Backplane::new(runtime::handle()?, options.into(), waker));
        Ok(Self { backplane })
    }

    /// Opens the connections.
    #[napi(catch_unwind)]
    pub fn connect(
        &self,
        publisher: NativeEndpoint,
        subscriber: NativeEndpoint,
        commander: NativeEndpoint,
    ) {
        self.backplane.connect(&publisher.into(), subscriber.into(), commander.into());
    }

    /// Takes the oldest batch, or nothing.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Option<NativeBatch> {
        self.backplane.drain().map(NativeBatch::from)
    }

    /// Publishes what JavaScript has packed. With a ticket, a reply tells that Redis has it, or will
    /// not get it.
    #[napi(catch_unwind)]
    pub fn publish_packed(&self, channel: String, payload: Either<String, Buffer>, ticket: u32) {
        let payload = bytes_of(payload);
        self.backplane.send(Request::publish(Packed { channel, payload }), waits(ticket));
    }

    /// `PUBSUB` and its arguments; the reply is a list.
    #[napi(catch_unwind)]
    pub fn pubsub(&self, args: Vec<String>, ticket: u32) {
        let args = args.into_iter().map(String::into_bytes).collect();
        let command = Command { name: "PUBSUB", args, route: Route::Publisher, reading: None };
        self.backplane.send(Request::Command(command), waits(ticket));
    }

    /// Counts and reports a message on `channel` that JavaScript could not read.
    #[napi(catch_unwind)]
    pub fn malformed(&self, channel: String) {
        self.backplane.events().malformed("unpack", channel.as_bytes());
    }

    /// Beats on a channel from now on, and hears others there: see `src/backplane/heartbeat`.
    #[napi(catch_unwind)]
    pub fn beat(&self, channel: String, sharded: bool) {
        self.backplane.beat(channel, sharded);
    }

    /// The other servers of this package that serve the namespace with this channel of requests; nothing
    /// where no heartbeat tells.
    #[napi(catch_unwind)]
    pub fn peers(&self, channel: String) -> Option<NativePeers> {
        let Uids { alive, gone } = self.backplane.peers(&channel)?;
        Some(NativePeers { alive, gone })
    }

    /// Accepts no more, and emits the event `close` once the queues are empty or `flush` ms over.
    #[napi(catch_unwind)]
    pub fn close(&self, flush: u32) {
        self.backplane.close(Duration::from_millis(flush.into()));
    }

    /// Counters, queue depths and connections.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStats {
        NativeStats::of(&self.backplane)
    }
}

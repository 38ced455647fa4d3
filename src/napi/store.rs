//! `NativeStore`: the class behind `lib/store`.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either};
use napi::{Error, Result, Status};
use napi_derive::napi;

use super::backplane::NativeBackplane;
use super::fanout::NativeFanout;
use super::options::to_usize;
use super::websocket::NativeWebSockets;
use super::{bytes_of, waits};
use crate::store::wire::Codec;
use crate::store::{Dispatch, NodeId, Store, Unpack};

/// How a store's messages are marked and packed.
#[napi(object)]
pub struct NativeStoreOptions {
    /// The node's id as JSON text.
    pub node_id: String,
    /// Whether messages are packed as MessagePack; else as JSON.
    pub message_pack: bool,
    /// Whether arriving payloads are handed over as they are, for the application's `unpack`.
    pub raw: bool,
    /// The option `limits.bytes`.
    pub longest: f64,
}

/// The store of one Socket.IO 0.9 server.
#[napi]
pub struct NativeStore {
    store: Store,
}

#[napi]
impl NativeStore {
    /// Makes a store on a backplane.
    #[napi(constructor, catch_unwind)]
    pub fn new(backplane: &NativeBackplane, options: NativeStoreOptions) -> Result<Self> {
        let node_id = NodeId::from_json(&options.node_id)
            .ok_or_else(|| Error::new(Status::InvalidArg, "nodeId is not valid"))?;
        let codec = if options.message_pack { Codec::MessagePack } else { Codec::Json };
        let unpack = if options.raw { Unpack::JavaScript } else { Unpack::Native };
        let longest = to_usize(options.longest);
        let backplane = Arc::clone(&backplane.backplane);
        Ok(Self { store: Store::new(backplane, node_id, codec, unpack, longest) })
    }

    /// Publishes `args`, the JSON text of an array. With a ticket, a reply tells that Redis has it, or
    /// will not get it.
    #[napi(catch_unwind)]
    pub fn publish(&self, channel: String, args: String, ticket: u32) {
        self.store.publish(channel, args, waits(ticket));
    }

    /// Publishes a message of the channel `dispatch`. `exceptions`: JSON text of the array, empty
    /// for `[]`.
    #[napi(catch_unwind)]
    pub fn dispatch(
        &self,
        room: String,
        packet: String,
        volatile: Option<bool>,
        exceptions: String,
    ) {
        self.store.dispatch(Dispatch { room, packet, volatile, exceptions });
    }

    /// Has broadcasts written to native transports from now on; the members of what this returns are the
    /// clients that are here or that something waits for. Each is in a room of its own too, which goes by
    /// `\0` and the client's id.
    #[napi(catch_unwind)]
    pub fn use_web_sockets(&self, sockets: &NativeWebSockets) -> NativeFanout {
        let fanout = Arc::clone(self.store.use_web_sockets(&sockets.connections));
        NativeFanout { fanout, backplane: Arc::clone(self.store.backplane()) }
    }

    /// Writes a packet to the native transports of a room. `exceptions`: JSON text of the array of
    /// clients, empty for `[]`. Returns whether JavaScript has clients to write to.
    #[napi(catch_unwind)]
    pub fn dispatch_here(&self, room: String, packet: String, exceptions: String) -> bool {
        self.store.dispatch_here(&room, &packet, &exceptions)
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
        self.command("HGET", [key, field], ticket);
    }

    /// `HSET`
    #[napi(catch_unwind)]
    pub fn set(&self, key: String, field: String, value: Either<String, Buffer>, ticket: u32) {
        let args = vec![key.into_bytes(), field.into_bytes(), bytes_of(value)];
        self.store.command("HSET", args, waits(ticket));
    }

    /// `HDEL`
    #[napi(catch_unwind)]
    pub fn del(&self, key: String, field: String, ticket: u32) {
        self.command("HDEL", [key, field], ticket);
    }

    /// `HEXISTS`
    #[napi(catch_unwind)]
    pub fn has(&self, key: String, field: String, ticket: u32) {
        self.command("HEXISTS", [key, field], ticket);
    }

    /// `DEL`
    #[napi(catch_unwind)]
    pub fn destroy(&self, key: String) {
        self.command("DEL", [key], 0);
    }

    /// `EXPIRE`
    #[napi(catch_unwind)]
    pub fn expire(&self, key: String, seconds: i64) {
        self.command("EXPIRE", [key, seconds.to_string()], 0);
    }

    fn command<const N: usize>(&self, name: &'static str, args: [String; N], ticket: u32) {
        let args = args.into_iter().map(String::into_bytes).collect();
        self.store.command(name, args, waits(ticket));
    }

    /// Counts messages that the application's `unpack` read: foreign ones and own ones.
    #[napi(catch_unwind)]
    pub fn unpacked(&self, delivered: u32, own: u32) {
        self.store.unpacked(delivered.into(), own.into());
    }
}

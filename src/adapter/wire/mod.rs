//! The broadcasts of Socket.IO 4's adapters (`@socket.io/redis-adapter`). The classic one's are notepack.io's
//! MessagePack of `[uid, { type, data, nsp, id }, { rooms, except, flags }]`; for the other one's see [`sharded`].

mod data;
mod decode;
mod encode;
mod fields;
mod names;
mod requests;
pub mod sharded;
pub(crate) mod streams;

use super::packet::Packet;
use crate::codec::{EncodeError, Malformed};
pub use decode::decode;
pub use encode::encode;
pub(crate) use names::Names;

/// Whose messages are on the channels of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Those of `createAdapter`, on channels of all servers.
    Classic,
    /// Those of `createShardedAdapter`, on channels of the shards that own their slots.
    Sharded,
    /// Those of `createStreamsAdapter`: entries of streams, and on channels what is not kept. On either
    /// they are made like those of the sharded one.
    Streams {
        /// Whether the channels are of the shards that own their slots.
        sharded: bool,
    },
}

impl Wire {
    /// Reads what arrives on a channel of broadcasts. With `raw`, JavaScript reads the broadcasts.
    ///
    /// # Errors
    ///
    /// See [`decode`].
    pub(crate) fn decode<'a>(
        self,
        payload: &'a [u8],
        reader: &Reader<'_>,
        raw: bool,
        is_here: impl Fn(&str) -> bool,
    ) -> Result<Received<'a>, Malformed> {
        match self {
            Self::Classic if raw => reader.limits.check_length(payload).map(|()| Received::Packed),
            Self::Classic => decode(payload, reader, is_here),
            Self::Sharded | Self::Streams { .. } => sharded::decode(payload, reader, raw, is_here),
        }
    }

    /// Whether the adapter of the reader has published a payload; nothing else of it is read.
    pub(crate) fn is_own(self, payload: &[u8], reader: &Reader<'_>, raw: bool) -> bool {
        match self {
            Self::Classic => !raw && decode::is_own(payload, reader.uid),
            Self::Sharded | Self::Streams { .. } => {
                sharded::is_own(payload, reader.uid, reader.nsp)
            }
        }
    }

    /// The payload of a broadcast.
    ///
    /// # Errors
    ///
    /// See [`encode`].
    pub(crate) fn encode(
        self,
        uid: &str,
        packet: &Packet<'_>,
        nsp: &str,
        opts_json: &str,
    ) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Classic => encode(uid, packet, nsp, opts_json),
            Self::Sharded | Self::Streams { .. } => sharded::encode(uid, packet, nsp, opts_json),
        }
    }

    /// The rooms that a request has sockets join; none when it is another one.
    pub(crate) fn rooms_to_join(self, request: &[u8]) -> Vec<String> {
        match self {
            Self::Classic => requests::rooms_to_join(request),
            Self::Sharded | Self::Streams { .. } => sharded::rooms_to_join(request),
        }
    }
}

/// What one message may hold; more is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rooms, and exceptions.
    pub rooms: u32,
    /// Binary parts.
    pub attachments: usize,
    /// Bytes of its payload.
    pub bytes: usize,
}

impl Limits {
    /// # Errors
    ///
    /// [`Malformed::TooLong`]
    pub const fn check_length(&self, payload: &[u8]) -> Result<(), Malformed> {
        if payload.len() > self.bytes { Err(Malformed::TooLong) } else { Ok(()) }
    }

    /// A response in JSON may be longer: JavaScript reads its lists in slices, and limits the rest.
    ///
    /// # Errors
    ///
    /// [`Malformed::TooLong`]
    pub fn check_response(&self, payload: &[u8]) -> Result<(), Malformed> {
        let factor = if payload.starts_with(b"{") { SLICED } else { 1 };
        Self { bytes: self.bytes.saturating_mul(factor), ..*self }.check_length(payload)
    }
}

/// How many times as long as other messages a response in JSON may be.
const SLICED: usize = 8;

/// The adapter that reads a payload.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What marks the messages of this adapter.
    pub uid: &'a str,
    /// The namespace's name.
    pub nsp: &'a str,
    /// What a message may hold.
    pub limits: Limits,
}

/// A payload, seen by one namespace of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received<'a> {
    /// This node published it, and drops it.
    Own,
    /// It is meant for another namespace, or for none.
    OtherNamespace,
    /// It is meant for rooms, and none of them is here.
    NotHere,
    /// It is for clients of this node.
    Broadcast(Broadcast<'a>),
    /// It is a broadcast that JavaScript reads.
    Packed,
    /// It is a request, which JavaScript reads.
    Request,
    /// It is a response, likewise.
    Response,
}

/// What clients of this node get, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast<'a> {
    /// The packet.
    pub packet: Packet<'a>,
    /// The rooms it goes to; all clients when there are none.
    pub rooms: Names<'a>,
    /// The rooms it does not go to.
    pub except: Names<'a>,
    /// Whether `flags.volatile` is true to JavaScript; `None` when it is not set.
    pub volatile: Option<bool>,
    /// Whether `flags.compress` is true to JavaScript; `None` when it is not set.
    pub compress: Option<bool>,
}

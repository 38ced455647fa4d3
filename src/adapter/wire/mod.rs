//! The broadcasts of Socket.IO 4's classic adapter (`@socket.io/redis-adapter`): notepack.io's
//! MessagePack of `[uid, { type, data, nsp, id }, { rooms, except, flags }]`.

mod data;
mod decode;
mod encode;
mod fields;
mod names;
mod requests;

pub use decode::decode;
pub(crate) use decode::is_own;
pub use encode::encode;
pub(crate) use names::Names;
pub(crate) use requests::rooms_to_join;

use super::packet::Packet;
use crate::codec::Malformed;

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

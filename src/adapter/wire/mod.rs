//! The broadcasts of Socket.IO 4's classic adapter (`@socket.io/redis-adapter`): notepack.io's
//! MessagePack of `[uid, { type, data, nsp, id }, { rooms, except, flags }]`.

mod data;
mod decode;
mod encode;
mod fields;
mod names;

pub use decode::decode;
pub(crate) use decode::is_own;
pub use encode::encode;
pub(crate) use names::Names;

use super::packet::Packet;

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

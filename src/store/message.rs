//! What arrives on a channel of the store.

use std::borrow::Cow;

/// What a consumer is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Args<'a> {
    /// Socket.IO 0.9's `dispatch`, already taken apart, so that JavaScript never parses it.
    Dispatch {
        /// The room; the empty string is all.
        room: Cow<'a, str>,
        /// The encoded packet, as clients get it.
        packet: Cow<'a, str>,
        /// Whether the packet may be dropped; `None` is JavaScript's `null`.
        volatile: Option<bool>,
        /// JSON text of the array of client ids to leave out; empty when there are none.
        exceptions: Cow<'a, str>,
    },
    /// JSON text of the array of arguments.
    Json(Cow<'a, str>),
}

impl Args<'_> {
    /// The same arguments, borrowing nothing from the payload.
    #[must_use]
    pub fn into_owned(self) -> Args<'static> {
        match self {
            Args::Dispatch { room, packet, volatile, exceptions } => Args::Dispatch {
                room: Cow::Owned(room.into_owned()),
                packet: Cow::Owned(packet.into_owned()),
                volatile,
                exceptions: Cow::Owned(exceptions.into_owned()),
            },
            Args::Json(text) => Args::Json(Cow::Owned(text.into_owned())),
        }
    }
}

/// One message, seen by one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// This node published it, and drops it.
    Own,
    /// Another node published it.
    Foreign(Args<'a>),
}

impl Incoming<'_> {
    /// The same message, borrowing nothing from the payload.
    #[must_use]
    pub fn into_owned(self) -> Incoming<'static> {
        match self {
            Incoming::Own => Incoming::Own,
            Incoming::Foreign(args) => Incoming::Foreign(args.into_owned()),
        }
    }
}

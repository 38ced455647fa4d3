//! What a store publishes, encoded off the event loop.

use std::borrow::Cow;
use std::sync::Arc;

use super::wire::{self, Codec};
use crate::backplane::Publication;

/// The channel of a server's broadcasts.
pub const DISPATCH: &str = "dispatch";

/// How a store's messages are marked and packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// JSON text of the node's id.
    pub(super) node_id: String,
    pub(super) codec: Codec,
}

impl Origin {
    fn encode(&self, args: &str) -> Result<Cow<'static, [u8]>, String> {
        let payload = wire::encode(self.codec, &self.node_id, args);
        payload.map(Cow::Owned).map_err(|error| error.to_string())
    }
}

/// `{ nodeId, args }` for any channel.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) origin: Arc<Origin>,
    pub(super) channel: String,
    /// JSON text of an array.
    pub(super) args: String,
}

impl Publication for Message {
    fn channel(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.channel)
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        self.origin.encode(&self.args)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.channel.capacity() + self.args.capacity()
    }
}

/// The arguments of a message on [`DISPATCH`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The room's name.
    pub room: String,
    /// The encoded packet.
    pub packet: String,
    /// Whether it may be dropped; `None` is `null`.
    pub volatile: Option<bool>,
    /// JSON text of the ids that must not get it; empty for none.
    pub exceptions: String,
}

/// A message on [`DISPATCH`], whose JSON is written off the event loop.
#[derive(Debug)]
pub(super) struct DispatchMessage {
    pub(super) origin: Arc<Origin>,
    pub(super) dispatch: Dispatch,
}

impl Publication for DispatchMessage {
    fn channel(&self) -> Cow<'_, str> {
        Cow::Borrowed(DISPATCH)
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        let Dispatch { room, packet, volatile, exceptions } = &self.dispatch;
        self.origin.encode(&wire::dispatch_args(room, packet, *volatile, exceptions))
    }

    fn size(&self) -> usize {
        let Dispatch { room, packet, exceptions, .. } = &self.dispatch;
        size_of::<Self>() + room.capacity() + packet.capacity() + exceptions.capacity()
    }
}

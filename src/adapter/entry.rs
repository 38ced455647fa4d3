//! What an adapter has for the event loop.

use std::borrow::Cow;

use crate::event_loop::{Chunk, Entry, Role};

/// The first word of a broadcast that is ready for sockets. Then: namespace, flags, rooms length,
/// except length, head length, text length, attachments, length of each.
pub const BROADCAST: u32 = 32;
/// The first word of a message for a namespace that JavaScript reads.
/// Then: namespace, kind, channel length, payload length.
pub const PAYLOAD: u32 = 33;

/// What a payload for JavaScript is: the third word of its index.
pub mod payload_kind {
    /// A broadcast in a parser of the application's own.
    pub const BROADCAST: u32 = 0;
    /// A request, as official nodes make them too.
    pub const REQUEST: u32 = 1;
    /// A response to one.
    pub const RESPONSE: u32 = 2;
}

/// The flags of a broadcast that is ready for sockets.
pub mod broadcast_flags {
    use crate::event_loop::optional_bool;

    /// Two bits: `volatile`, one of [`optional_bool`].
    pub const VOLATILE: u32 = 0b11;
    /// Two bits: `compress`, likewise.
    pub const COMPRESS: u32 = 0b1100;
    /// `rooms` is the name of one room, and no JSON.
    pub const ONE_ROOM: u32 = 0b1_0000;

    /// An array among `rooms` or `except` is NaN, for which JSON has no word.
    pub const NAN_NAMES: u32 = 0b10_0000;

    /// A flag of two bits in its place.
    pub(crate) const fn place(mask: u32, value: Option<bool>) -> u32 {
        optional_bool::word(value) << mask.trailing_zeros()
    }
}

/// A broadcast whose packet is what a client gets, taken apart for the event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyBroadcast<'a> {
    /// The namespace's number.
    pub namespace: u32,
    /// See [`broadcast_flags`].
    pub flags: u32,
    /// JSON text of the array of rooms, empty for none; or one room's name, see `flags`.
    pub rooms: &'a str,
    /// JSON text of the array of rooms to leave out, empty for none.
    pub except: &'a str,
    /// What precedes `text` in a WebSocket frame; empty when there are attachments.
    pub head: &'a [u8],
    /// The packet as Socket.IO text.
    pub text: &'a str,
    /// Its binary parts.
    pub attachments: &'a [Cow<'a, [u8]>],
}

impl Entry for ReadyBroadcast<'_> {
    fn role(&self) -> Role {
        Role::Message
    }

    fn size(&self) -> usize {
        let binary: usize = self.attachments.iter().map(|part| part.len()).sum();
        self.rooms.len() + self.except.len() + self.head.len() + self.text.len() + binary
    }

    fn write(&self, chunk: &mut Chunk) {
        let Self { namespace, flags, rooms, except, head, text, attachments } = *self;
        chunk.put(&[BROADCAST, namespace, flags], &[rooms.as_bytes(), except.as_bytes()]);
        chunk.put_binary(&[], &[head]);
        chunk.put(&[], &[text.as_bytes()]);
        chunk.put_binary(&[u32::try_from(attachments.len()).unwrap_or(u32::MAX)], &[]);
        for attachment in attachments {
            chunk.put_binary(&[], &[attachment]);
        }
    }
}

/// A message for a namespace that JavaScript reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The namespace's number.
    pub namespace: u32,
    /// One of [`payload_kind`].
    pub kind: u32,
    /// The channel that it arrived on.
    pub channel: &'a [u8],
    /// The payload as Redis sent it.
    pub payload: &'a [u8],
}

impl Entry for Payload<'_> {
    /// A request may have sockets join rooms, and so may the callback of what a response answers.
    fn role(&self) -> Role {
        if self.kind == payload_kind::BROADCAST { Role::Message } else { Role::Gate }
    }

    fn size(&self) -> usize {
        self.channel.len() + self.payload.len()
    }

    fn write(&self, chunk: &mut Chunk) {
        chunk.put(&[PAYLOAD, self.namespace, self.kind], &[self.channel]);
        chunk.put_binary(&[], &[self.payload]);
    }
}

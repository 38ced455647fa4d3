//! A chunk: what one drain hands to the event loop.
//!
//! All text of all entries stands in one byte buffer; the index says, in `u32` words, where each
//! entry ends and what it is. So a batch crosses N-API as two objects, whatever it holds.

use std::borrow::Cow;

/// A chunk is full at this many entries; more would keep the event loop from its other work.
const MAX_ENTRIES: usize = 256;
/// A chunk is full at this many bytes. A larger entry gets a chunk of its own.
const MAX_BYTES: usize = 256 * 1024;

/// One thing for the event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A message: the JSON text of its args. Index: `0, channel, length`.
    Args {
        /// The number that the subscription was given.
        channel: u32,
        /// A JSON array.
        args: &'a str,
    },
    /// A message of 0.9's `dispatch` channel, taken apart.
    /// Index: `1, channel, volatile, room length, packet length, exceptions length`.
    Dispatch {
        /// The number that the subscription was given.
        channel: u32,
        /// As published: `null`, `false` and `true` are kept apart.
        volatile: Option<bool>,
        /// The room's name.
        room: &'a str,
        /// The encoded packet.
        packet: &'a str,
        /// JSON text of the ids that must not get it, empty for none.
        exceptions: &'a str,
    },
    /// A message whose payload only JavaScript can unpack. Index: `2, channel, length`.
    Raw {
        /// The number that the subscription was given.
        channel: u32,
        /// The payload as Redis sent it.
        payload: &'a [u8],
    },
    /// A broadcast of Socket.IO 4, ready for sockets. Index: `5, namespace, flags, rooms length,
    /// except length, head length, text length, attachments, length of each`.
    Broadcast(Broadcast<'a>),
    /// A message for a namespace of Socket.IO 4 that JavaScript reads.
    /// Index: `6, namespace, kind, channel length, payload length`.
    Payload {
        /// The namespace's number.
        namespace: u32,
        /// What it is: the words of `Kind` in `adapter/namespace.rs`.
        kind: u32,
        /// The channel that it came on.
        channel: &'a [u8],
        /// The payload as Redis sent it.
        payload: &'a [u8],
    },
    /// The answer to a request. Index: `3, request, kind, length`.
    Reply {
        /// The number that the caller gave to the request.
        request: u32,
        /// What came of it.
        reply: Reply<'a>,
    },
    /// An event of the store, as JSON. Index: `4, length`.
    Event {
        /// A JSON object, see [`super::Event`].
        json: &'a str,
    },
}

/// A broadcast whose packet is what a client gets, taken apart for the event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broadcast<'a> {
    /// The namespace's number.
    pub namespace: u32,
    /// Bits 0–1 `volatile` and 2–3 `compress` (0 not given, 1 false, 2 true); bit 4: `rooms` is one
    /// room's name.
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

/// What came of a request. The discriminants are the `kind` words of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Kind 0: done, or a field that is not there.
    Nil,
    /// Kind 1: an integer, as decimal text.
    Integer(i64),
    /// Kind 2: a string; bytes that are not UTF-8 become U+FFFD in JavaScript.
    Bytes(&'a [u8]),
    /// Kind 3: an error, as JSON `{ code, message }`.
    Error(&'a str),
    /// Kind 4: a list, as JSON.
    List(&'a str),
}

/// Packed entries.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The text of all entries, one behind the other.
    pub bytes: Vec<u8>,
    /// Whether there is a byte in its text that is not ASCII; if not, JavaScript can copy it faster.
    pub wide: bool,
    /// The words that take `bytes` apart.
    pub index: Vec<u32>,
    /// How many entries there are.
    pub entries: usize,
    /// How many of them are messages (and not replies or events).
    pub messages: usize,
    /// How many of them may have the application join rooms.
    pub gates: usize,
}

impl Chunk {
    /// Whether `entry` fits without making the chunk larger than one drain should be.
    #[must_use]
    pub fn has_room_for(&self, entry: &Entry<'_>) -> bool {
        self.entries == 0
            || (self.entries < MAX_ENTRIES && self.bytes.len() + entry.len() <= MAX_BYTES)
    }

    /// Appends `entry`; returns how many bytes that added.
    pub fn push(&mut self, entry: &Entry<'_>) -> usize {
        let before = self.bytes.len();
        self.entries += 1;
        self.messages += usize::from(entry.is_message());
        self.gates += usize::from(entry.is_gate());
        match *entry {
            Entry::Args { channel, args } => self.put(&[0, channel], &[args.as_bytes()]),
            Entry::Dispatch { channel, volatile, room, packet, exceptions } => {
                let volatile = volatile.map_or(0, |on| 1 + u32::from(on));
                let parts = [room.as_bytes(), packet.as_bytes(), exceptions.as_bytes()];
                self.put(&[1, channel, volatile], &parts);
            }
            Entry::Raw { channel, payload } => self.put_binary(&[2, channel], &[payload]),
            Entry::Broadcast(broadcast) => self.put_broadcast(&broadcast),
            Entry::Payload { namespace, kind, channel, payload } => {
                self.put(&[6, namespace, kind], &[channel]);
                self.put_binary(&[], &[payload]);
            }
            Entry::Reply { request, reply } => match reply {
                Reply::Nil => self.put(&[3, request, 0], &[b""]),
                Reply::Integer(number) => {
                    self.put(&[3, request, 1], &[number.to_string().as_bytes()]);
                }
                Reply::Bytes(bytes) => self.put(&[3, request, 2], &[bytes]),
                Reply::Error(json) => self.put(&[3, request, 3], &[json.as_bytes()]),
                Reply::List(json) => self.put(&[3, request, 4], &[json.as_bytes()]),
            },
            Entry::Event { json } => self.put(&[4], &[json.as_bytes()]),
        }
        self.bytes.len() - before
    }

    fn put_broadcast(&mut self, broadcast: &Broadcast<'_>) {
        let Broadcast { namespace, flags, rooms, except, head, text, attachments } = *broadcast;
        self.put(&[5, namespace, flags], &[rooms.as_bytes(), except.as_bytes()]);
        self.put_binary(&[], &[head]);
        self.put(&[], &[text.as_bytes()]);
        self.index.push(u32::try_from(attachments.len()).unwrap_or(u32::MAX));
        for attachment in attachments {
            self.put_binary(&[], &[attachment]);
        }
    }

    fn put(&mut self, head: &[u32], parts: &[&[u8]]) {
        self.wide |= !parts.iter().all(|part| part.is_ascii());
        self.put_binary(head, parts);
    }

    fn put_binary(&mut self, head: &[u32], parts: &[&[u8]]) {
        self.index.extend_from_slice(head);
        for part in parts {
            self.bytes.extend_from_slice(part);
            // Redis limits a string to 512 MB, so a length always fits.
            self.index.push(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
    }
}

impl Entry<'_> {
    /// About how many bytes the entry adds to a chunk: integers are taken for nothing.
    #[must_use]
    fn len(&self) -> usize {
        match *self {
            Entry::Args { args, .. } => args.len(),
            Entry::Dispatch { room, packet, exceptions, .. } => {
                room.len() + packet.len() + exceptions.len()
            }
            Entry::Raw { payload, .. } => payload.len(),
            Entry::Broadcast(Broadcast { rooms, except, head, text, attachments, .. }) => {
                let binary: usize = attachments.iter().map(|part| part.len()).sum();
                rooms.len() + except.len() + head.len() + text.len() + binary
            }
            Entry::Payload { channel, payload, .. } => channel.len() + payload.len(),
            Entry::Reply { reply: Reply::Bytes(bytes), .. } => bytes.len(),
            Entry::Reply { reply: Reply::Error(json) | Reply::List(json), .. }
            | Entry::Event { json } => json.len(),
            Entry::Reply { .. } => 0,
        }
    }

    /// Whether what it brings about may be that rooms are joined: which broadcasts are wanted is not
    /// known until it has been seen to.
    #[must_use]
    pub const fn is_gate(&self) -> bool {
        matches!(self, Entry::Payload { .. })
    }

    /// Whether it is a message from a channel.
    #[must_use]
    pub const fn is_message(&self) -> bool {
        !matches!(self, Entry::Reply { .. } | Entry::Event { .. })
    }
}

//! A broadcast on its way out, encoded off the event loop.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::packet::{self, Packet};
use super::recent_joins::RecentJoins;
use super::subscriptions::Mode;
use super::wire::{Wire, streams};
use crate::backplane::{Addition, Publication, Request};

/// Where broadcasts come from: one namespace of one server.
#[derive(Debug)]
pub(super) struct Origin {
    /// What marks this server's messages.
    pub uid: String,
    /// The namespace's name.
    pub nsp: String,
    /// The channel of the namespace's broadcasts; that of a room begins with it.
    pub channel: String,
    /// Whose messages they are.
    pub wire: Wire,
    /// Which channels servers are subscribed to.
    pub mode: Mode,
    /// Where broadcasts are added, where they are entries of a stream.
    pub stream: Option<StreamOf>,
    /// Whether it is no server, but an emitter.
    pub emitter: bool,
    /// Which rooms sockets were lately asked to join, where rooms have channels of their own.
    pub recent_joins: Option<RecentJoins>,
}

/// The stream of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOf {
    /// Its name.
    pub name: String,
    /// How many entries it keeps, about.
    pub max_len: u64,
    /// Whether packets get the ids of their entries, by which clients recover what they have missed.
    pub recovers: bool,
}

impl Origin {
    /// The channel of a room's broadcasts.
    #[must_use]
    pub fn room_channel(&self, room: &str) -> String {
        [&self.channel, room, "#"].concat()
    }

    /// The channel of broadcasts to one room or, without one, to all others. It has to be asked for
    /// when the broadcast leaves.
    #[must_use]
    pub fn channel_of(&self, room: Option<&str>) -> Cow<'_, str> {
        match room {
            Some(room) if self.has_channel(room) && !self.lately_joined(room) => {
                Cow::Owned(self.room_channel(room))
            }
            _ => Cow::Borrowed(&self.channel),
        }
    }

    /// Whether broadcasts to a room have a channel of their own.
    fn has_channel(&self, room: &str) -> bool {
        match (self.wire, self.mode) {
            (Wire::Classic, _) | (Wire::Sharded, Mode::DynamicPrivate) => true,
            (Wire::Sharded, Mode::Pattern) | (Wire::Streams { .. }, _) => false,
            (Wire::Sharded, Mode::Dynamic) => !self.is_private(room),
        }
    }

    /// Whether a room looks like the id of a socket, which official servers do not subscribe to. Those of
    /// clients of Engine.IO 3 begin with their namespace.
    fn is_private(&self, room: &str) -> bool {
        let id = room.strip_prefix(&self.nsp).and_then(|rest| rest.strip_prefix('#'));
        self.wire.is_id(room) || id.is_some_and(|id| self.wire.is_id(id))
    }

    fn lately_joined(&self, room: &str) -> bool {
        self.recent_joins.as_ref().is_some_and(|joins| joins.has(room, Instant::now()))
    }

    /// A request of whatever server passes by, on its way in or out.
    pub fn see_request(&self, request: &[u8]) {
        if let Some(joins) = &self.recent_joins {
            joins.see(request, Instant::now());
        }
    }
}

impl Wire {
    /// The request to publish something.
    pub(super) fn publish(self, publication: impl Publication) -> Request {
        match self {
            Self::Classic | Self::Streams { sharded: false } => Request::publish(publication),
            Self::Sharded | Self::Streams { sharded: true } => {
                Request::publish_sharded(publication)
            }
        }
    }
}

/// Which sockets a broadcast is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All in the namespace.
    All,
    /// Those in one room.
    Room(String),
    /// Anything else.
    Given {
        /// The room, where there is exactly one.
        room: Option<String>,
        /// JSON text of `{ rooms, except, flags }`.
        opts: String,
    },
}

impl Target {
    fn room(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Room(room) => Some(room),
            Self::Given { room, .. } => room.as_deref(),
        }
    }

    /// JSON text of `{ rooms, except, flags }`, in the order that the official packages have: adapters, or
    /// emitters.
    fn opts(&self, emitter: bool) -> Cow<'_, str> {
        let rooms: Cow<'_, str> = match self {
            Self::All => "[]".into(),
            Self::Room(room) => format!("[{}]", serde_json::Value::from(&**room)).into(),
            Self::Given { opts, .. } => return opts.into(),
        };
        let rest = if emitter { r#""flags":{},"except":[]"# } else { r#""except":[],"flags":{}"# };
        format!(r#"{{"rooms":{rooms},{rest}}}"#).into()
    }

    fn size(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Room(room) => room.capacity(),
            Self::Given { room, opts } => {
                room.as_ref().map_or(0, String::capacity) + opts.capacity()
            }
        }
    }
}

/// What a broadcast is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Which sockets it is for.
    pub target: Target,
    /// The packet as Socket.IO text.
    pub text: String,
    /// Its binary parts.
    pub attachments: Vec<Vec<u8>>,
}

impl Outgoing {
    /// Text for one room, or for all when `room` is empty.
    #[must_use]
    pub fn simple(room: String, text: String) -> Self {
        let target = if room.is_empty() { Target::All } else { Target::Room(room) };
        Self { target, text, attachments: Vec::new() }
    }

    fn packet(&self, nsp: &str) -> Result<Packet<'_>, String> {
        let attachments = self.attachments.iter().map(|part| Cow::Borrowed(&**part)).collect();
        packet::parse(&self.text, nsp, attachments)
            .ok_or_else(|| "it is not a packet of this namespace".to_owned())
    }

    /// The data of an entry.
    fn entry_data(&self, nsp: &str) -> Result<Vec<u8>, String> {
        let data = streams::encode(&self.packet(nsp)?, &self.target.opts(false));
        data.map_err(|error| error.to_string())
    }

    /// The bytes of memory that it holds, without itself.
    fn size(&self) -> usize {
        let parts = self.attachments.iter();
        let binary: usize = parts.map(|part| size_of::<Vec<u8>>() + part.capacity()).sum();
        self.target.size() + self.text.capacity() + binary
    }
}

/// A broadcast, not yet encoded.
#[derive(Debug)]
pub(super) struct OutgoingBroadcast {
    pub(super) origin: Arc<Origin>,
    pub(super) outgoing: Outgoing,
}

impl Publication for OutgoingBroadcast {
    fn channel(&self) -> Cow<'_, str> {
        self.origin.channel_of(self.outgoing.target.room())
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        let Origin { uid, nsp, wire, emitter, .. } = &*self.origin;
        let packet = self.outgoing.packet(nsp)?;
        let payload = wire.encode(uid, &packet, nsp, &self.outgoing.target.opts(*emitter));
        payload.map(Cow::Owned).map_err(|error| error.to_string())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.outgoing.size()
    }
}

/// What an entry holds.
#[derive(Debug)]
pub enum EntryData {
    /// A broadcast, not yet encoded.
    Broadcast(Outgoing),
    /// Data that JavaScript has encoded, and the number of its type.
    Ready(u32, Vec<u8>),
}

/// An entry for the stream of a namespace.
#[derive(Debug)]
pub(super) struct OutgoingEntry {
    pub(super) origin: Arc<Origin>,
    pub(super) data: EntryData,
    // The ticket of one that this server handles when it comes back by the stream, like that of others: it is
    // signed with it, as if by another one.
    pub(super) comes_back: Option<u32>,
}

impl Addition for OutgoingEntry {
    fn stream(&self) -> &str {
        self.origin.stream.as_ref().map_or("", |stream| &stream.name)
    }

    fn args(&self) -> Result<Vec<Cow<'_, [u8]>>, String> {
        let Origin { uid, nsp, stream, .. } = &*self.origin;
        let max_len = stream.as_ref().map_or(0, |stream| stream.max_len);
        let (kind, data) = match &self.data {
            EntryData::Broadcast(outgoing) => {
                (streams::BROADCAST, outgoing.entry_data(nsp)?.into())
            }
            EntryData::Ready(kind, data) => (*kind, Cow::Borrowed(data.as_slice())),
        };
        let text = |text: &'static str| Cow::Borrowed(text.as_bytes());
        let number = |number: String| Cow::Owned(number.into_bytes());
        Ok(vec![
            text("MAXLEN"),
            text("~"),
            number(max_len.to_string()),
            text("*"),
            text("uid"),
            match self.comes_back {
                Some(ticket) => number(format!("{uid}~{ticket}")),
                None => Cow::Borrowed(uid.as_bytes()),
            },
            text("nsp"),
            Cow::Borrowed(nsp.as_bytes()),
            text("type"),
            number(kind.to_string()),
            text("data"),
            data,
        ])
    }

    fn size(&self) -> usize {
        let data = match &self.data {
            EntryData::Broadcast(outgoing) => outgoing.size(),
            EntryData::Ready(_, data) => data.capacity(),
        };
        size_of::<Self>() + data
    }
}

/// A broadcast that a parser of the application's own has encoded.
#[derive(Debug)]
pub(super) struct PackedBroadcast {
    pub(super) origin: Arc<Origin>,
    pub(super) room: Option<String>,
    pub(super) payload: Vec<u8>,
}

impl Publication for PackedBroadcast {
    fn channel(&self) -> Cow<'_, str> {
        self.origin.channel_of(self.room.as_deref())
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        Ok(Cow::Borrowed(&self.payload))
    }

    fn size(&self) -> usize {
        let room = self.room.as_ref().map_or(0, String::capacity);
        size_of::<Self>() + room + self.payload.capacity()
    }
}

/// A request to other servers.
#[derive(Debug)]
pub(super) struct OutgoingRequest {
    pub(super) origin: Arc<Origin>,
    pub(super) channel: String,
    pub(super) payload: Vec<u8>,
}

impl Publication for OutgoingRequest {
    fn channel(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.channel)
    }

    fn payload(&self) -> Result<Cow<'_, [u8]>, String> {
        // Not before it leaves: it may have waited for Redis.
        self.origin.see_request(&self.payload);
        Ok(Cow::Borrowed(&self.payload))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.channel.capacity() + self.payload.capacity()
    }
}

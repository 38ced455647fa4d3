//! A broadcast on its way out, encoded off the event loop.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use super::packet;
use super::recent_joins::RecentJoins;
use super::subscriptions::Mode;
use super::wire::Wire;
use crate::backplane::{Publication, Request};

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
    /// Which rooms sockets were lately asked to join, where rooms have channels of their own.
    pub recent_joins: Option<RecentJoins>,
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
            (Wire::Sharded, Mode::Pattern) => false,
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
            Self::Classic => Request::publish(publication),
            Self::Sharded => Request::publish_sharded(publication),
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

    /// JSON text of `{ rooms, except, flags }`.
    fn opts(&self) -> Cow<'_, str> {
        match self {
            Self::All => r#"{"rooms":[],"except":[],"flags":{}}"#.into(),
            Self::Room(room) => {
                let room = serde_json::Value::from(&**room);
                format!(r#"{{"rooms":[{room}],"except":[],"flags":{{}}}}"#).into()
            }
            Self::Given { opts, .. } => opts.into(),
        }
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
        let Origin { uid, nsp, wire, .. } = &*self.origin;
        let Outgoing { target, text, attachments } = &self.outgoing;
        let attachments = attachments.iter().map(|part| Cow::Borrowed(&**part)).collect();
        let packet = packet::parse(text, nsp, attachments)
            .ok_or_else(|| "it is not a packet of this namespace".to_owned())?;
        let payload = wire.encode(uid, &packet, nsp, &target.opts());
        payload.map(Cow::Owned).map_err(|error| error.to_string())
    }

    fn size(&self) -> usize {
        let Outgoing { target, text, attachments } = &self.outgoing;
        let binary: usize =
            attachments.iter().map(|part| size_of::<Vec<u8>>() + part.capacity()).sum();
        size_of::<Self>() + target.size() + text.capacity() + binary
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
